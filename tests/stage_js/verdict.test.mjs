/** The cases of tests/verdict_cases.json in a lesson's file; the page Learn has them in tests/app/test_learn.py. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { barsOf, judge, sayNumber } from "../../app/stage/lesson/verdict.js";

const { numbers, judged } = JSON.parse(readFileSync(new URL("../verdict_cases.json", import.meta.url), "utf8"));
const words = {
  RIGHT: "{said} {source} {found}",
  WRONG: "{said}, {off} away",
  SOURCE: "said",
  YOU: "you",
  RECORDED: "there",
};

test("numbers are said as the page says them", () => {
  for (const [value, unit, text] of numbers) assert.equal(sayNumber(value, unit), text);
});

test("a number is judged as the page judges it, and stands beside the recording's", () => {
  for (const { found, tolerance, span, said, right, score } of judged) {
    const ask = { kind: "value", options: [], shown: [String(found)], sizes: [found], recorded: true };
    Object.assign(ask, { right: found, what: "", unit: "", tolerance, span });
    const verdict = judge(ask, said, words);
    assert.equal(verdict.right, right);
    assert.ok(Math.abs(verdict.score - score) < 1e-12);
    const bars = barsOf(ask, said, words);
    assert.deepEqual(
      bars.map((bar) => bar.name),
      ["you", "there"],
    );
    assert.equal(Math.max(...bars.map((bar) => bar.size)), 1);
  }
});
