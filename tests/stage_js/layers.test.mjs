import assert from "node:assert/strict";
import { test } from "node:test";
import { classAt, formatReading, layBars, widen } from "../../app/stage/reading/bars.js";
import { strengthOfAge } from "../../app/stage/scene/clouds.js";
import { contrast, extraColours, luminance, parseHex, valueRamp } from "../../app/stage/scene/colours.js";
import { readFrame, readRun, splitMessage } from "../../app/stage/incoming/frames.js";
import {
  arrowEnd,
  describeForce,
  forceLook,
  forceOn,
  LONGEST,
  PARTS,
  partColour,
  trustIn,
  whatIfs,
} from "../../app/stage/scene/forces.js";
import { LAYERS, LAYER_NAMES } from "../../app/stage/choices/layers.js";
import { choosePairs, linkKind } from "../../app/stage/scene/links.js";
import { describeForces, describeTrust } from "../../app/stage/choices/options.js";
import {
  classesOf,
  classSizes,
  EXTRAS,
  pointBulks,
  pointFlags,
  pointSwatches,
  ringPieces,
  STEPS,
  topLoss,
} from "../../app/stage/scene/outfit.js";
import { formatCount } from "../../app/stage/common/numbers.js";
import { Run } from "../../app/stage/incoming/runs.js";
import { addScene } from "../../app/stage/scene/scene.js";
import { FLAG, NO_PIECE, SHAPE } from "../../app/stage/drawing/shaders.js";
import { SHEETS } from "../../app/stage/scene/strokes.js";
import { signsOf } from "../../app/stage/reading/signs.js";
import { barbs } from "../../app/stage/scene/strokes.js";
import { angleBetween, dot, length } from "../../app/stage/common/vectors.js";

const PAPER = parseHex("#fbfbf9"),
  NIGHT = parseHex("#0f1216");
const near = (a, b, eps = 1e-6) => assert.ok(Math.abs(a - b) < eps, `${a} is not ${b}`);
const int16 = (points) => Int16Array.from(points.flat(), (v) => Math.round(v * 32767));

/** A message as the server packs it: arrays one after another. */
function pack(header, arrays) {
  const described = { ...header, arrays: {} },
    parts = [];
  let size = 0;
  for (const [name, array] of Object.entries(arrays)) {
    const type = { Int16Array: "int16", Uint16Array: "uint16", Uint8Array: "uint8", Int32Array: "int32" }[
      array.constructor.name
    ];
    described.arrays[name] = [size, array.length, type];
    parts.push(new Uint8Array(array.buffer));
    size += array.byteLength;
  }
  let text = JSON.stringify(described);
  while ((4 + text.length) % 4) text += " ";
  const out = new Uint8Array(4 + text.length + size);
  new DataView(out.buffer).setUint32(0, text.length, true);
  out.set(new TextEncoder().encode(text), 4);
  let at = 4 + text.length;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out.buffer;
}

const XYZ = int16([
  [1, 0, 0],
  [0, 1, 0],
]);

/** A run of two samples and three classes whose frame holds what is given. */
function runWith({ header = {}, frame = {}, info = {} } = {}) {
  const run = new Run("a");
  run.info = {
    header: {
      method: "bcl",
      title: "BCL",
      num_classes: 3,
      dim: 3,
      class_names: ["x", "y", "z"],
      counts: [100, 10, 1],
      readings: [],
      ...info.header,
    },
    labels: Uint16Array.of(0, 2),
    split: Uint8Array.of(0, 1),
    ids: null,
    thumbs: null,
    labelSets: null,
    ...info.own,
  };
  run.colours = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  show(run, header, frame);
  return run;
}

function show(run, header, frame = {}) {
  run.receive({
    header: {
      run: "a",
      step: 1,
      seq: 1,
      n: 2,
      centres: [[1, 0, 0], [0, 1, 0], null],
      landmarks: {},
      target_index: null,
      metrics: {},
      projection: null,
      ...header,
    },
    xyz: XYZ,
    predictions: null,
    confidence: null,
    loss: null,
    links: new Map(),
    clouds: new Map(),
    ...frame,
  });
  run.accept(0, { tween: false, steady: true });
}

/** What a scene draws: items of each batch. */
function sceneOf(run, layers = {}, look = {}) {
  const sheets = {},
    off = Object.fromEntries(Object.keys(LAYERS).map((key) => [key, false]));
  for (const name of SHEETS) sheets[name] = { items: [], push: (...values) => sheets[name].items.push(values) };
  const tally = addScene(sheets, run, 1, {
    layers: { ...off, ...layers },
    colours: run.colours,
    ink: [0, 0, 0],
    page: [1, 1, 1],
    scale: 1,
    chosen: null,
    caps: null,
    ghost: null,
    mark: null,
    near: null,
    borders: null,
    trail: 24,
    key: "",
    ...look,
    forces: forceLook({ parts: new Set(), under: null, alike: false, ...look.forces }, run, look.beside ?? [run]),
  });
  return {
    tally,
    lines: sheets.lines.items,
    signs: sheets.signs.items,
    patches: sheets.patches.items,
    ground: sheets.ground.items,
    mists: sheets.mists.items,
  };
}

test("a frame's arrays are read where its header says", () => {
  const one = int16([[0, 0, 1]]);
  const buffer = pack(
    { run: "a", step: 3, n: 2, predictions: true },
    {
      xyz: XYZ,
      prediction: Uint16Array.of(2, 0),
      "links.views.a": one,
      "links.views.b": XYZ.slice(0, 3),
      "links.views.y": Uint16Array.of(2),
      "clouds.queue.points": one,
      "clouds.queue.y": Uint16Array.of(1),
      "clouds.queue.age": Uint16Array.of(40),
      loss: Uint16Array.of(4096, 65535),
      confidence: Uint8Array.of(0, 255),
    },
  );
  const { header, offset } = splitMessage(buffer),
    frame = readFrame(buffer, header, offset);
  assert.deepEqual([...frame.predictions], [2, 0]);
  assert.deepEqual([...frame.confidence], [0, 255]);
  assert.deepEqual([...frame.loss], [4096, 65535]);
  assert.deepEqual([...frame.links.keys()], ["views"]);
  assert.deepEqual([...frame.links.get("views").b], [32767, 0, 0]);
  assert.deepEqual([...frame.clouds.get("queue").age], [40]);
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
    { xyz: XYZ, "links.views.y": Uint16Array.of(1), "links.views.a": int16([[1, 0, 0]]) },
  );
  assert.throws(
    () => readFrame(halved, splitMessage(halved).header, splitMessage(halved).offset),
    /"links.views.b" .* has 0 items; it must have 3/,
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

test("points are coloured by what the frame says of them, and grey where it says nothing", () => {
  const run = runWith({
    frame: { predictions: Uint16Array.of(0, 65535), confidence: Uint8Array.of(0, 255), loss: Uint16Array.of(0, 65535) },
  });
  const base = 3,
    ramp = base + EXTRAS.length;
  assert.deepEqual([...pointSwatches(run, "ramp")], [0, 2]);
  assert.deepEqual([...pointSwatches(run, "split")], [base + 2, base + 3]);
  assert.deepEqual([...pointSwatches(run, "correct")], [base, base + EXTRAS.indexOf("unknown")]);
  assert.deepEqual([...pointSwatches(run, "confidence")], [ramp, ramp + STEPS - 1]);
  const kept = new Uint16Array(2);
  assert.equal(pointSwatches(run, "loss", kept), kept, "the array is written again, not made again");
  assert.deepEqual([...kept], [ramp, ramp + STEPS - 1]);
  run.frame.confidence = null;
  assert.deepEqual([...pointSwatches(run, "confidence")], Array(2).fill(base + EXTRAS.indexOf("unknown")));
  near(topLoss(run.info), Math.log(3));
  near(topLoss({ ...run.info, labelSets: new Uint8Array(2) }), Math.log(2));
});

test("training, test and validation samples are told apart and switched apart", () => {
  const run = runWith({ info: { own: { labels: Uint16Array.of(0, 1, 2), split: Uint8Array.of(0, 1, 2) } } });
  const all = { train: true, test: true, validation: true };
  assert.deepEqual([...pointFlags(run, all, null, null)], [0, FLAG.TEST, FLAG.VALIDATION]);
  assert.deepEqual(
    [...pointFlags(run, { ...all, validation: false }, null, null)].map((f) => f & FLAG.HIDDEN),
    [0, 0, FLAG.HIDDEN],
  );
  assert.deepEqual(
    [...pointFlags(run, all, new Set([1]), null)].map((f) => f & FLAG.DIMMED),
    [FLAG.DIMMED, 0, FLAG.DIMMED],
  );
});

test("points grow with rarity on a logarithmic scale, and not at all where that is off", () => {
  const [head, tenth, hundredth] = classSizes([1000, 100, 10], true);
  near(tenth - head, hundredth - tenth);
  assert.ok(hundredth > head);
  assert.deepEqual(classSizes([1000, 1], false), [1, 1]);
  assert.ok(classSizes([1e9, 0], true).every((size) => size * 128 < 256));
  assert.deepEqual([...pointBulks(runWith(), false)], [128, 128]);
});

test("rings hold the rarest classes of a sample, head first, and none where it has one", () => {
  const sets = Uint8Array.of(0b10010111, 0b1, 0b100, 0),
    info = { header: { num_classes: 9 }, own: { labelSets: sets } };
  assert.deepEqual(classesOf(sets, 2, 0, 9), [8, 7, 4, 2, 1, 0]);
  const pieces = ringPieces(runWith({ info }));
  assert.deepEqual([...pieces], [2, 4, 7, 8, NO_PIECE, NO_PIECE, NO_PIECE, NO_PIECE]);
  assert.equal(ringPieces(runWith()), null);
  assert.equal(
    ringPieces(runWith({ info: { header: { num_classes: 3 }, own: { labelSets: Uint8Array.of(1, 4) } } })),
    null,
  );
});

/** Linear light as eyes without one kind of cone see it (Machado, Oliveira and Fernandes 2009, severity 1). */
const BLIND = {
  none: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};
function labOf(rgb, m) {
  const lin = rgb.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  const seen = [0, 1, 2].map((r) =>
    Math.min(1, Math.max(0, m[3 * r] * lin[0] + m[3 * r + 1] * lin[1] + m[3 * r + 2] * lin[2])),
  );
  const [r, g, b] = seen,
    f = (t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505),
    y = f(0.2126 * r + 0.7152 * g + 0.0722 * b),
    z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
const apart = (a, b, m) => Math.hypot(...labOf(a, m).map((v, i) => v - labOf(b, m)[i]));

test("the colours of a force's parts are told apart by every eye, on paper and at night", () => {
  for (const page of [PAPER, NIGHT]) {
    const colours = PARTS.map(([part]) => partColour(part, page));
    for (const [eye, m] of Object.entries(BLIND))
      colours.forEach((a, i) =>
        colours
          .slice(i + 1)
          .forEach((b, j) =>
            assert.ok(apart(a, b, m) > 9, `${PARTS[i][0]} and ${PARTS[i + 1 + j][0]}, ${eye}: ${apart(a, b, m)}`),
          ),
      );
    colours.forEach((c) => assert.ok(contrast(c, page) >= 2.4));
  }
});

test("ramps of values only rise or only fall in lightness, and are seen from end to end", () => {
  for (const kind of ["confidence", "loss"])
    for (const [page, sign] of [
      [PAPER, -1],
      [NIGHT, 1],
    ]) {
      const ramp = valueRamp(kind, page, STEPS);
      for (let i = 1; i < STEPS; i++)
        assert.ok(sign * (luminance(ramp[i]) - luminance(ramp[i - 1])) > -1e-3, `${kind} at ${i}`);
      assert.ok(contrast(ramp[0], page) >= 1.9 && contrast(ramp[STEPS - 1], page) > 10);
      for (const m of Object.values(BLIND)) assert.ok(apart(ramp[0], ramp[STEPS - 1], m) > 45);
    }
  assert.equal(extraColours(PAPER).length, EXTRAS.length);
});

test("an arrow of force runs along the sphere, as long as it is strong; in a projection it is straight", () => {
  const end = arrowEnd([0, 0, 1], [0.5, 0, 7], 0.4, false);
  near(length(end), 1);
  near(angleBetween([0, 0, 1], end), (0.2 * 180) / Math.PI);
  assert.deepEqual(arrowEnd([0, 0, 0.5], [0, 0.5, 0], 0.4, true), [0, 0.2, 0.5]);
  assert.equal(arrowEnd([0, 0, 1], [0, 0, 3], 1, false), null, "a force along the radius moves nothing on the sphere");
  assert.equal(arrowEnd([0, 0, 0], [1, 0, 0], 1, false), null);
  const [p, q] = barbs([0, 0, 1], end);
  near(length(p), 1);
  near(dot(p, end), dot(q, end));
});

const FORCES = {
  bcl: {
    total: [[0, 2, 0], [0, 0, 1], null],
    positives: [[0, 1, 0], [0, 0, 0.5], null],
    head: [[0, 3, 0], null, null],
  },
  tsc: { total: [[0, 0, 4], null, null] },
};

test("forces are drawn from the centres that have any, with their parts and a what-if on choice", () => {
  const run = runWith({ header: { forces: FORCES } });
  assert.deepEqual(whatIfs(run), ["tsc"]);
  assert.equal(sceneOf(run, { forces: false }).tally.forces, 0);
  const { tally, lines } = sceneOf(run, { forces: true });
  assert.equal(tally.forces, 2);
  const tips = lines.map((line) => line.slice(3, 6)),
    reach = Math.max(...tips.map((p) => (angleBetween([1, 0, 0], p) * Math.PI) / 180).filter((a) => a < 1));
  near(reach, LONGEST, 1e-6);
  assert.equal(
    sceneOf(run, { forces: true }, { forces: { parts: new Set(["positives", "head", "prior"]), under: null } }).tally
      .forces,
    5,
  );
  const compared = sceneOf(run, { forces: true }, { forces: { parts: new Set(), under: "tsc" } });
  assert.equal(compared.tally.forces, 3);
  assert.ok(
    compared.lines.some((line) => line[12] >= 0),
    "the what-if is dashed",
  );
  assert.deepEqual(forceOn(run, 0), {
    total: 2,
    parts: [
      ["push of head", 3],
      ["pull of positives", 1],
    ],
    step: 1,
  });
  assert.match(describeForce(run, 0), /^Force 2.00 at step 1 \(push of head 3.00, pull of positives 1.00\)$/);
  assert.equal(describeForce(run, 2), "");
});

test("a what-if carries what its stand-ins were worth on the method's own run, and is not drawn below the limit", () => {
  const what_if = { least: 0.5, cosines: { tsc: 0.7, gml: 0.3 } };
  const run = runWith({
    info: { header: { what_if } },
    header: { forces: { ...FORCES, gml: FORCES.tsc, own: FORCES.tsc } },
  });
  const drawn = (under, beside = [run]) => sceneOf(run, { forces: true }, { forces: { under }, beside }).tally.forces;
  assert.deepEqual(trustIn(run, "tsc", [run]), { cosine: 0.7, step: null, least: 0.5 });
  assert.equal(drawn("tsc"), 3);
  assert.match(describeTrust([run], "tsc").badge, /^trust 0.70$/);
  assert.match(describeTrust([run], "tsc").hint, /Recorded by/);
  assert.equal(drawn("gml"), 2, "refused");
  assert.equal(describeTrust([run], "gml").badge, "trust 0.30. Not drawn where the cosine is below 0.50.");
  assert.equal(drawn("own"), 3, "a method that nobody has measured");
  assert.equal(describeTrust([run], "own").badge, "trust unknown");
  assert.deepEqual(describeTrust([run], null), { badge: "", hint: "" });
  const beside = runWith({
    info: { header: { method: "tsc" } },
    header: { step: 7, forces: { tsc: FORCES.tsc }, metrics: { what_if_cosine: 0.41, what_if_cosine_lent: 0.93 } },
  });
  assert.deepEqual(trustIn(run, "tsc", [run, beside]), { cosine: 0.41, step: 7, least: 0.5 });
  assert.equal(drawn("tsc", [run, beside]), 2, "what is measured beside wins over what was recorded");
  assert.match(describeTrust([run, beside], "tsc").hint, /Measured on its run beside, at step 7/);
  const lending = runWith({
    info: { header: { what_if } },
    header: { forces: FORCES, metrics: { what_if_cosine_lent: 0.9 } },
  });
  assert.equal(trustIn(lending, "tsc", [lending, beside]).cosine, 0.93);
  const elsewhere = runWith({
    info: { header: { method: "tsc", dim: 64 } },
    header: { forces: { tsc: FORCES.tsc }, metrics: { what_if_cosine: 0.41 } },
  });
  assert.equal(trustIn(run, "tsc", [run, elsewhere]).cosine, 0.7, "a run of another dimension says nothing");
});

test("arrows have a scale of their own panel, or one for all, and the legend says which", () => {
  const run = runWith({ header: { forces: FORCES } }),
    strong = runWith({ header: { forces: { bcl: { total: [[0, 8, 0], null, null] } } } });
  const look = (alike) => forceLook({ parts: new Set(), under: null, alike }, run, [run, strong]);
  assert.equal(look(false).longest, 2);
  assert.equal(look(true).longest, 8);
  const text = (alike) => signsOf([run], { ...LAYERS, forces: true }, alike).find((sign) => sign.word === "force").text;
  assert.match(text(false), /lengths compare within a panel only/);
  assert.match(text(true), /lengths compare between panels/);
});

test("forces of an earlier step stay, fainter, and their step is told", () => {
  const run = runWith({ header: { forces: FORCES } }),
    strong = sceneOf(run, { forces: true }).lines[0][9];
  assert.equal(describeForces([run]), "Computed at step 1.");
  assert.match(
    describeForces(
      [run],
      Object.keys(FORCES).find((name) => name !== run.info.header.method),
    ),
    /stand in for the other method's own/,
  );
  assert.equal(describeForces([run], "never_measured"), "Computed at step 1.");
  show(run, { step: 5 });
  assert.ok(sceneOf(run, { forces: true }).lines[0][9] < strong);
  assert.equal(describeForces([run]), "Last computed at step 1; drawn fainter since.");
  show(run, { step: 6, forces: FORCES });
  show(run, { step: 11 });
  assert.equal(sceneOf(run, { forces: true }).lines[0][9], strong, "the next ones are due at the same distance");
  assert.equal(describeForces([run]), "Last computed at step 6.");
  show(run, { step: 14 });
  assert.ok(sceneOf(run, { forces: true }).lines[0][9] < strong);
  show(run, { step: 0 });
  assert.equal(sceneOf(run, { forces: true }).tally.forces, 0);
  assert.match(describeForces([run]), /recording was off/);
});

test("links are arcs with ends, in the colour of their class; a boundary has a direction and no ends", () => {
  const links = (name) => new Map([[name, { a: int16([[1, 0, 0]]), b: int16([[0, 1, 0]]), y: Uint16Array.of(2) }]]);
  const views = sceneOf(runWith({ frame: { links: links("views") } }), { links: true });
  assert.equal(views.tally.links, 1);
  assert.equal(views.signs.length, 2);
  assert.deepEqual(views.signs[0].slice(3, 6), [0, 0, 1]);
  views.lines.forEach((line) => near(length(line.slice(0, 3)), 1, 1e-3));
  const shifted = sceneOf(runWith({ frame: { links: links("boundary") } }), { links: true });
  assert.equal(shifted.signs.length, 0);
  assert.equal(shifted.lines.length, views.lines.length + 2, "two barbs");
  assert.equal(sceneOf(runWith({ frame: { links: links("captions") } }), { links: true }).signs[1][8], SHAPE.SQUARE);
  assert.equal(linkKind("never_heard_of").word, "never heard of");
});

test("few links of each class are drawn, and all of a class in focus", () => {
  const y = Uint16Array.from({ length: 60 }, (_, i) => i % 10);
  const shown = choosePairs(y, null);
  assert.equal(shown.length, 20);
  for (let c = 0; c < 10; c++) assert.equal(shown.filter((i) => y[i] === c).length, 2);
  assert.deepEqual(choosePairs(y, new Set([3])), [3, 13, 23, 33, 43, 53]);
  assert.equal(
    choosePairs(
      Uint16Array.from({ length: 60 }, (_, i) => i),
      null,
    ).length,
    60,
    "one of each class, however many",
  );
});

test("links move with the frames, from where the eye saw them", () => {
  const at = (p) => ({ links: new Map([["views", { a: int16([p]), b: int16([[0, 0, 1]]), y: Uint16Array.of(0) }]]) });
  const run = runWith({ frame: at([1, 0, 0]) });
  run.receive({ ...run.frame, header: { ...run.frame.header, step: 2 }, ...at([0, 1, 0]) });
  run.accept(1000, { tween: true, steady: true });
  const half = [...run.linksAt("views", 0.5).a].map((v) => v / 32767);
  near(half[0], Math.SQRT1_2, 1e-3);
  near(half[1], Math.SQRT1_2, 1e-3);
  assert.deepEqual([...run.linksAt("views", 1).a], [0, 32767, 0]);
});

test("a memory fades with age", () => {
  const clouds = new Map([["queue", { points: XYZ, y: Uint16Array.of(0, 65535), age: Uint16Array.of(0, 50) }]]);
  const { mists, tally } = sceneOf(runWith({ frame: { clouds } }), { clouds: true });
  assert.equal(tally.clouds, 2);
  assert.ok(mists[0][6] > 2 * mists[1][6] && mists[1][6] > 0);
  assert.deepEqual(mists[1].slice(3, 6), [0, 0, 0], "a point of no class has the colour of ink");
  assert.equal(strengthOfAge(0, 0), strengthOfAge(0, 9));
});

test("landmarks that nobody foresaw are drawn, and caps around them only where angles are true", () => {
  const header = { landmarks: { means: [[0, 0, 1], [0, 1, 0], null] }, readings: { means_cap: [30, null, 20] } };
  const run = runWith({ header }),
    { signs, patches, ground } = sceneOf(run, { landmarks: true, densities: true });
  assert.equal(signs.length, 2);
  assert.equal(signs[0][8], SHAPE.PLUS);
  assert.ok(
    patches.length > 0 && ground.every((line) => Math.abs(angleBetween(line.slice(0, 3), [0, 0, 1]) - 30) < 0.5),
  );
  const words = (r) => signsOf([r], { ...LAYERS, densities: true }).map((s) => s.word);
  assert.ok(words(run).includes("density") && words(run).includes("means"));
  const flat = runWith({ header: { ...header, projection: { name: "pca" } }, info: { header: { dim: 16 } } });
  assert.equal(sceneOf(flat, { densities: true }).patches.length, 0);
  assert.ok(words(flat).includes("density, only at 3 dimensions"));
});

test("trails are those of the classes in focus, no longer than asked", () => {
  const run = runWith();
  for (let step = 2; step < 12; step++) show(run, { step });
  assert.equal(sceneOf(run, { trails: true }).lines.length, 20);
  assert.equal(sceneOf(run, { trails: true }, { trail: 4 }).lines.length, 8);
  assert.equal(sceneOf(run, { trails: true }, { trail: 4, chosen: new Set([1]) }).lines.length, 4);
});

test("readings are bars on a scale that only grows; what is not known has none", () => {
  const range = widen([null, 4, -2]);
  assert.deepEqual(range, { low: -2, high: 4 });
  assert.deepEqual(widen([1], range), range);
  const bars = layBars([4, null, -2, 0], range, { w: 40, h: 12 });
  assert.deepEqual(
    bars.map(({ c }) => c),
    [0, 2, 3],
  );
  assert.deepEqual([bars[0].y, bars[0].h, bars[1].y, bars[1].h, bars[2].h], [0, 8, 8, 4, 1]);
  const many = layBars(
    Array.from({ length: 1000 }, (_, c) => c),
    { low: 0, high: 999 },
    { w: 100, h: 20 },
  );
  assert.equal(many.length, 100);
  assert.equal(many[99].c, 999, "the tallest of those that share a pixel");
  assert.equal(classAt(0.999, 10), 9);
  assert.equal(classAt(1, 10), 9);
});

test("readings carry their unit and few digits", () => {
  assert.equal(formatReading(1024, "keys"), `${formatCount(1024)} keys`);
  assert.equal(formatReading(-7.66, "°"), "−7.7°");
  assert.equal(formatReading(0.07123, ""), "0.071");
  assert.equal(formatReading(null, "keys"), "not known yet");
});

test("every layer has a name in the menu", () => {
  assert.deepEqual(LAYER_NAMES.map(([key]) => key).sort(), Object.keys(LAYERS).sort());
});

test("what fills, divides or surrounds lies under the points", () => {
  const run = runWith({}),
    half = [
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
    ];
  const { ground, lines, patches, mists, signs } = sceneOf(
    run,
    { caps: true, territory: true, ghost: true },
    {
      caps: { angles: [0.3, 0.3, 0], fills: [0.12, 0.12, 0] },
      borders: half,
      ghost: [[1, 0, 0], [0, 0, 1], null],
    },
  );
  assert.ok(patches.length > 0 && ground.length > 2 * 28);
  assert.equal(lines.length, 0, "nothing but the ideal places themselves stands over a point");
  assert.deepEqual([mists.length, signs.length], [0, 2]);
});
