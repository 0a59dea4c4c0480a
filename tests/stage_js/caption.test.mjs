/** A film's caption is broken into lines that fit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { breakLines } from "../../app/stage/saving/sheet.js";

const pen = { measureText: (text) => ({ width: [...text].length }) };

test("words stand in lines that fit, and what has no blanks is broken where it must be", () => {
  assert.deepEqual(breakLines(pen, "  rare  classes move ", 12), ["rare classes", "move"]);
  assert.deepEqual(breakLines(pen, "尾部类别的中心移动最远", 4), ["尾部类别", "的中心移", "动最远"]);
  assert.deepEqual(breakLines(pen, "", 4), []);
});
