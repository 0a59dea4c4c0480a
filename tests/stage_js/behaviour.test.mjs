import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf } from "../../app/stage/common/address.js";
import { HOME } from "../../app/stage/scene/camera.js";
import { Cameras } from "../../app/stage/scene/cameras.js";
import { describePoint, countNames } from "../../app/stage/reading/sample.js";
import { toolOf } from "../../app/stage/choices/gestures.js";
import { filledShare } from "../../app/stage/reading/honesty.js";
import { groupEvents, eventKind } from "../../app/stage/choices/events.js";
import { formatBeside, Moments, MOST_PANELS, parseBeside } from "../../app/stage/incoming/moments.js";
import { neighboursOf } from "../../app/stage/scene/neighbours.js";
import { Choices } from "../../app/stage/scene/choices.js";
import { formatProjection, parseProjection, titleOf } from "../../app/stage/common/projections.js";
import { Run } from "../../app/stage/incoming/runs.js";
import { interpret, offered } from "../../app/stage/choices/search.js";
import { selectionMetrics, tellSelections } from "../../app/stage/choices/selection.js";
import { beyond } from "../../app/stage/incoming/steps.js";

globalThis.matchMedia = () => ({ matches: false });
const near = (a, b, eps = 1e-6) => assert.ok(Math.abs(a - b) < eps, `${a} is not ${b}`);

/** A run of two classes whose only frame holds these unit vectors. */
function runWith(points, { id = "a", labels = points.map(() => 0), step = 1, frame = {}, header = {} } = {}) {
  const run = new Run(id);
  run.setInfo({
    header: { class_names: ["cat", "dog"], counts: [90, 3], num_classes: 2, dim: 3 },
    labels: Uint16Array.from(labels),
    split: new Uint8Array(points.length),
    ids: Int32Array.from(points, (_, i) => 100 + i),
    thumbs: null,
    labelSets: null,
    attributes: [],
  });
  run.receive({
    header: {
      run: id,
      step,
      seq: 1,
      n: points.length,
      centres: [
        [0, 0, 1],
        [1, 0, 0],
      ],
      landmarks: {},
      target_index: null,
      projection: null,
      ...header,
    },
    xyz: Int16Array.from(points.flat(), (v) => Math.round(v * 32767)),
    predictions: null,
    confidence: null,
    loss: null,
    marks: new Map(),
    clouds: new Map(),
    ...frame,
  });
  run.accept(0, { tween: false, steady: true });
  return run;
}

test("one camera for all until each is free; back together all go where the touched one is", () => {
  let kept = null;
  const choices = new Choices();
  const cameras = new Cameras(choices);
  cameras.panels = ["a", "b"];
  cameras.nudge(0.5, 0);
  assert.equal(cameras.of("a").pose.yaw, HOME.yaw + 0.5);
  assert.equal(cameras.of("a"), cameras.of("b"));
  cameras.setFree(true);
  assert.equal(cameras.of("b").pose.yaw, HOME.yaw + 0.5, "nothing jumps when they part");
  choices.set({ touched: "b" });
  cameras.nudge(0, 0, 2);
  assert.equal(cameras.of("a").pose.distance, HOME.distance);
  assert.equal(cameras.of("b").pose.distance, 2 * HOME.distance);
  const { pose, free, poses } = choices.now;
  assert.equal(free, true);
  const again = new Cameras(new Choices({ pose, free, poses }));
  again.panels = ["a", "b"];
  assert.equal(again.of("b").pose.distance, 2 * HOME.distance, "a reload brings each back");
  cameras.setFree(false);
  assert.equal(cameras.of("a").pose.distance, 2 * HOME.distance);
});

test("keys mean the panel last touched, and the first where that one is gone", () => {
  const choices = new Choices({ free: true });
  const cameras = new Cameras(choices);
  cameras.panels = ["a", "b"];
  assert.equal(cameras.focus, "a");
  choices.set({ touched: "b" });
  assert.equal(cameras.focus, "b");
  cameras.panels = ["a"];
  assert.equal(cameras.focus, "a");
});

test("a slow turn lets a flight finish", () => {
  const cameras = new Cameras(new Choices({ spinning: true }));
  cameras.shared.moveTo({ yaw: 1 }, 0, 300);
  cameras.step(150, 16);
  assert.ok(cameras.shared.move, "the turn does not break it off");
  cameras.step(300, 16);
  near(cameras.shared.pose.yaw, 1, 0.01);
  cameras.step(316, 16);
  assert.ok(cameras.shared.pose.yaw > 1.004 && cameras.moving);
});

test("moments in an address: every run at a step, or one run; nothing of strangers, nothing twice", () => {
  const live = ["ce-1", "bcl-1"];
  assert.deepEqual(parseBeside("120", live), [
    { run: "ce-1", step: 120 },
    { run: "bcl-1", step: 120 },
  ]);
  assert.deepEqual(
    parseBeside("bcl-1@60,120,bcl-1@120,evil@3,../x@1,-4,1e3", live).map(({ run, step }) => `${run}@${step}`),
    ["bcl-1@60", "ce-1@120", "bcl-1@120"],
  );
  for (const text of ["120", "bcl-1@60", "60,bcl-1@120", ""])
    assert.equal(formatBeside(parseBeside(text, live), live), text);
  assert.deepEqual(parseBeside(null, live), []);
});

test("a kept moment stays as it was while its run goes on, and twelve panels are enough", () => {
  const live = runWith([[0, 0, 1]], { step: 120 }),
    dropped = [];
  const moments = new Moments(
    () => "",
    { changed: () => {}, dropped: (moment) => dropped.push(moment.id), refused: assert.fail },
    assert.fail,
  );
  assert.equal(moments.keep([live], 1), true);
  assert.equal(moments.keep([live], 1), true);
  const [moment, ...more] = moments.kept.values();
  assert.equal(more.length, 0, "the same moment is kept once");
  moment.accept(0, { tween: false, steady: true });
  live.receive({ ...live.frame, header: { ...live.frame.header, step: 125 } });
  live.accept(1, { tween: false, steady: true });
  assert.equal(moment.step, 120);
  assert.equal(moments.keep([live], MOST_PANELS - 1), false);
  assert.deepEqual(moments.wishes, [{ run: "a", step: 120 }]);
  moments.prune([]);
  assert.deepEqual(dropped, ["a@120"]);
});

test("moments of an address are fetched a socket a step, and wait for a projection still being computed", () => {
  const sockets = [],
    closed = [];
  const moments = new Moments(
    (runs, step) => `${runs}/${step}`,
    { changed: () => {}, dropped: () => {}, refused: assert.fail },
    (options) => {
      const socket = { ...options, open() {}, close: () => closed.push(socket.asked), asked: options.address() };
      sockets.push(socket);
      return socket;
    },
  );
  assert.equal(
    moments.ask(
      [
        { run: "a", step: 60 },
        { run: "b", step: 60 },
        { run: "a", step: 90 },
      ],
      2,
    ),
    true,
  );
  assert.deepEqual(
    sockets.map(({ asked }) => asked),
    ["a,b/60", "a/90"],
  );
  const say = (header, bytes = 2) =>
    sockets[1].onMessage({ run: "a", n: 0, arrays: {}, ...header }, new ArrayBuffer(bytes), 0);
  say({ step: 90, seq: 1 });
  assert.equal(moments.kept.get("a@90").pending, null, "a frame says nothing before its run is known");
  say({ type: "run", arrays: { labels: [0, 0, "uint16"] } });
  say({ step: 85, seq: 2, projection: { name: "centres", pending: "umap" } });
  assert.deepEqual(closed, []);
  say({ step: 85, seq: 3, projection: { name: "umap", pending: null } });
  assert.deepEqual(
    closed,
    ["/90"].map(() => "a/90"),
  );
  assert.equal(moments.kept.get("a@90").pending.header.step, 85);
  assert.equal(
    moments.ask(
      Array.from({ length: 20 }, (_, i) => ({ run: "a", step: 200 + i })),
      2,
    ),
    false,
  );
  assert.equal(moments.kept.size + 2, MOST_PANELS);
});

test("the address holds step, moments and projection, and leaves the rest", () => {
  const place = { step: 40, beside: "bcl-1@60,120", projection: "simplex:0-3-8-9" };
  assert.equal(
    addressOf("http://a/?runs=b%2Cc&hz=5", place),
    "http://a/?runs=b,c&hz=5&step=40&beside=bcl-1@60,120&projection=simplex:0-3-8-9",
  );
  assert.equal(
    addressOf("http://a/x?step=40&runs=b&beside=3&projection=pca", { step: null, beside: "", projection: null }),
    "http://a/x?runs=b",
  );
});

test("a search means a class before a sample, unless it says #", () => {
  const names = ["0", "1", "cat", "Catalpa"];
  assert.deepEqual(interpret("1", names), { kind: "class", rank: 1 });
  assert.deepEqual(interpret("#1", names), { kind: "sample", id: 1 });
  assert.deepEqual(interpret(" 123 ", names), { kind: "sample", id: 123 });
  assert.deepEqual(interpret("CAT", names), { kind: "class", rank: 2 });
  assert.deepEqual(interpret("cata", names), { kind: "class", rank: 3 });
  assert.deepEqual(interpret("ca", names), { kind: "unknown", text: "ca" });
  assert.deepEqual(interpret("  ", names), { kind: "nothing" });
});

test("a projection's name carries its classes, as many as it takes", () => {
  const simplex = { name: "simplex", title: "Four classes", short: "", classes: 4 },
    pca = { name: "pca", title: "All points", short: "" };
  assert.deepEqual(parseProjection("simplex:0-3-8-9"), { base: "simplex", classes: [0, 3, 8, 9] });
  assert.deepEqual(parseProjection("simplex:0-x"), { base: "simplex", classes: [] });
  assert.equal(formatProjection(simplex, [9, 3, 0, 10]), "simplex:0-3-9-10");
  assert.equal(formatProjection(simplex, [9, 3]), "simplex");
  assert.equal(formatProjection(pca, [0, 1, 2, 3]), "pca");
  assert.equal(formatProjection({ ...simplex, name: "plane", classes: 2 }, [9, 3]), "plane:3-9");
  assert.equal(titleOf("simplex:0-1-2-3", [simplex]), "Four classes");
});

test("a gauge is full at its best and never beyond; jitter has no scale", () => {
  assert.equal(filledShare("trustworthiness", 1.2), 1);
  assert.equal(filledShare("kept_angle_order", -0.4), 0);
  assert.equal(filledShare("jitter", 0.3), null);
});

test("keys win over the tool chosen", () => {
  assert.equal(toolOf({ shiftKey: true, altKey: true }, "turn"), "box");
  assert.equal(toolOf({ shiftKey: true, altKey: false }, "box"), "lasso");
  assert.equal(toolOf({ shiftKey: false, altKey: false }, "box"), "box");
});

test("marks of several runs at one step are one, in order, and can be walked", () => {
  const runs = [
    {
      title: "A",
      events: [
        [9, "setting", "x"],
        [4, "alarm", "y"],
      ],
    },
    {
      title: "B",
      events: [
        [9, "setting", "z"],
        [9, "swap", ""],
      ],
    },
  ];
  const marks = groupEvents(runs, [{ run: "a", step: 6 }]);
  assert.deepEqual(
    marks.map(({ step, kind }) => `${step} ${kind}`),
    ["4 alarm", "6 kept", "9 setting", "9 swap"],
  );
  assert.deepEqual(marks[2].lines, ["Step 9: setting changed", "A: x", "B: z"]);
  assert.equal(eventKind("pause"), "note");
  assert.equal(eventKind("toString"), "note");
  const steps = marks.map(({ step }) => step);
  assert.deepEqual(
    [beyond(steps, 4, 1), beyond(steps, 9, 1), beyond(steps, 9, -1), beyond(steps, 1, -1)],
    [6, null, 6, null],
  );
});

test("a card says what the method thinks, how sure it is, what it costs, and where the sample stands", () => {
  const frame = {
    predictions: Uint16Array.from([1]),
    confidence: Uint8Array.from([204]),
    loss: Uint16Array.from([8192]),
  };
  const text = describePoint(runWith([[1, 0, 0]], { frame }), 0);
  assert.deepEqual(text, [
    "cat",
    "90 training samples, rank 1 of 2",
    "Training sample 100",
    "Taken for dog, 80 % sure, loss 2.00",
    "90° from the centre of its class",
  ]);
  const projected = describePoint(
    runWith([[1, 0, 0]], {
      frame: { ...frame, predictions: Uint16Array.from([65535]) },
      header: { projection: { name: "pca" }, landmarks: { targets: [[1, 0, 0]] }, target_index: [0, 1] },
    }),
    0,
  );
  assert.deepEqual(projected.slice(3), [
    "90° from the centre of its class, 0° from its target",
    "These are angles in the picture, not in the embedding.",
  ]);
  assert.match(
    describePoint(runWith([[1, 0, 0]], { frame: { ...frame, loss: Uint16Array.from([65535]) } }), 0)[3],
    /loss above 16/,
  );
  assert.equal(countNames(["b", "a", "b"]), "2 × b, 1 × a");
});

test("neighbours are looked for once a frame", () => {
  const run = runWith([
      [0, 0, 1],
      [0, 0.1, 0.99],
      [1, 0, 0],
    ]),
    first = neighboursOf(run, 0);
  assert.deepEqual(first, [1, 2]);
  assert.equal(neighboursOf(run, 0), first);
  run.receive({ ...run.frame, xyz: Int16Array.from([0, 0, 9, 9, 0, 0, 0, 0, 8]) });
  run.accept(1, { tween: false, steady: true });
  assert.deepEqual(neighboursOf(run, 0), [2, 1]);
  assert.deepEqual(neighboursOf(run, 7), []);
});

test("the server is told of each selection once, and when it ends", () => {
  const choices = new Choices(),
    said = [];
  tellSelections(choices, (message) => said.push(message));
  choices.set({ selected: new Set([3, 5]) });
  choices.set({ chosen: new Set([1]) });
  choices.set({ selected: null });
  assert.deepEqual(said, [{ selected: [3, 5] }, { selected: [] }]);
});

test("what is known of a selection is its mean over the samples that the run has", () => {
  const frame = { predictions: Uint16Array.from([0, 1, 65535]), confidence: Uint8Array.from([255, 0, 51]) };
  const found = selectionMetrics(
    new Set([100, 101, 102, 999]),
    runWith(
      [
        [0, 0, 1],
        [1, 0, 0],
        [0, 0, 1],
      ],
      { frame },
    ),
  );
  assert.deepEqual(Object.keys(found).sort(), ["angle", "confidence", "right", "samples"]);
  assert.equal(found.samples, 3);
  assert.equal(found.right, 0.5);
  near(found.confidence, 1.2 / 3);
  near(found.angle, 30, 0.01);
});

test("of thousands of classes a list offers a hundred, those that begin as written before those that hold it", () => {
  const names = Array.from({ length: 8142 }, (_, i) => `species ${i}`);
  assert.equal(offered("", names).length, 100);
  assert.deepEqual(offered("814", names).slice(0, 2), ["species 814", "species 1814"]);
  assert.deepEqual(offered("SPECIES 8141", names), ["species 8141"]);
  assert.deepEqual(offered("ox", ["fox", "ox", "axe"]), ["ox", "fox"]);
});
