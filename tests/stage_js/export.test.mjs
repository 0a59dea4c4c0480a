import assert from "node:assert/strict";
import { test } from "node:test";
import { HOME } from "../../app/stage/scene/camera.js";
import { chooseFormat } from "../../app/stage/saving/movie.js";
import { poseOnPath, thinSteps } from "../../app/stage/saving/filming.js";
import { layersOf, switchesOf } from "../../app/stage/layers/list.js";
import { START } from "../../app/stage/scene/choices.js";
import { linkOf, readLink } from "../../app/stage/saving/permalink.js";
import { Run } from "../../app/stage/incoming/runs.js";
import { FLAG } from "../../app/stage/scene/attributes.js";
import { svgOf, text } from "../../app/stage/saving/svg.js";
import { THEMES } from "../../app/stage/common/theme.js";

const CAMERA = { yaw: -1.25, pitch: 0.5, distance: 2.75 };
const CHOSEN = {
  layers: { caps: true, grid: false },
  colourMode: "groups",
  solo: "bcl-1",
  forces: { ...START.forces, alike: true },
  chosen: new Set([3, 7]),
};
const LAYERS = layersOf([]);

test("a link brings back what was seen, and keeps what else the address holds", () => {
  const link = linkOf("http://a/?runs=old-1&hz=5&step=40&beside=3", ["bcl-1", "ce-1"], CAMERA, LAYERS, CHOSEN);
  const url = new URL(link);
  const names = ["arrows", "beside", "camera", "class", "colour", "hz", "layers", "runs", "solo", "step"];
  assert.deepEqual([...url.searchParams.keys()].sort(), names);
  assert.match(link, /runs=bcl-1,ce-1/);
  assert.match(link, /layers=caps,-grid/);
  assert.deepEqual(readLink(url.search), { ...CHOSEN, pose: CAMERA, free: false, poses: {} });
});

test("what is as usual is left out of a link, and taken out of an older one", () => {
  const usual = { ...START, layers: { caps: false, grid: true } };
  const link = linkOf("file:///x/replay.html", ["a-1"], CAMERA, LAYERS, CHOSEN);
  assert.equal(linkOf(link, ["a-1"], null, LAYERS, usual), "file:///x/replay.html?runs=a-1");
  assert.deepEqual(readLink("?runs=a-1"), {});
});

test("what a link cannot mean is left out, and the rest of it kept", () => {
  for (const search of [
    "?camera=1,2",
    "?camera=1,NaN,3",
    "?camera=1,2,3,4",
    "?layers=__proto__,toString,-constructor,<b>,-",
    "?colour=javascript:alert(1)",
    "?arrows=true",
    "?solo=../x",
    "?solo=%3Cb%3E",
    "?class=-1,1.5,x,123456",
  ])
    assert.deepEqual(readLink(search), {}, search);
  const { chosen, pose } = readLink("?class=2,2,x&colour=%00&camera=1,9,0.001");
  assert.deepEqual([...chosen], [2]);
  assert.deepEqual(pose, { yaw: 1, pitch: Math.PI / 2 - 0.02, distance: 1.35 });
  assert.equal(readLink(`?class=${Array.from({ length: 500 }, (_, i) => i)}`).chosen.size, 200);
});

test("a film's steps are thinned evenly and keep both ends", () => {
  const steps = Array.from({ length: 301 }, (_, i) => 5 * i),
    thin = thinSteps(steps, 60);
  assert.deepEqual([thin.length, thin[0], thin[59]], [60, 0, 1500]);
  assert.ok(thin.every((step, i) => i === 0 || (step - thin[i - 1] >= 25 && step - thin[i - 1] <= 30)));
  assert.deepEqual(thinSteps([1, 4, 9], 60), [1, 4, 9]);
  assert.deepEqual(thinSteps([1, 4, 9], 1), [9]);
});

test("the camera stands, turns once without meeting its start again, or flies from one view to the other", () => {
  const to = { yaw: 2, pitch: -0.4, distance: 3 },
    along = (path, count) => Array.from({ length: count }, (_, i) => poseOnPath(path, HOME, to, i, count));
  assert.ok(along("still", 5).every((pose) => pose === to));
  const turn = along("turn", 8).map(({ yaw }) => yaw - to.yaw);
  assert.deepEqual([turn[0], turn[4]], [0, Math.PI]);
  assert.ok(turn[7] < 2 * Math.PI - 0.5);
  const flight = along("flight", 9);
  assert.deepEqual(flight[0], { ...HOME });
  for (const key of ["yaw", "pitch", "distance"]) assert.ok(Math.abs(flight[8][key] - to[key]) < 1e-9);
  assert.ok(flight[4].yaw > 1.2 && flight[4].yaw < 1.4, "half way in the middle");
  assert.ok(Math.abs(poseOnPath("flight", HOME, to, 0, 1).yaw - to.yaw) < 1e-9, "a film of one picture shows the end");
});

test("MP4 is taken where the browser writes it, else WebM, else nothing", () => {
  assert.equal(chooseFormat(() => true).suffix, "mp4");
  assert.deepEqual(chooseFormat((type) => type.startsWith("video/webm")).suffix, "webm");
  assert.equal(
    chooseFormat(() => false),
    null,
  );
});

/** Two classes at the poles of the line of sight: class 0 in front, class 1 behind. */
function panel(names = ["zero", "one"], layers = {}, spread = 3000, split = [0, 1, 2, 0, 1, 2]) {
  const run = new Run("a-1"),
    n = 6,
    labels = Uint16Array.from([0, 0, 0, 1, 1, 1]);
  const xyz = Int16Array.from(
    Array.from({ length: n }, (_, i) => [spread * (i % 3), 0, i < 3 ? 32000 : -32000]).flat(),
  );
  const centres = [
    [0, 0, 1],
    [0, 0.6, -0.8],
  ];
  run.info = {
    labels,
    split: Uint8Array.from(split),
    ids: null,
    thumbs: null,
    labelSets: null,
    attributes: [],
    header: { class_names: names, num_classes: 2, counts: [9, 3], groups: [0, 2], dim: 3, marks: [TARGETS] },
  };
  run.frame = {
    header: {
      step: 5,
      n,
      centres,
      landmarks: {
        targets: [
          [0, 1, 0],
          [1, 0, 0],
        ],
      },
      target_index: [1, 0],
      projection: null,
      metrics: {},
    },
    xyz,
    predictions: null,
    confidence: null,
    loss: null,
    marks: new Map(),
  };
  run.colours = [
    [0.1, 0.2, 0.6],
    [0.9, 0.3, 0.1],
  ];
  const { ink, page } = THEMES.light;
  return {
    rect: { whole: { x: 0, y: 0, w: 300, h: 356 }, sphere: { x: 0, y: 30, w: 300, h: 300 } },
    title: names[0],
    colour: "#8a8f98",
    state: "step 5",
    projection: "Projection, order 83 %",
    numbers: ["few 80 %"],
    pose: { yaw: 0, pitch: 0, distance: 4 },
    run,
    palette: names.map((name, c) => ({ name, rgb: run.colours[c] })),
    colours: labels,
    flags: Uint8Array.from([0, FLAG.TEST, FLAG.VALIDATION, 0, FLAG.TEST, FLAG.HIDDEN]),
    sizes: new Uint8Array(n).fill(128),
    pieces: null,
    on: { ...switchesOf(layers) },
    asked: {
      layers,
      shows: () => false,
      colours: run.colours,
      ink,
      page,
      scale: 1,
      chosen: null,
      mark: null,
      near: null,
      forces: { parts: new Set(), under: null },
      trail: 0,
    },
  };
}

/** A landmark as a method declares it. */
const TARGETS = { key: "targets", title: "Target", short: "", primitive: "points", sign: "diamond", on: true };

const draw = (given) =>
  svgOf({
    width: 300,
    height: 356,
    theme: THEMES.light,
    panels: [given],
    legend: given.palette,
    signs: [{ name: "test", path: "M0 0z", filled: true }],
  });

test("an SVG holds one group a class, every point, centres, targets, labels and the legend", () => {
  const file = draw(panel());
  assert.match(file, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  assert.equal(file.match(/<g fill="#1a3399"[^>]*opacity="0.95"><title>zero<\/title>/g).length, 1);
  assert.equal(
    file.match(/<g fill="#e64d1a"[^>]*opacity="0.4"><title>one<\/title>/g).length,
    1,
    "what is behind is paler",
  );
  const front = file.slice(file.indexOf('opacity="0.95"'), file.indexOf("<path"));
  assert.match(front, /<title>zero<\/title><circle [^>]*r="[\d.]+"\/>/);
  assert.match(front, /<rect [^>]*\/>/, "a validation point is square");
  assert.match(front, /<g fill="[^"]+" stroke="#1a3399" stroke-width="[\d.]+"><circle/, "a test point is open");
  assert.equal(file.match(/<polygon /g).length, 2, "two targets");
  assert.match(file, /<path d="M[^"]+" fill="none" stroke="#1a3399" stroke-width="1.5"/, "an arc to the target");
  for (const words of [
    ">zero</text>",
    ">one</text>",
    ">step 5</tspan>",
    ">few 80 %</tspan>",
    ">Projection, order 83 %</text>",
    "Equal-area map",
  ])
    assert.ok(file.includes(words), words);
  assert.ok(!/NaN|undefined|Infinity/.test(file));
});

test("the front half fills the dashed circle, and the far side ends at the rim", () => {
  const file = draw(panel()),
    [outer, inner] = [...file.matchAll(/<circle cx="150" cy="150" r="([\d.]+)"/g)].map((m) => Number(m[1]));
  assert.ok(Math.abs(outer - 138) < 0.1 && Math.abs(inner - 138 / Math.SQRT2) < 0.1);
  const at = /opacity="0.95"><title>zero<\/title><circle cx="([\d.]+)" cy="([\d.]+)"/.exec(file);
  assert.deepEqual([Number(at[1]), Number(at[2])], [150, 150], "what the eye looks at stands in the middle");
});

test("a sample of several classes wears a ring with a piece of each", () => {
  const given = { ...panel(), pieces: new Uint16Array(24).fill(65535) };
  given.pieces.set([0, 1], 4);
  const file = draw(given),
    [ring] = /<g fill="none" stroke-width="[\d.]+" opacity="1">.*?<\/g>/.exec(file);
  assert.deepEqual(
    [...ring.matchAll(/stroke="(#\w+)"/g)].map((m) => m[1]),
    ["#1a3399", "#e64d1a"],
  );
  assert.ok(!draw(panel()).includes(ring));
});

test("caps are one path a class", () => {
  const file = draw(panel(["zero", "one"], { caps: true }, 9000, [0, 0, 0, 0, 0, 1]));
  assert.equal(file.match(/ fill="#(1a3399|e64d1a)" fill-opacity=/g).length, 2);
});

test("a stranger's names cannot leave their text", () => {
  const evil = `</svg><script>alert(1)</script>&"'`,
    file = draw(panel([evil, "a\u0000\u0008\ud800b"]));
  assert.ok(!file.includes("<script") && file.match(/<\/svg>/g).length === 1);
  assert.ok(file.includes("&#60;/svg&#62;&#60;script&#62;alert(1)&#60;/script&#62;&#38;&#34;&#39;"));
  assert.ok(file.includes(">ab</text>"));
  assert.equal(text("ä → 你 🙂"), "ä → 你 🙂");
});
