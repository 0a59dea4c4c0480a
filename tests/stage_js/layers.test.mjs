import assert from "node:assert/strict";
import { test } from "node:test";
import { classAt, formatReading, layBars, widen } from "../../app/stage/reading/bars.js";
import { contrast, extraColours, luminance, parseHex, valueRamp } from "../../app/stage/common/colours.js";
import {
  arrowEnd,
  describeForce,
  forceOn,
  LONGEST,
  PARTS,
  partColour,
  trustIn,
  whatIfs,
} from "../../app/stage/scene/forces.js";
import { describeForces, describeTrust } from "../../app/stage/choices/options.js";
import {
  classesOf,
  classSizes,
  EXTRAS,
  FLAG,
  NO_PIECE,
  pointSizes,
  pointFlags,
  pointColours,
  ringPieces,
  STEPS,
  topLoss,
} from "../../app/stage/scene/attributes.js";
import { formatCount } from "../../app/stage/common/numbers.js";
import { Choices, START } from "../../app/stage/scene/choices.js";
import { Picture } from "../../app/stage/drawing/picture.js";
import { SceneRecords } from "../../app/stage/drawing/records.js";
import { caps } from "../../app/stage/layers/caps.js";
import { signsOf } from "../../app/stage/layers/list.js";
import { describeClass } from "../../app/stage/reading/sample.js";
import { forcesOf, int16, runWith, sceneOf, show } from "./made.mjs";
import { barbs, SHEETS } from "../../app/stage/scene/strokes.js";
import { angleBetween, dot, length } from "../../app/stage/common/vectors.js";

const PAPER = parseHex("#fbfbf9"),
  NIGHT = parseHex("#0f1216");
const near = (a, b, eps = 1e-6) => assert.ok(Math.abs(a - b) < eps, `${a} is not ${b}`);

test("points are coloured by what the frame says of them, and grey where it says nothing", () => {
  const run = runWith({
    frame: { predictions: Uint16Array.of(0, 65535), confidence: Uint8Array.of(0, 255), loss: Uint16Array.of(0, 65535) },
  });
  const base = 3,
    ramp = base + EXTRAS.length;
  assert.deepEqual([...pointColours(run, "ramp")], [0, 2]);
  assert.deepEqual([...pointColours(run, "split")], [base + 2, base + 3]);
  assert.deepEqual([...pointColours(run, "correct")], [base, base + EXTRAS.indexOf("unknown")]);
  assert.deepEqual([...pointColours(run, "confidence")], [ramp, ramp + STEPS - 1]);
  const kept = new Uint16Array(2);
  assert.equal(pointColours(run, "loss", kept), kept, "the array is written again, not made again");
  assert.deepEqual([...kept], [ramp, ramp + STEPS - 1]);
  run.frame.confidence = null;
  assert.deepEqual([...pointColours(run, "confidence")], Array(2).fill(base + EXTRAS.indexOf("unknown")));
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
  assert.deepEqual([...pointSizes(runWith(), false)], [128, 128]);
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
    const colours = PARTS.map((part) => partColour(part, page));
    for (const [eye, m] of Object.entries(BLIND))
      colours.forEach((a, i) =>
        colours
          .slice(i + 1)
          .forEach((b, j) =>
            assert.ok(apart(a, b, m) > 9, `${PARTS[i]} and ${PARTS[i + 1 + j]}, ${eye}: ${apart(a, b, m)}`),
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
  assert.equal(sceneOf(run, { forces: false }).counts.forces, 0);
  const { counts, lines } = sceneOf(run, { forces: true });
  assert.equal(counts.forces, 2);
  const tips = lines.map((line) => line.slice(3, 6)),
    reach = Math.max(...tips.map((p) => (angleBetween([1, 0, 0], p) * Math.PI) / 180).filter((a) => a < 1));
  near(reach, LONGEST, 1e-6);
  assert.equal(
    sceneOf(run, { forces: true }, { forces: { parts: new Set(["positives", "head", "prior"]), under: null } }).counts
      .forces,
    5,
  );
  const compared = sceneOf(run, { forces: true }, { forces: { parts: new Set(), under: "tsc" } });
  assert.equal(compared.counts.forces, 3);
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

const WHAT_IF = { least: 0.5, cosines: { tsc: 0.7, gml: 0.3 } };
const OWN_RUN = { header: { method: "tsc" } };
const withWhatIfs = (header = {}) => runWith({ info: { header: { what_if: WHAT_IF } }, header });

test("a what-if carries what its stand-ins were worth, and is not drawn below the limit", () => {
  const run = withWhatIfs({ forces: { ...FORCES, gml: FORCES.tsc, constructor: FORCES.tsc } });
  const drawn = (under) => sceneOf(run, { forces: true }, { forces: { under } }).counts.forces;
  assert.deepEqual(trustIn(run, "tsc", [run]), { cosine: 0.7, step: null, least: 0.5 });
  assert.equal(drawn("tsc"), 3);
  assert.equal(describeTrust([run], "tsc").badge, "trust 0.70");
  assert.match(describeTrust([run], "tsc").hint, /Recorded by/);
  assert.equal(drawn("gml"), 2, "refused");
  assert.equal(describeTrust([run], "gml").badge, "trust 0.30. Not drawn where the cosine is below 0.50.");
  assert.equal(describeForces([run], "gml"), "Computed at step 1.", "nothing is dashed");
  assert.equal(drawn("constructor"), 3, "a method that nobody has measured");
  assert.equal(describeTrust([run], "constructor").badge, "trust unknown");
  assert.match(describeTrust([run], "constructor").hint, /Nobody has measured/);
  assert.deepEqual(describeTrust([run], null), { badge: "", hint: "" });
  assert.deepEqual(describeTrust([run], "moco"), { badge: "", hint: "" }, "no run has this one");
});

test("what was measured on the method's own run beside wins over what was recorded", () => {
  const run = withWhatIfs({ forces: FORCES });
  const measured = {
    step: 7,
    forces: { tsc: FORCES.tsc },
    metrics: { what_if_cosine: 0.41, what_if_cosine_lent: 0.93 },
  };
  const beside = runWith({ info: OWN_RUN, header: measured });
  assert.deepEqual(trustIn(run, "tsc", [run, beside]), { cosine: 0.41, step: 7, least: 0.5 });
  const { counts } = sceneOf(run, { forces: true }, { forces: { under: "tsc" }, beside: [run, beside] });
  assert.equal(counts.forces, 2);
  assert.match(describeTrust([run, beside], "tsc").hint, /Measured on its run beside, at step 7/);
  const lending = withWhatIfs({ forces: FORCES, metrics: { what_if_cosine_lent: 0.9 } });
  assert.equal(trustIn(lending, "tsc", [lending, beside]).cosine, 0.93, "it lends class directions");
  assert.match(describeTrust([run, lending, beside], "tsc").badge, /^trust 0.41 to 0.93. Not drawn/);
  const elsewhere = runWith({ info: { header: { method: "tsc", dim: 64 } }, header: measured });
  assert.equal(trustIn(run, "tsc", [run, elsewhere]).cosine, 0.7, "a run of another dimension says nothing");
  show(beside, { step: 9, metrics: { what_if_cosine: 0.99 } });
  assert.equal(trustIn(run, "tsc", [run, beside]).cosine, 0.41, "a frame without forces measured none");
});

test("arrows have a scale of their own panel, or one for all, and the legend says which", () => {
  const run = runWith({ header: { forces: FORCES } });
  const strong = runWith({ header: { forces: { bcl: { total: [[0, 8, 0], null, null] }, gml: FORCES.tsc } } });
  assert.equal(forcesOf({ alike: false }, run, [run, strong]).longest, 2);
  assert.equal(forcesOf({ alike: true }, run, [run, strong]).longest, 8);
  assert.equal(forcesOf({ under: "tsc" }, run, [run, strong]).longest, 4, "the what-if's counts too");
  const refused = withWhatIfs({ forces: { ...FORCES, gml: { total: [[9, 0, 0], null, null] } } });
  assert.equal(forcesOf({ under: "gml", alike: true }, run, [run, refused]).longest, 2, "but not one that is refused");
  const chosen = (alike) => ({ ...START, layers: { forces: true }, forces: { ...START.forces, alike } });
  const text = (alike) => signsOf([run], chosen(alike)).find(({ word }) => word === "force").text;
  assert.match(text(false), /lengths compare within a panel only/);
  assert.match(text(true), /lengths compare between panels/);
});

/** A batch as the card's, without a card. */
class Batch {
  data = [];
  get used() {
    return this.data.length;
  }
  push(...values) {
    this.data.push(...values);
  }
  append(values) {
    this.data.push(...values);
  }
}

test("what a panel was drawn with is drawn anew where another panel's frame changes its arrows, and only there", () => {
  const run = withWhatIfs({ forces: FORCES });
  const beside = runWith({ info: OWN_RUN, header: { forces: { tsc: FORCES.tsc }, metrics: { what_if_cosine: 0.9 } } });
  const records = new SceneRecords();
  const theme = { ink: [0, 0, 0], page: [1, 1, 1] };
  const choices = new Choices({ theme, layers: { forces: true } });
  const picture = { choices, shown: [run, beside], on: {} };
  const draw = (choice) => {
    choices.set({ forces: { ...START.forces, ...choice } });
    const batches = Object.fromEntries(SHEETS.map((name) => [name, new Batch()]));
    const asked = Picture.prototype.askedOf.call(picture, run, { sphere: { w: 300, h: 300 } });
    const counts = records.add(batches, run, 1, asked, choices.version());
    return { counts, lines: batches.lines.data };
  };
  const next = (step, size, what_if_cosine) =>
    show(beside, { step, forces: { tsc: { total: [[0, size, 0], null, null] } }, metrics: { what_if_cosine } });
  const first = draw({ under: "tsc" });
  next(2, 50, 0.9);
  assert.equal(draw({ under: "tsc" }).counts, first.counts, "each has its own scale: nothing has changed here");
  next(3, 50, 0.2);
  assert.equal(draw({ under: "tsc" }).counts.forces, first.counts.forces - 1, "refused since");
  const long = draw({ alike: true });
  next(4, 500, 0.2);
  assert.notDeepEqual(draw({ alike: true }).lines, long.lines, "shorter since");
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
  assert.equal(sceneOf(run, { forces: true }).counts.forces, 0);
  assert.match(describeForces([run]), /recording was off/);
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

test("what fills, divides or surrounds lies under the points", () => {
  const header = { centres: [[1, 0, 0], [0, 1, 0], null] };
  const own = { labels: Uint16Array.of(0, 0, 1, 1), split: new Uint8Array(4) };
  const run = runWith({ header, info: { own } });
  show(
    run,
    { ...header, n: 4 },
    {
      xyz: int16([
        [1, 0.1, 0],
        [1, -0.1, 0],
        [0, 1, 0.1],
        [0, 1, -0.1],
      ]),
    },
  );
  const { ground, lines, patches, mists, signs } = sceneOf(run, { caps: true, territory: true, ghost: true });
  assert.ok(patches.length > 0 && ground.length > 2 * 28);
  assert.equal(lines.length, 0, "nothing but the ideal places themselves stands over a point");
  assert.deepEqual([mists.length, signs.length], [0, 2]);
});

test("what is dear is computed once a frame", () => {
  const run = runWith();
  const [first, again] = [0, 1].map(() => sceneOf(run, { ghost: true }).signs);
  assert.deepEqual(first, again);
  let asked = 0;
  const centres = run.frame.header.centres;
  Object.defineProperty(run.frame.header, "centres", { get: () => (asked++, centres) });
  sceneOf(run, { ghost: true });
  assert.equal(asked, 1, "for the centres that are drawn, and not once more for the ideal places");
});

test("caps and what the legend says of them are of training samples, where a run tells them apart", () => {
  const own = { labels: Uint16Array.of(0, 0, 0, 0, 1, 1), split: Uint8Array.of(0, 0, 1, 2, 1, 1) };
  const xyz = int16([
    [0, 0, 1],
    [0, 0, 1],
    [1, 0, 0],
    [0, 1, 0],
    [0, 1, 0],
    [0, 1, 0],
  ]);
  const header = { centres: [[0, 0, 1], [0, 1, 0], null] };
  const run = runWith({ info: { own }, frame: { xyz }, header });
  assert.deepEqual([...run.measured], [1, 1, 0, 0, 1, 1], "a class without training samples keeps its own");
  assert.ok(caps.prepare(run).angles[0] < 0.01);
  const mixed = runWith({ info: { own: { ...own, split: new Uint8Array(6) } }, frame: { xyz }, header });
  assert.equal(mixed.measured, null);
  assert.ok(caps.prepare(mixed).angles[0] > 1.5);
  const on = { ...START, layers: { caps: true, territory: true } };
  const texts = (runs) => signsOf(runs, on).flatMap(({ word, text }) => (/centre|95|terr/.test(word) ? [text] : []));
  assert.equal(texts([run]).length, 3);
  for (const text of texts([run])) assert.match(text, / training samples\.$/);
  for (const text of texts([mixed])) assert.match(text, /nothing tells training and test samples apart/);
  for (const text of texts([run, mixed])) assert.match(text, /or of all samples where a run does not/);
  assert.ok(describeClass(run, 0).includes("Centre, territory and cap are of its training samples"));
  assert.ok(!describeClass(mixed, 0).some((line) => /training samples$/.test(line) && /Centre,/.test(line)));
});
