/** What the lab makes of theory: what it asks, how far it is from the answer, and where the answer is drawn. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { comparisonOf } from "../../app/stage/lab/comparisons.js";
import { LOSSES, OPTIONS } from "../../app/stage/lab/losses/list.js";
import { Race } from "../../app/stage/lab/race.js";
import { settle } from "../../app/stage/lab/settings.js";
import { appearing } from "../../app/stage/lab/theory/appearing.js";
import { answerTo, questionOf } from "../../app/stage/lab/theory/question.js";
import { angleError, anglesOf, evenAngle, turnedOnto } from "../../app/stage/lab/theory/residuals.js";
import { Theories } from "../../app/stage/lab/theory/theories.js";

const CASES = JSON.parse(readFileSync(new URL("theory_cases.json", import.meta.url), "utf8"));
const asked = (given) => ({
  loss: "ce",
  counts: [100, 10, 1],
  dim: 2,
  points: 1,
  apart: false,
  ...given,
  options: { ...OPTIONS, ...given?.options },
});
const about = (given) => questionOf(asked(given));

/** A worker that answers at once. */
const answering = () => {
  const worker = {
    postMessage: ({ key }) => worker.onmessage({ data: { key, answer: answerTo(JSON.parse(key)) } }),
    terminate: () => {},
  };
  return worker;
};

/** Runs settings and measures the end. */
function ended(settings, steps) {
  const race = new Race(settle(settings)),
    theories = new Theories(answering, () => {});
  for (let i = 0; i < steps; i++) race.step();
  const shots = race.look(false);
  theories.want(shots.map(({ theory }) => theory));
  shots.forEach((shot) => theories.measure(shot));
  return { shots, theories, metrics: Object.fromEntries(shots.map(({ id, metrics }) => [id, metrics])) };
}

test("each loss asks for its own theory, and none where nobody knows one", () => {
  const kinds = Object.fromEntries(Object.keys(LOSSES).map((loss) => [loss, about({ loss }).of]));
  assert.deepEqual(kinds, {
    ce: "decay",
    "logit-adjust": "decay",
    reweight: "decay",
    simclr: "contrast",
    supcon: "contrast",
    "supcon-in": "contrast",
    kcl: "contrast",
    tsc: "simplex",
    bcl: "contrast",
    gml: "contrast",
    ntce: "none",
    nonl: "none",
    etf: "simplex",
    "align-uniform": "none",
  });
  assert.equal(about({ loss: "bcl" }).denominator, "classes");
  assert.equal(about({ loss: "supcon", options: { average: "class" } }).average, "class");
  assert.equal(about({ loss: "reweight" }).average, "class");
  assert.deepEqual(
    [about({ options: { tau: 2 } }).tau, about({ loss: "logit-adjust", options: { tau: 2 } }).tau],
    [0, 2],
  );
  const vanishing = (decayBy) => about({ options: { vanish: true, decayBy } });
  assert.deepEqual([vanishing("sample").of, vanishing("class").says], ["seli", "even"]);
});

test("below C - 1 dimensions, with noise, and where another loss begins, nothing is predicted", () => {
  assert.equal(about({ dim: 1 }).says, "few");
  assert.equal(about({ apart: true }).says, "noise");
  for (const loss of ["simclr", "supcon-in"]) assert.equal(about({ loss, points: 3 }).says, "unknown");
  const bcl = (options) => about({ loss: "bcl", options });
  assert.equal(bcl({ classAveraging: false }).says, "unknown");
  assert.equal(bcl({ classAveraging: false, complement: false }).denominator, "samples");
  assert.equal(about({ loss: "kcl", options: { k: 0 } }).says, "unknown");
  const counts = Array.from({ length: 61 }, (_, c) => 100 - c);
  assert.deepEqual(
    [about({ counts, dim: 60 }).says, about({ counts, dim: 60, loss: "supcon" }).of],
    ["many", "contrast"],
  );
  const { shots, theories } = ended({ losses: ["ce", "bcl"], dim: 3 }, 3);
  for (const shot of shots) {
    assert.equal(shot.metrics.theory_error, undefined);
    assert.equal(theories.ghostOf(shot), null);
    const { squares, says } = comparisonOf(shot, theories.of(shot.theory), 10, 3, { title: "", colour: "" });
    assert.ok(squares.every(({ id }) => !id.includes("predicted")) && /in 3 dimensions .* from 9 on/.test(says[0]));
  }
});

test("rows are turned, and their angles compared, as in Python", () => {
  const { classes, dim, rows, goals, turned, off } = CASES.find(({ of }) => of === "turn");
  turnedOnto(Float64Array.from(rows), goals, classes, classes - 1, dim).forEach((v, i) =>
    assert.ok(Math.abs(v - turned[i]) < 1e-12),
  );
  const here = anglesOf(goals, classes, dim),
    own = angleError(here, anglesOf(rows, classes, classes - 1)),
    even = angleError(here, evenAngle(classes));
  [own.mean, own.most, even.mean, even.most].forEach((v, i) => assert.ok(Math.abs(v - off[i]) < 1e-9));
});

test("rows that have directions in common with nothing are turned as a whole all the same", () => {
  const rows = Float64Array.of(1, 0, 0, 1, -1, 0),
    flat = turnedOnto(rows, [0, 0, 1, 0, 0, 1, 0, 0, -1], 3, 2, 3);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) {
      const dot = (x, d) => Array.from({ length: d }, (_, k) => x[i * d + k] * x[j * d + k]).reduce((a, b) => a + b);
      assert.ok(Math.abs(dot(flat, 3) - dot(rows, 2)) < 1e-12);
    }
});

test("free features end where theory says under the same penalty, and contrast where its population does", () => {
  const losses = ["ce", "logit-adjust", "supcon", "kcl", "bcl", "gml"],
    { metrics } = ended({ losses, dim: 9, imbalance: 100, average: "sample" }, 2000);
  for (const id of losses) {
    const { theory_error, theory_means = 0, simplex_error } = metrics[id];
    // An anchor's own absence from its denominator is no part of a population.
    const close = id === "supcon" || id === "kcl" ? 0.15 : 0.01;
    assert.ok(theory_error < close && theory_means < close && simplex_error > 3, `${id} ${theory_error}`);
  }
});

test("under a decay that vanishes cross-entropy comes within two degrees of SELI, rows before means", () => {
  for (const [imbalance, rows, means] of [
    [10, 0.3, 0.8],
    [100, 0.8, 1.6],
  ]) {
    const { metrics, shots, theories } = ended({ ...appearing(settle({ imbalance })), imbalance }, 5000),
      { theory_error, theory_most, theory_means, simplex_error, smallest_tail, smallest_tail_rows } = metrics.ce;
    assert.ok(theory_error < rows && theory_means < means && theory_most < 2.5, `${theory_error} ${theory_means}`);
    assert.ok(
      theory_error < theory_means && simplex_error > 5 * theory_error,
      "rows come first, and not to the simplex",
    );
    // Rows of the tail close up, while its means open.
    assert.ok(smallest_tail_rows < 94 && smallest_tail > 98, `${smallest_tail_rows} ${smallest_tail}`);
    const { means: ghost, weights } = theories.ghostOf(shots[0]),
      far = (a, b) => Math.max(...a.map((v, i) => Math.abs(v - b[i])));
    assert.ok(far([...ghost], shots[0].means) < 0.06 && far([...weights], shots[0].columns) < 0.06);
  }
});

test("one question at a time, what nobody asks any more is dropped, and what goes wrong is said", () => {
  const opened = [];
  const theories = new Theories(
    () => {
      const worker = {
        sent: [],
        ended: false,
        postMessage: ({ key }) => worker.sent.push(key),
        terminate: () => (worker.ended = true),
      };
      opened.push(worker);
      return worker;
    },
    () => {},
  );
  const keys = [0.1, 0.2, 0.3].map((temperature) =>
    JSON.stringify(about({ loss: "supcon", options: { temperature } })),
  );
  theories.want(keys.slice(0, 2));
  assert.deepEqual(
    opened.map(({ sent }) => sent),
    [[keys[0]]],
  );
  opened[0].onmessage({ data: { key: keys[0], answer: answerTo(JSON.parse(keys[0])) } });
  assert.deepEqual(opened[0].sent, keys.slice(0, 2));
  theories.asked.since -= 1e4;
  theories.want([keys[2]]);
  assert.ok(opened[0].ended, "it took long, and nobody asks any more");
  assert.deepEqual(opened[1].sent, [keys[2]]);
  opened[1].onerror();
  assert.deepEqual(
    keys.map((key) => theories.of(key).state),
    ["known", "waits", "failed"],
  );
  const loose = { ...answerTo(JSON.parse(keys[1])), gap: 1e-3 };
  theories.take(keys[1], loose);
  assert.equal(theories.of(keys[1]).state, "failed", "not the minimum, to the digits that a prediction needs");
  assert.equal(answerTo(about({ options: { decay: 5 } })), null, "a decay that leaves nothing");
});
