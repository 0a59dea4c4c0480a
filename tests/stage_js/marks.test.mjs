/** What methods declare: read, listed, drawn and named, without a word of theirs in the stage. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFrame, readRun, splitMessage } from "../../app/stage/incoming/frames.js";
import { inLegend, isOn } from "../../app/stage/layers/layer.js";
import { START } from "../../app/stage/scene/choices.js";
import { layersOf, signsOf } from "../../app/stage/layers/list.js";
import { strengthOfAge } from "../../app/stage/layers/marks/points.js";
import { choosePairs } from "../../app/stage/layers/marks/segments.js";
import { linkOf, readLink } from "../../app/stage/saving/permalink.js";
import { LONGEST } from "../../app/stage/scene/forces.js";
import { SHAPE } from "../../app/stage/scene/strokes.js";
import { angleBetween, length } from "../../app/stage/common/vectors.js";
import { int16, markOf, pack, runWith, sceneOf, XYZ } from "./made.mjs";

const near = (a, b, eps = 1e-6) => assert.ok(Math.abs(a - b) < eps, `${a} is not ${b}`);
/** A run that declares these marks, and has these values of them. */
const declaring = (marks, { values = {}, header = {}, info = {} } = {}) =>
  runWith({ header, frame: { marks: new Map(Object.entries(values)) }, info: { header: { marks, ...info } } });
const PAIR = { a: int16([[1, 0, 0]]), b: int16([[0, 1, 0]]), y: Uint16Array.of(2) };
const words = (run, layers = {}) => signsOf([run], { ...START, layers }).map(({ word }) => word);

test("a frame's arrays are read where its header says", () => {
  const one = int16([[0, 0, 1]]);
  const buffer = pack(
    { run: "a", step: 3, n: 2, predictions: true },
    {
      xyz: XYZ,
      prediction: Uint16Array.of(2, 0),
      "marks.views.a": one,
      "marks.views.b": XYZ.slice(0, 3),
      "marks.views.y": Uint16Array.of(2),
      "marks.queue.places": one,
      "marks.queue.y": Uint16Array.of(1),
      "marks.queue.age": Uint16Array.of(40),
      loss: Uint16Array.of(4096, 65535),
      confidence: Uint8Array.of(0, 255),
    },
  );
  const { header, offset } = splitMessage(buffer),
    frame = readFrame(buffer, header, offset);
  assert.deepEqual([...frame.predictions], [2, 0]);
  assert.deepEqual([...frame.confidence], [0, 255]);
  assert.deepEqual([...frame.loss], [4096, 65535]);
  assert.deepEqual([...frame.marks.keys()], ["views", "queue"]);
  assert.deepEqual([...frame.marks.get("views").b], [32767, 0, 0]);
  assert.deepEqual([...frame.marks.get("queue").age], [40]);
  assert.deepEqual(Object.keys(frame.marks.get("queue")).sort(), ["age", "places", "y"]);
  assert.equal(frame.xyz.buffer, buffer, "no copy is made of what is aligned");
});

test("arrays that do not fit their frame are refused with their sizes", () => {
  const broken = pack({ run: "a", step: 3, n: 2 }, { xyz: XYZ, loss: Uint16Array.of(1) });
  assert.throws(
    () => readFrame(broken, splitMessage(broken).header, splitMessage(broken).offset),
    /"loss" of a at step 3 has 1 items; it must have 2/,
  );
  const halved = pack(
    { run: "a", step: 3, n: 2 },
    { xyz: XYZ, "marks.views.y": Uint16Array.of(1), "marks.views.a": int16([[1, 0, 0]]) },
  );
  assert.throws(
    () => readFrame(halved, splitMessage(halved).header, splitMessage(halved).offset),
    /"marks.views.b" .* has 0 items; it must have 3/,
  );
  const sets = pack(
    { type: "run", run: "a", num_classes: 9, n: 2 },
    { labels: Uint16Array.of(0, 1), split: Uint8Array.of(0, 0), label_sets: Uint8Array.of(1, 0, 2) },
  );
  assert.throws(
    () => readRun(sets, splitMessage(sets).header, splitMessage(sets).offset),
    /3 bytes of label sets for 2 samples of 9 classes/,
  );
});

test("segments are arcs with ends, in the colour of their class; directed ones have a head and no ends", () => {
  const views = sceneOf(declaring([markOf("views", "segments", "arc")], { values: { views: PAIR } }), { views: true });
  assert.equal(views.counts.views, 1);
  assert.equal(views.signs.length, 2);
  assert.deepEqual(views.signs[0].slice(3, 6), [0, 0, 1]);
  views.lines.forEach((line) => near(length(line.slice(0, 3)), 1, 1e-3));
  const shift = declaring([markOf("edge", "segments", "shift", { directed: true })], { values: { edge: PAIR } });
  const shifted = sceneOf(shift, { edge: true });
  assert.equal(shifted.signs.length, 0);
  assert.equal(shifted.lines.length, views.lines.length + 2, "two barbs");
  const texts = declaring([markOf("texts", "segments", "arc", { end: "square" })], { values: { texts: PAIR } });
  assert.deepEqual(
    sceneOf(texts, { texts: true }).signs.map((sign) => sign[8]),
    [SHAPE.DOT, SHAPE.SQUARE],
  );
});

test("few pairs of each class are drawn, and all of a class in focus", () => {
  const y = Uint16Array.from({ length: 60 }, (_, i) => i % 10);
  const shown = choosePairs(y, null);
  assert.equal(shown.length, 20);
  for (let c = 0; c < 10; c++) assert.equal(shown.filter((i) => y[i] === c).length, 2);
  assert.deepEqual(choosePairs(y, new Set([3])), [3, 13, 23, 33, 43, 53]);
  const one = Uint16Array.from({ length: 60 }, (_, i) => i);
  assert.equal(choosePairs(one, null).length, 60, "one of each class, however many");
});

test("pairs and caps move with the frames, from where the eye saw them; what has an age does not", () => {
  const at = (p) => ({
    marks: new Map([
      ["views", { a: int16([p]), b: int16([[0, 0, 1]]), y: Uint16Array.of(0) }],
      ["queue", { places: int16([p]), y: Uint16Array.of(0), age: Uint16Array.of(3) }],
    ]),
  });
  const run = runWith({ frame: at([1, 0, 0]) });
  run.receive({ ...run.frame, header: { ...run.frame.header, step: 2 }, ...at([0, 1, 0]) });
  run.accept(1000, { tween: true, steady: true });
  const half = [...run.markAt("views", 0.5).a].map((v) => v / 32767);
  near(half[0], Math.SQRT1_2, 1e-3);
  near(half[1], Math.SQRT1_2, 1e-3);
  assert.deepEqual([...run.markAt("views", 1).a], [0, 32767, 0]);
  assert.deepEqual([...run.markAt("queue", 0.5).places], [0, 32767, 0]);
  assert.equal(run.markAt("never", 1), undefined);
});

test("points have their glyph, and fade with age", () => {
  const queue = { places: XYZ, y: Uint16Array.of(0, 65535), age: Uint16Array.of(0, 50) };
  const memory = declaring([markOf("queue", "points", "mist")], { values: { queue } });
  const { mists, counts } = sceneOf(memory, { queue: true });
  assert.equal(counts.queue, 2);
  assert.ok(mists[0][6] > 2 * mists[1][6] && mists[1][6] > 0);
  assert.deepEqual(mists[1].slice(3, 6), [0, 0, 0], "a point of no class has the colour of ink");
  assert.equal(strengthOfAge(0, 0), strengthOfAge(0, 9));
  const plain = declaring([markOf("poles", "points", "plus")], { values: { poles: { ...queue, age: undefined } } });
  const { signs } = sceneOf(plain, { poles: true });
  assert.deepEqual(
    signs.map((sign) => [sign[6], sign[8]]),
    [
      [1, SHAPE.PLUS],
      [1, SHAPE.PLUS],
    ],
  );
});

test("landmarks wear the glyph of the mark of their name, and a cross where nobody declared them", () => {
  const header = { landmarks: { means: [[0, 0, 1], [0, 1, 0], null], constructor: [[1, 0, 0]] } };
  const run = declaring([markOf("means", "points", "square"), markOf("toString", "points", "ring")], { header });
  const { signs, counts } = sceneOf(run, { means: true, constructor: true, toString: true });
  assert.deepEqual(
    signs.map((sign) => sign[8]),
    [SHAPE.SQUARE, SHAPE.SQUARE, SHAPE.PLUS],
  );
  assert.equal(counts.toString, 0, "a mark may be called as every object's methods are");
  assert.deepEqual(words(run).slice(-2), ["mark means", "constructor"]);
});

test("caps are dashed rings of their angle, and are left out, with a word, where angles are not true", () => {
  const marks = [markOf("reach", "caps", "cap")];
  const values = {
    reach: {
      places: int16([
        [0, 0, 1],
        [0, 1, 0],
      ]),
      angle: Uint16Array.of(3000, 0),
      y: Uint16Array.of(0, 1),
    },
  };
  const run = declaring(marks, { values });
  const { counts, patches, ground } = sceneOf(run, { reach: true });
  assert.equal(counts.reach, 1);
  assert.ok(patches.length > 0);
  ground.forEach((line) => near(angleBetween(line.slice(0, 3), [0, 0, 1]), 30, 0.5));
  assert.ok(ground.every((line) => line[11] >= 0));
  assert.ok(words(run).includes("mark reach"));
  const projected = { marks, values: {}, header: { projection: { name: "pca" } }, info: { dim: 16 } };
  const flat = declaring(marks, projected);
  assert.equal(sceneOf(flat, { reach: true }).patches.length, 0);
  const sign = signsOf([flat], START).find(({ word }) => word === "mark reach, only at 3 dimensions");
  assert.ok(sign?.quiet);
});

test("vectors are arrows from the centres, the longest as long as a force's", () => {
  const header = {
    vectors: {
      winds: [
        [0, 3, 0],
        [0, 0, 1],
        [1, 1, 1],
      ],
    },
  };
  const run = declaring([markOf("winds", "vectors", "arrow")], { header });
  const { counts, lines } = sceneOf(run, { winds: true });
  assert.equal(counts.winds, 2, "the third class has no centre");
  const reach = lines.map((line) => (angleBetween([1, 0, 0], line.slice(3, 6)) * Math.PI) / 180).filter((a) => a < 1);
  near(Math.max(...reach), LONGEST);
  assert.deepEqual(lines[0].slice(6, 9), [1, 0, 0], "in the colour of the class");
  assert.equal(sceneOf(runWith(), { winds: true }).lines.length, 0);
});

test("each declared mark is one switch, with its title, its sentence and its start", () => {
  const run = declaring([markOf("stars", "points", "mist", { on: false }), markOf("caps", "caps", "cap")]);
  const keys = layersOf([run]).map(({ key }) => key);
  assert.deepEqual(keys.slice(keys.indexOf("labels"), keys.indexOf("forces") + 1), [
    "labels",
    "stars",
    "mark.caps",
    "forces",
  ]);
  assert.equal(new Set(keys).size, keys.length, "a mark that is called as a layer of the stage is another layer");
  const stars = layersOf([run]).find(({ key }) => key === "stars");
  assert.deepEqual([stars.title, stars.hint, stars.on], ["Mark stars", "What stars are.", false]);
  assert.equal(layersOf([run, run]).length, keys.length);
  assert.equal(layersOf([declaring([markOf("x", "cubes", "disc")])]).length, keys.length - 2, "no primitive of ours");
});

test("a link names marks by their keys, and the words of old links mean what they meant", () => {
  const marks = [
    markOf("views", "segments", "arc"),
    markOf("queue", "points", "mist", { on: false }),
    markOf("reach", "caps", "cap", { on: false }),
    markOf("means", "points", "plus"),
  ];
  const layers = layersOf([declaring(marks)]);
  const off = (chosen) => layers.filter((layer) => isOn(layer, chosen) !== layer.on).map(({ key }) => key);
  const old = readLink("?layers=-links,clouds,densities,-landmarks").layers;
  assert.deepEqual(off(old), ["views", "queue", "reach", "means"]);
  const link = linkOf("http://a/", ["a-1"], null, layers, {
    ...START,
    layers: old,
  });
  assert.deepEqual(off(readLink(new URL(link).search).layers), ["views", "queue", "reach", "means"]);
  assert.match(link, /layers=-views,queue,reach,-means$/);
  const gone = { ...START, layers: { stars: false } };
  assert.match(linkOf("http://a/", ["a-1"], null, layers, gone), /layers=-stars$/, "its run may come back");
});

test("a title stands in the legend as in a line of text", () => {
  assert.deepEqual(["Two views", "NCM", "élan", "X"].map(inLegend), ["two views", "NCM", "élan", "x"]);
});
