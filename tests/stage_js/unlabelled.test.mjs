/** Samples without a label wear grey wherever colours are those of classes, and pictures keep their colours. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { describePoint } from "../../app/stage/reading/sample.js";
import { capAngles } from "../../app/stage/scene/spread.js";
import {
  classColours,
  contrast,
  CATEGORICAL,
  extraColours,
  luminance,
  parseHex,
  RAMP,
} from "../../app/stage/common/colours.js";
import {
  changesWithFrame,
  EXTRAS,
  pointSizes,
  pointFlags,
  pointColours,
  STEPS,
  UNLABELLED,
} from "../../app/stage/scene/attributes.js";
import { COLOUR_MODES } from "../../app/stage/scene/choices.js";
import { Run } from "../../app/stage/incoming/runs.js";
import { selectionCsv, selectionMetrics } from "../../app/stage/choices/selection.js";
import { colourBitmap, thumbnailOf } from "../../app/stage/reading/thumbnails.js";

globalThis.matchMedia = () => ({ matches: false });
const NONE = 65535,
  FREE = UNLABELLED;

/** Two classes and a run whose samples have these labels, all on one place. @param {number[]} labels */
function runWith(labels, { names = ["cat", "dog"], thumb = null, thumbs = null } = {}) {
  const run = new Run("a"),
    n = labels.length;
  run.setInfo({
    header: { class_names: names, counts: names.map((_, c) => 90 / (c + 1)), num_classes: names.length, dim: 3, thumb },
    labels: Uint16Array.from(labels),
    split: new Uint8Array(n),
    ids: null,
    thumbs,
    labelSets: null,
    attributes: [],
  });
  run.receive({
    header: {
      run: "a",
      step: 1,
      seq: 1,
      n,
      centres: names.map(() => [0, 0, 1]),
      landmarks: { targets: [[0, 1, 0]] },
      target_index: names.map(() => 0),
      projection: null,
    },
    xyz: Int16Array.from(labels.flatMap(() => [0, 32767, 0])),
    predictions: Uint16Array.from(labels, () => 1),
    confidence: Uint8Array.from(labels, () => 255),
    loss: Uint16Array.from(labels, () => 0),
    marks: new Map(),
  });
  run.accept(0, { tween: false, steady: true });
  return run;
}

test("samples without a label are counted, and a new card counts anew", () => {
  const run = runWith([0, NONE, 1, NONE]);
  assert.equal(run.unlabelled, 2);
  run.setInfo({ ...run.info, labels: Uint16Array.of(0, 0, 1, NONE) });
  assert.equal(run.unlabelled, 1);
  assert.equal(new Run("b").unlabelled, 0);
});

test("they are grey under every choice of colour that shows classes", () => {
  const run = runWith([0, NONE, 1]),
    base = 2;
  for (const mode of COLOUR_MODES)
    if (!changesWithFrame(mode) && mode !== "split")
      assert.deepEqual([...pointColours(run, mode)], [0, base + FREE, 1], mode);
  assert.deepEqual([...pointColours(run, "correct")], [base + 1, base + FREE, base], "neither right nor wrong");
  assert.deepEqual([...pointColours(run, "split")], [base + 2, base + 2, base + 2]);
  assert.deepEqual(
    [...pointColours(run, "confidence")],
    [0, 0, 0].map(() => base + EXTRAS.length + STEPS - 1),
  );
  const labelled = runWith([0, 1]);
  assert.equal(pointColours(labelled, "ramp"), labelled.info.labels, "without them nothing is copied");
});

test("a run without classes is grey altogether", () => {
  const run = runWith([NONE, NONE], { names: [] });
  assert.deepEqual([...pointColours(run, "ramp")], [FREE, FREE]);
  assert.deepEqual(classColours(0, "ramp", { ramp: RAMP, categorical: CATEGORICAL, page: [1, 1, 1], groups: [] }), []);
  assert.deepEqual(describePoint(run, 1).slice(0, 2), ["unlabelled", "Training sample 1"]);
  assert.deepEqual(capAngles(run.frame.xyz, run.info.labels, []), []);
});

test("their grey has no hue, is quiet on both pages and is no class's", () => {
  for (const page of [parseHex("#fbfbf9"), parseHex("#0f1216")]) {
    const grey = extraColours(page)[FREE];
    assert.ok(Math.max(...grey) - Math.min(...grey) < 0.07);
    assert.ok(contrast(grey, page) > 1.8 && contrast(grey, page) < 6.5, String(contrast(grey, page)));
    for (const mode of ["ramp", "categorical", "groups"])
      for (const rgb of classColours(7, mode, {
        ramp: RAMP,
        categorical: CATEGORICAL,
        page,
        groups: [0, 0, 1, 1, 1, 2, 2],
      }))
        assert.ok(Math.hypot(...rgb.map((v, i) => v - grey[i])) > 0.15, `${mode} ${luminance(page)}`);
  }
});

test("they are as small as the commonest class, and in focus with none", () => {
  const run = runWith([0, NONE, 1]);
  const [head, free, tail] = pointSizes(run, true);
  assert.ok(free <= head && head < tail);
  assert.deepEqual([...pointSizes(run, false)], [128, 128, 128]);
  const flags = pointFlags(run, { train: true, test: true, validation: true }, new Set([0]), null);
  assert.ok(flags[1] && flags[1] === flags[2] && !flags[0]);
});

test("their card says so, and what the classifier answered", () => {
  const lines = describePoint(runWith([0, NONE]), 1);
  assert.deepEqual(lines.slice(0, 2), ["unlabelled", "Training sample 1"]);
  assert.match(lines[2], /^Answered dog, 100[.0]* % sure, loss 0/);
  assert.equal(lines.length, 3, "no angle to a centre that it does not have");
  assert.ok(!lines.join().includes("undefined") && !lines.join().includes("65535") && !lines.join().includes("rank"));
});

test("a selection is judged by its labelled samples, and the file leaves their class empty", () => {
  const run = runWith([1, NONE, NONE]);
  assert.equal(selectionMetrics(new Set([0, 1, 2]), run).right, 1);
  assert.ok(!("right" in selectionMetrics(new Set([1]), run)), "nothing to judge is no 0");
  assert.match(selectionCsv(new Set([1]), [run]), /,1,train,"","dog",/);
});

test("a picture in colour is a bitmap of 24 bits, bottom row and blue first", () => {
  const pixels = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
    file = colourBitmap(pixels, 2, 2),
    view = new DataView(file.buffer);
  assert.deepEqual(
    [view.getUint32(2, true), view.getUint32(10, true), view.getUint16(28, true), file.length],
    [70, 54, 24, 70],
  );
  assert.deepEqual([...file.subarray(54)], [9, 8, 7, 12, 11, 10, 0, 0, 3, 2, 1, 6, 5, 4, 0, 0]);
});

test("a sample's picture is its own, in colour or grey as the run says", () => {
  const bytes = (/** @type {string} */ address) => Uint8Array.from(atob(address.split(",")[1]), (c) => c.charCodeAt(0));
  const colour = runWith([0, 1], { thumb: [1, 1, 3], thumbs: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  assert.deepEqual([...bytes(thumbnailOf(colour.info, 1)).subarray(54)], [6, 5, 4, 0]);
  const grey = runWith([0, 1], { thumb: [1, 1], thumbs: Uint8Array.of(7, 8) });
  assert.deepEqual([...bytes(thumbnailOf(grey.info, 1)).subarray(54 + 1024)], [8, 0, 0, 0]);
  assert.equal(thumbnailOf(colour.info, 2), null);
});
