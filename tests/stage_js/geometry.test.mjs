import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Camera,
  clampPose,
  FARTHEST,
  HOME,
  NEAREST,
  outlineRadius,
  poseToward,
  viewMatrix,
  viewProjection,
} from "../../app/stage/scene/camera.js";
import { capAngles, capFills } from "../../app/stage/scene/spread.js";
import { flatPlacer } from "../../app/stage/drawing/flat.js";
import { isInside, pickInside, pickPoint } from "../../app/stage/scene/picking.js";
import { nearestSamples, sameClass } from "../../app/stage/scene/neighbours.js";
import { Run } from "../../app/stage/incoming/runs.js";
import { idealPlaces, packing } from "../../app/stage/scene/simplex.js";
import { territoryBorders, territoryShares } from "../../app/stage/scene/territory.js";
import { angleBetween, blendPoints, dot, length, normalize, project, slerp } from "../../app/stage/common/vectors.js";

const near = (a, b, eps = 1e-6) => assert.ok(Math.abs(a - b) < eps, `${a} is not ${b}`);
const rotate = (m, p) => [0, 1, 2].map((r) => m[r] * p[0] + m[4 + r] * p[1] + m[8 + r] * p[2]);

test("slerp keeps to the sphere at even speed", () => {
  const a = [1, 0, 0],
    b = normalize([0.2, 1, 0.4]),
    whole = angleBetween(a, b);
  for (const k of [0, 0.25, 0.5, 1]) {
    const p = slerp(a, b, k);
    near(length(p), 1);
    near(angleBetween(a, p), whole * k, 1e-4);
  }
});

test("slerp moves along the radius too, and survives zero and opposite ends", () => {
  near(length(slerp([0.5, 0, 0], [0, 1, 0], 0.5)), 0.75);
  for (const p of [
    slerp([0, 0, 0], [0, 1, 0], 0.5),
    slerp([1, 0, 0], [-1, 0, 0], 0.5),
    slerp([1, 0, 0], [1, 0, 0], 0.3),
  ])
    assert.ok(p.every(Number.isFinite));
});

test("blended clouds agree with slerp for the small moves between frames", () => {
  const from = new Int16Array([32767, 0, 0]),
    b = normalize([1, 0.3, 0.1]),
    to = Int16Array.from(b, (v) => Math.round(v * 32767)),
    out = new Int16Array(3);
  blendPoints(from, to, 0.5, out);
  const exact = slerp([1, 0, 0], b, 0.5);
  exact.forEach((v, i) => near(out[i] / 32767, v, 1e-3));
});

test("poseToward brings any direction to the front", () => {
  for (const v of [
    [1, 0, 0],
    [0, 0, -1],
    [0.3, -0.8, 0.5],
    [-0.6, 0.2, -0.77],
  ]) {
    const p = rotate(viewMatrix({ ...poseToward(v), distance: 4 }), normalize(v));
    near(p[2], 1, 1e-5);
  }
});

test("the sphere's outline is where the camera says", () => {
  const view = { w: 400, h: 300 },
    pose = { yaw: 0, pitch: 0, distance: 4 };
  // The tangent from the eye touches the sphere at cos(t) = 1 / distance.
  const t = Math.acos(1 / 4),
    [x, y] = project(viewProjection(pose, 400, 300), [Math.sin(t), 0, Math.cos(t)], view);
  near(x - 200, outlineRadius(pose, 400, 300), 1e-3);
  near(y, 150, 1e-3);
});

test("the camera stays outside the sphere and above its poles", () => {
  assert.equal(clampPose({ yaw: 0, pitch: 3, distance: 0 }).distance, NEAREST);
  assert.equal(clampPose({ yaw: 0, pitch: 3, distance: 99 }).distance, FARTHEST);
  assert.ok(clampPose({ yaw: 0, pitch: 3, distance: 4 }).pitch < Math.PI / 2);
});

test("a move is eased, takes the short way round, ends where it should and then stands still", () => {
  const camera = new Camera({ yaw: 3 });
  camera.moveTo({ yaw: -3 }, 1000, 300);
  camera.step(1150);
  assert.ok(camera.pose.yaw > 3 && camera.pose.yaw < 3.3);
  camera.step(1300);
  near(camera.pose.yaw, 2 * Math.PI - 3);
  assert.equal(camera.step(1400), false);
  camera.moveTo(HOME, 2000, 0);
  assert.equal(camera.pose.distance, HOME.distance);
  assert.equal(camera.move, null);
});

/** A run whose only frame holds these unit vectors. */
function runWith(points, labels = points.map(() => 0)) {
  const run = new Run("a");
  run.info = {
    header: { class_names: ["x"], num_classes: 1, dim: 3 },
    labels: Uint16Array.from(labels),
    split: new Uint8Array(points.length),
    ids: null,
    thumbs: null,
  };
  const xyz = Int16Array.from(points.flat(), (v) => Math.round(v * 32767));
  run.receive({
    header: { run: "a", step: 1, seq: 1, n: points.length, centres: [], landmarks: {} },
    xyz,
    predictions: null,
  });
  run.accept(0, { tween: false, steady: true });
  return run;
}

test("the point under the pointer is found, the near side first", () => {
  const run = runWith([
      [0, 0, -1],
      [0, 0, 1],
      [1, 0, 0],
    ]),
    view = { w: 200, h: 200 };
  const matrix = viewProjection({ yaw: 0, pitch: 0, distance: 4 }, 200, 200),
    place = (p) => project(matrix, p, view);
  assert.equal(pickPoint(run, 1, place, 4, 101, 99), 1);
  assert.equal(
    pickPoint(run, 1, place, 4, 101, 99, (i) => i !== 1),
    0,
  );
  assert.equal(pickPoint(run, 1, place, 4, 150, 20), -1);
  const among = (...indices) => pickPoint(run, 1, place, 4, 101, 99, () => true, Uint32Array.from(indices));
  assert.deepEqual([among(0, 2), among(2, 1), among(2)], [0, 1, -1], "of a picture of some, only those");
  assert.deepEqual(
    pickInside(
      run,
      place,
      [
        [60, 60],
        [140, 60],
        [140, 140],
        [60, 140],
      ],
      4,
    ),
    [1],
  );
  assert.equal(
    isInside(5, 5, [
      [0, 0],
      [10, 0],
      [0, 4],
    ]),
    false,
  );
});

test("the flat map holds the whole sphere, areas true, its back at the rim", () => {
  const place = flatPlacer({ yaw: 0, pitch: 0, distance: 4 }, { x: 0, y: 0, w: 200, h: 200 });
  const [x, y] = place([0, 0, 1]);
  near(x, 100);
  near(y, 100);
  // The front half takes half the area, so 1/sqrt(2) of the radius.
  near(place([1, 0, 0])[0] - 100, 92 * Math.SQRT1_2, 1e-4);
  assert.ok(place([0.01, 0, -0.99995])[0] - 100 > 91);
});

test("a cap holds 95 in 100 points of its class", () => {
  const angles = Array.from({ length: 100 }, (_, i) => (i + 1) * 0.01);
  const points = angles.flatMap((a) => [Math.sin(a), 0, Math.cos(a)].map((v) => Math.round(v * 32767)));
  const [cap, empty] = capAngles(Int16Array.from(points), new Uint16Array(100), [[0, 0, 1], null]);
  near(cap, 0.95, 2e-3);
  assert.equal(empty, 0);
});

test("packings reach the best known angles, and the ghost lies on a turned and shuffled copy", () => {
  const smallest = (points) =>
    Math.min(...points.flatMap((p, i) => points.slice(i + 1).map((q) => angleBetween(p, q))));
  near(smallest(packing(4)), 109.471, 0.05);
  near(smallest(packing(6)), 90, 0.3);
  assert.ok(smallest(packing(10)) > 64.5);
  const turned = packing(4)
    .map((p) => rotate(viewMatrix({ yaw: 1, pitch: 0.4, distance: 4 }), p))
    .reverse();
  idealPlaces([...turned, null])
    .slice(0, 4)
    .forEach((p, i) => near(dot(p, turned[i]), 1, 1e-3));
  assert.equal(idealPlaces([null, [0, 0, 1]]), null);
});

test("a move that is interrupted goes on from where the eye was", () => {
  const run = runWith([[1, 0, 0]]);
  const frame = (step, p) => ({
    header: { run: "a", step, seq: step, n: 1, centres: [p], landmarks: {} },
    xyz: Int16Array.from(p, (v) => Math.round(v * 32767)),
    predictions: null,
  });
  run.receive(frame(2, [0, 1, 0]));
  const before = run.frame.xyz;
  run.accept(1000, { tween: true, steady: true });
  assert.equal(run.from, before, "what was reached is where the next move starts, and is not copied");
  const half = 1000 + run.duration / 2,
    seen = run.pointAt(0, run.progress(half));
  run.receive(frame(3, [0, 0, 1]));
  run.accept(half, { tween: true, steady: true });
  run.pointAt(0, 0).forEach((v, i) => near(v, seen[i], 1e-3));
  run.receive(frame(4, [0, 0, 1]));
  run.receive(frame(5, [0, 0, 1]));
  assert.equal(run.replaced, 1);
});

test("territories share the sphere fairly, and borders lie midway", () => {
  const octahedron = [
    [1, 0, 0],
    [-1, 0, 0],
    [0, 1, 0],
    [0, -1, 0],
    [0, 0, 1],
    [0, 0, -1],
  ];
  const shares = territoryShares([...octahedron, null]);
  shares.slice(0, 6).forEach((share) => near(share, 1 / 6, 0.006));
  assert.equal(shares[6], 0);
  const borders = territoryBorders(octahedron);
  assert.ok(borders.length > 100);
  for (const [a] of borders) {
    const [first, second] = octahedron.map((m) => dot(m, a)).sort((x, y) => y - x);
    near(first, second, 0.07);
  }
});

test("the nearest samples come first, without the sample itself", () => {
  const xyz = Int16Array.from([0, 0, 100, 0, 0, 90, 0, 50, 0, 0, 10, 100, 0, 0, -100]);
  assert.deepEqual(nearestSamples(xyz, 0, 2), [1, 3]);
  assert.equal(nearestSamples(xyz, 0, 20).length, 4);
  assert.equal(sameClass([1, 3], Uint16Array.from([5, 5, 0, 1, 5]), 0), 1);
});

test("fills of caps never add up to a veil, and a tight class by itself keeps its own", () => {
  const ring = Array.from({ length: 10 }, (_, i) => normalize([Math.cos(i), Math.sin(i), 2])),
    wide = capFills(
      ring,
      ring.map(() => 1.2),
    );
  const heaped = wide.reduce((sum, fill) => sum + fill, 0);
  assert.ok(heaped > 0.1 && heaped < 0.15, `ten wide caps over one place wear ${heaped}`);
  const [alone, ...others] = capFills([[0, 0, -1], ...ring], [0.3, ...ring.map(() => 1.2)]);
  assert.equal(alone, 0.12);
  others.forEach((fill, i) => near(fill, wide[i], 1e-9));
  const half = capFills([[0, 0, -1], ...ring], [0.3, ...ring.map(() => 1.2)], 0.5);
  near(half[0], 0.06, 1e-9);
  assert.deepEqual(capFills([null, [0, 0, 1]], [0, 0]), [0, 0], "a class without points has none");
  const jumps = Array.from(
    { length: 60 },
    (_, i) =>
      capFills(
        [
          [0, 0, 1],
          [Math.sin(i / 40), 0, Math.cos(i / 40)],
        ],
        [0.8, 0.8],
      )[0],
  );
  jumps.slice(1).forEach((fill, i) => near(fill, jumps[i], 0.004));
});
