/** What theory predicts in the page is what `ltviz.geometry` predicts: tests/stage_js/theory_cases.py wrote the cases. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { eigen, timesTransposed } from "../../app/stage/lab/theory/algebra.js";
import { contrastEnds } from "../../app/stage/lab/theory/contrast.js";
import { seli, underDecay } from "../../app/stage/lab/theory/entropy.js";
import { Random } from "../../app/stage/lab/random.js";

const CASES = JSON.parse(readFileSync(new URL("theory_cases.json", import.meta.url), "utf8"));
const named = ({ means, weights, value, logits, ...asked }) => JSON.stringify(asked);

/** Largest difference, of the largest number. @param {ArrayLike<number>} found @param {number[]} wanted */
function off(found, wanted) {
  assert.equal(found.length, wanted.length);
  const size = Math.max(...wanted.map(Math.abs));
  return Math.max(...wanted.map((v, i) => Math.abs(v - found[i]))) / size;
}
const upper = (products, c) => [...products].filter((_, at) => Math.floor(at / c) <= at % c);

function compare(found, wanted, close) {
  const c = wanted.counts.length,
    what = named(wanted);
  const products = (a, b) => timesTransposed(a, b, c, c, found.dim);
  assert.ok(Math.abs(found.value - wanted.value) < 1e-9 * Math.max(1, Math.abs(wanted.value)), `${what}: value`);
  assert.ok(off(upper(products(found.means, found.means), c), wanted.means) < close, `${what}: means`);
  if (!wanted.weights) return;
  assert.ok(off(upper(products(found.weights, found.weights), c), wanted.weights) < close, `${what}: weights`);
  assert.ok(off(products(found.means, found.weights), wanted.logits) < close, `${what}: means and weights together`);
}

test("SELI is that of Python to 1e-9", () => {
  const cases = CASES.filter(({ of }) => of === "ce");
  assert.ok(cases.length > 5);
  for (const wanted of cases) compare(seli(wanted.counts), wanted, 1e-9);
});

test("where contrast ends is as in Python, and certified", () => {
  for (const wanted of CASES.filter(({ of }) => of === "supcon")) {
    const found = contrastEnds(wanted.counts, wanted.temperature, wanted.average, wanted.denominator);
    compare(found, wanted, 1e-6);
    assert.ok(found.gap < 1e-9, `${named(wanted)}: gap ${found.gap}`);
  }
});

test("where cross-entropy ends under weight decay is as in Python, which looks for it otherwise", () => {
  for (const wanted of CASES.filter(({ of }) => of === "decay")) {
    const found = underDecay(wanted.counts, wanted);
    compare(found, wanted, 1e-6);
    assert.ok(found.gap < 1e-9, `${named(wanted)}: gap ${found.gap}`);
  }
  assert.equal(underDecay([10, 1], { decay: 10, pays: "class", average: "sample", tau: 0 }), null, "nothing is left");
});

test("eigenvectors are orthonormal and make the matrix again, whatever it is", () => {
  const random = new Random(4);
  for (const n of [1, 2, 3, 8, 30]) {
    const half = random.normals(new Float64Array(n * n)),
      flat = new Float64Array(n * n).fill(1),
      diagonal = half.map((v, at) => (at % (n + 1) ? 0 : v));
    for (const matrix of [timesTransposed(half, half, n, n, n), flat, diagonal]) {
      const { values, vectors } = eigen(matrix, n),
        columns = new Float64Array(n * n),
        scaled = new Float64Array(n * n);
      for (let i = 0; i < n; i++)
        for (let k = 0; k < n; k++) {
          columns[k * n + i] = vectors[i * n + k];
          scaled[k * n + i] = vectors[i * n + k] * values[i];
        }
      const again = timesTransposed(scaled, columns, n, n, n),
        ones = timesTransposed(vectors, vectors, n, n, n);
      for (let at = 0; at < n * n; at++) {
        assert.ok(Math.abs(again[at] - matrix[at]) < 1e-12 * n * Math.max(...matrix.map(Math.abs), 1));
        assert.ok(Math.abs(ones[at] - Number(at % (n + 1) === 0)) < 1e-13 * n);
      }
    }
  }
});
