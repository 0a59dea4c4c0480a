/** The geometry lab's mathematics against Python, and what it must reproduce (the definitions stand in lab/COLLAPSED.md). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { viewProjection } from "../../app/stage/scene/camera.js";
import { project } from "../../app/stage/common/vectors.js";
import { shareOf, stepAt } from "../../app/stage/lab/curves.js";
import { Film } from "../../app/stage/lab/film.js";
import { placeUnder, wayOf } from "../../app/stage/lab/hand.js";
import { coloursOf, titlesOf } from "../../app/stage/lab/header.js";
import { informationWithInputs, informationWithLabels } from "../../app/stage/lab/information.js";
import { npyOf } from "../../app/stage/lab/npy.js";
import { panelsOf } from "../../app/stage/lab/panels.js";
import { Race } from "../../app/stage/lab/race.js";
import { costs, Spreading, WAYS, STEPS } from "../../app/stage/lab/spreading.js";
import { sayVain, vainIn } from "../../app/stage/lab/vain.js";
import { DEFAULTS, readSettings, settle, writeSettings } from "../../app/stage/lab/settings.js";
import { keptOrder, keptVariance, seen, Shadow } from "../../app/stage/lab/shadows.js";
import { countsOf } from "../../app/stage/lab/counts.js";
import { LOSSES, OPTIONS } from "../../app/stage/lab/losses/list.js";
import { assign } from "../../app/stage/lab/matching.js";
import { measure } from "../../app/stage/lab/measures.js";
import { PART, VIEWS } from "../../app/stage/lab/problem.js";
import { Random } from "../../app/stage/lab/random.js";
import { Simulation } from "../../app/stage/lab/simulation.js";
import { annealed, bestTargets, largestCosine, randomRows, Repulsion, simplex } from "../../app/stage/lab/targets.js";

const CASES = JSON.parse(readFileSync(new URL("./lab_cases.json", import.meta.url), "utf8"));
const TOLERANCE = 1e-9;

function close(found, wanted, what) {
  assert.equal(found.length, wanted.length, what);
  for (let i = 0; i < wanted.length; i++) {
    const off = Math.abs(found[i] - wanted[i]) / Math.max(1, Math.abs(wanted[i]));
    assert.ok(off <= TOLERANCE, `${what}[${i}] is ${found[i]}, and in Python ${wanted[i]}`);
  }
}

/** A simulation as a case has it. */
function build({ loss, counts, dim, points = 1, free = false, seed, targets, options, way = {}, ...given }) {
  const zeros = new Float64Array(counts.length * dim);
  const motion = { batch: way.batch ?? 0, noise: way.noise ?? 0, mover: way.mover ?? "descent", rate: way.rate ?? 0 };
  const setup = { loss, counts, dim, points, free, seed, start: zeros, columns: zeros };
  const sim = new Simulation(
    { ...setup, targets: Float64Array.from(targets ?? zeros) },
    { ...motion, horizon: way.mover === "adam" ? given.after.steps : 0, matchEvery: 10 },
    options,
  );
  sim.x.set(given.x);
  sim.cx.set(given.columns);
  // Free samples have been drawn around zero; Python begins to draw with the first step.
  sim.random = new Random(seed);
  return sim;
}

test("every loss is compared", () => {
  assert.deepEqual([...new Set(CASES.map(({ loss }) => loss))].sort(), Object.keys(LOSSES).sort());
});

test("value and gradient of every loss are those of Python", () => {
  for (const [n, given] of CASES.entries()) {
    const sim = build(given),
      { targets, assigned, dim } = given,
      what = `case ${n} (${given.loss})`;
    if (given.noise) sim.noise.set(given.noise);
    if (sim.loss.columns === "targets")
      assigned.forEach((at, c) => sim.columns.set(targets.slice(at * dim, (at + 1) * dim), c * dim));
    given.images.forEach((many, i) => (sim.problem.batch[i] = VIEWS * many));
    sim.problem.count();
    sim.place();
    close([sim.evaluate()], [given.value], `${what}: value`);
    const together = Float64Array.from(sim.gradient);
    sim.backRows();
    close(sim.gradientX, given.gradient, `${what}: gradient`);
    if (given.gradientColumns) close(sim.gradientColumns, given.gradientColumns, `${what}: gradient of columns`);
    if (sim.loss.columns === "classifier") continue;
    // What pulls and what pushes are all there is.
    sim.evaluate(PART.PULL);
    const pull = Float64Array.from(sim.gradient);
    sim.evaluate(PART.PUSH);
    close(
      pull.map((value, i) => value + sim.gradient[i]),
      together,
      `${what}: parts`,
    );
  }
});

test("points go the same way as in Python", () => {
  const moved = CASES.filter(({ after }) => after);
  assert.ok(moved.length > 40);
  for (const given of moved) {
    const sim = build(given),
      { after } = given,
      what = `${given.loss} ${JSON.stringify(given.way)}`;
    const values = [];
    for (let i = 0; i < after.steps; i++) {
      sim.step();
      values.push(sim.value);
    }
    close([values[0], values[after.steps >> 1], values[after.steps - 1]], after.values, `${what}: values`);
    close(sim.x, after.x, `${what}: points`);
    if (sim.moving) close(sim.cx, after.columns, `${what}: columns`);
  }
});

/** A run on long-tailed counts, as the page makes it. */
function run(
  loss,
  { classes = 10, dim = 16, factor = 1, profile = "exponential", steps = 2500, seed = 1, size, ...more } = {},
) {
  const { batch = 0, mover = "auto", rate = 0.05, ...options } = more;
  const random = new Random(seed),
    start = random.normals(new Float64Array(classes * dim)),
    columns = random.normals(new Float64Array(classes * dim));
  const counts = countsOf(profile, classes, factor),
    targets = bestTargets(classes, dim);
  const sim = new Simulation(
    { loss, counts, dim, points: 1, free: false, seed, start, columns, targets },
    { batch, noise: 0, mover, rate, horizon: steps, matchEvery: 10 },
    { ...OPTIONS, ...options },
  );
  for (let i = 0; i < steps; i++) sim.step();
  sim.place();
  return { ...measure(sim.classMeans(), classes, dim, size), sim };
}
const deviation = (...given) => run(...given).simplex_deviation_max;
const SEEDS = [1, 2, 3, 4, 5];

test("equal counts: SupCon, BCL and GML end in the simplex", () => {
  for (const loss of ["supcon", "bcl", "gml"])
    for (const seed of SEEDS) assert.ok(deviation(loss, { seed }) < 1e-6, `${loss}, seed ${seed}`);
});

test("factor 100, mean over samples: SupCon and BCL end alike", () => {
  for (const seed of SEEDS) {
    const supcon = deviation("supcon", { factor: 100, seed }),
      bcl = deviation("bcl", { factor: 100, seed });
    assert.ok(Math.abs(supcon / bcl - 1) < 0.05 && Math.abs(supcon - 0.2) < 0.01, `seed ${seed}: ${supcon}, ${bcl}`);
  }
});

test("factor 100, mean over classes: BCL ends in the simplex, SupCon does not", () => {
  for (const seed of SEEDS) {
    assert.ok(deviation("bcl", { factor: 100, average: "class", seed }) < 1e-3);
    assert.ok(deviation("supcon", { factor: 100, average: "class", seed }) > 0.15);
  }
});

test("in batches of 64, mean over classes: BCL deviates at most half as far in five seeds of five", () => {
  const found = SEEDS.map((seed) => {
    const given = { factor: 100, average: "class", batch: 64, mover: "adam", steps: 1000, seed };
    return [deviation("bcl", given), deviation("supcon", given)];
  });
  for (const [bcl, supcon] of found) assert.ok(bcl <= supcon / 2, `${bcl} and ${supcon}`);
});

test("TSC comes as near to its targets as their weight has it", () => {
  for (const seed of SEEDS)
    for (const [targetWeight, wanted, off] of [
      [0.2, 0.19, 0.01],
      [1, 0.0308, 0.001],
      [5, 0.0036, 0.0002],
    ]) {
      const found = deviation("tsc", { factor: 100, targetWeight, seed });
      assert.ok(Math.abs(found - wanted) < off, `weight ${targetWeight}, seed ${seed}: ${found}`);
    }
});

test("cross-entropy with a penalty by class: the minority collapses between 10 and 100, not with weights", () => {
  const smallest = (loss, factor, seed) =>
    run(loss, { factor, profile: "step", size: 5, steps: 4000, seed }).smallest_tail;
  for (const seed of SEEDS) {
    assert.ok(smallest("ce", 10, seed) > 85);
    assert.ok(smallest("ce", 100, seed) < 5);
    assert.ok(smallest("reweight", 100, seed) > 90);
  }
});

test("ten classes on the ordinary sphere: BCL by class keeps them apart, SupCon crowds the tail", () => {
  for (const factor of [1, 10, 100]) {
    const best = SEEDS.map((seed) => run("bcl", { dim: 3, factor, average: "class", seed }).min_centre_angle);
    assert.ok(Math.max(...best) >= 64 && Math.min(...best) >= 60, `factor ${factor}: ${best}`);
  }
  for (const seed of SEEDS) assert.ok(run("supcon", { dim: 3, factor: 100, seed }).min_centre_angle < 56);
});

test("counts are cut as in Python", () => {
  assert.deepEqual(countsOf("exponential", 10, 100, 5000), [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]);
  assert.deepEqual(countsOf("step", 5, 10, 100), [100, 100, 10, 10, 10]);
  assert.deepEqual(countsOf("exponential", 3, 1000), [1000, 31, 1]);
});

test("the assignment is the cheapest of all", () => {
  const random = new Random(3);
  for (let n = 1; n <= 6; n++) {
    const cost = Float64Array.from({ length: n * n }, () => random.uniform());
    const orders = (left) =>
      left.length ? left.flatMap((j) => orders(left.filter((k) => k !== j)).map((o) => [j, ...o])) : [[]];
    const priceOf = (order) => order.reduce((sum, j, i) => sum + cost[i * n + j], 0);
    const best = Math.min(...orders([...Array(n).keys()]).map(priceOf));
    assert.ok(Math.abs(priceOf([...assign(cost, n)]) - best) < 1e-12);
  }
});

test("targets are a simplex where one fits, else as far apart as known", () => {
  const flat = simplex(4, 3);
  assert.ok(measure(flat, 4, 3).simplex_deviation_max < 1e-12);
  const angle = (n) => (Math.acos(largestCosine(bestTargets(n, 3), 3)) * 180) / Math.PI;
  assert.ok(angle(6) > 89.5 && angle(8) > 73.5 && angle(10) > 64.5);
});

test("with each point's own term the official recipe does not reach the simplex", () => {
  const start = randomRows(4, 3, 1),
    [plain, official] = [new Repulsion(start, 3), new Repulsion(start, 3, { self: true, rate: 1e-3 })];
  for (let i = 0; i < 1000; i++) {
    plain.step(annealed(i / 1000), 0.5 * (1 + Math.cos((Math.PI * i) / 1000)));
    official.step(0.07);
  }
  assert.ok(measure(plain.u, 4, 3).simplex_deviation_max < 0.02);
  assert.ok(measure(official.u, 4, 3).simplex_deviation_max > 0.05);
});

test("settings are what an address says, within bounds, and an address says what is not as usual", () => {
  const asked = readSettings(
    "losses=tsc,nobody,bcl&imbalance=1e9&classes=7.4&batch=64&tied=0&average=rubbish&temperature=x",
  );
  assert.deepEqual(asked.losses, ["tsc", "bcl"]);
  const { imbalance, classes, batch, tied, average, temperature } = asked;
  assert.deepEqual(
    [imbalance, classes, batch, tied, average, temperature],
    [1000, 7, 64, false, DEFAULTS.average, 0.1],
  );
  const address = writeSettings("http://a/geometry?theme=dark&seed=3", asked);
  assert.deepEqual(readSettings(new URL(address).search), asked);
  assert.equal(new URL(address).searchParams.get("theme"), "dark");
  assert.equal(new URL(writeSettings("http://a/?batch=3", settle({}))).search, "");
  const own = settle({ profile: "own", classes: 4, counts: [900, 5, 0, NaN] });
  assert.deepEqual(own.counts.length, 4);
  assert.ok(own.counts.every((n) => n >= 1 && n <= 1000));
  assert.deepEqual(readSettings(new URL(writeSettings("http://a/", own)).search).counts, own.counts);
  assert.ok(settle({ losses: Object.keys(LOSSES) }).losses.length === 9);
});

test("what an address asks for in vain is told as it was asked, with the bounds", () => {
  assert.deepEqual(vainIn("?losses=nobody,bcl,x@k:1&classes=7.4&dim=9999&temperature=x&average=rubbish&tied=yes"), [
    "losses=nobody",
    "losses=x",
    "classes=7.4 (2–100)",
    "dim=9999 (2–128)",
    "temperature=x (0.02–2)",
    "average=rubbish",
    "tied=yes",
  ]);
  assert.deepEqual(vainIn("losses=tsc@targetWeight:99;k:3;nobody:1&counts=5,6"), [
    "losses=targetWeight:99",
    "losses=nobody:1",
    "counts=5",
    "counts=6",
  ]);
  const long = sayVain(`?losses=${"n".repeat(900)},b,c,d,e,f,g`);
  assert.ok(long.includes("…, losses=b, losses=c, losses=d, losses=e and 2 more.") && long.length < 260, long);
  for (const right of [
    "?losses=tsc@targetWeight:0.2,supcon&temperature=1e-1&tied=0&points=3&theme=dark&layers=caps&hide=x",
    new URL(writeSettings("http://a/", settle({ profile: "own", classes: 4, counts: [900, 5, 3, 1] }))).search,
    "?losses=&dim=",
    "",
  ])
    assert.deepEqual([vainIn(right), sayVain(right)], [[], ""], right);
});

test("a loss may stand in several panels, each with options of its own", () => {
  const search = "?losses=tsc@targetWeight:0.2,tsc@k:3;nobody:1;targetWeight:5,supcon@average:sample,supcon,x@k:1&k:9";
  const asked = readSettings(search);
  assert.deepEqual(asked.losses, ["tsc@targetWeight:0.2", "tsc@k:3;targetWeight:5", "supcon@average:sample", "supcon"]);
  const address = writeSettings("http://a/geometry", asked);
  assert.ok(address.includes("losses=tsc@targetWeight:0.2,tsc@k:3;targetWeight:5,"), address);
  assert.deepEqual(readSettings(new URL(address).search), asked);
  assert.deepEqual(
    panelsOf(asked).map(({ id }) => id),
    ["tsc", "tsc-2", "supcon", "supcon-2"],
  );
  // What no loss can have is left out, and bounds hold here too.
  assert.deepEqual(settle({ losses: ["bcl@tied:0;temperature:x;average:rubbish", "gml@temperature:1e9"] }).losses, [
    "bcl@tied:0",
    "gml@temperature:2",
  ]);
  assert.equal(settle({ losses: Array(12).fill("tsc") }).losses.length, 9);
  const titles = [...titlesOf(asked).values()];
  assert.deepEqual(titles.slice(2), ["SupCon · sample", "SupCon · class"], "what is shared is said beside it");
  assert.equal(new Set(titlesOf(settle({ losses: ["tsc", "tsc", "tsc"] })).values()).size, 3);
  const colours = [...coloursOf(settle({ losses: Array(9).fill("tsc") }), { tsc: { colour: "#aa3366" } }).values()];
  assert.ok(colours[0] === "#aa3366" && new Set(colours).size === 9);
  const alone = settle({ ...asked, losses: ["tsc@targetWeight:5"] });
  const [one, two] = [asked, alone].map((settings) => new Race(settle({ ...settings, dim: 16, k: 3 })));
  for (let i = 0; i < 50; i++) [one, two].forEach((race) => race.step());
  assert.deepEqual(one.look(false)[1].means, two.look(false)[0].means, "beside others as by itself");
  const far = one.look(false).map(({ metrics }) => metrics.simplex_deviation_max);
  assert.ok(far[1] < far[0] / 2 && far[2] !== far[3]);
  const before = one.look(false)[0].means;
  one.change(settle({ ...one.settings, losses: ["tsc@targetWeight:9", ...one.settings.losses.slice(1)] }));
  assert.deepEqual([one.look(false)[0].step, one.look(false)[0].means], [50, before], "it is set while it runs");
});

test("information is that of Python, for points that stand for many samples", () => {
  const cases = JSON.parse(readFileSync(new URL("./information_cases.json", import.meta.url), "utf8"));
  for (const [n, { rows, y, mass, means, counts, dim, labels, inputs }] of cases.entries()) {
    const one = informationWithLabels(rows, y, mass, means, counts, dim);
    close([one.value, one.ceiling], labels, `case ${n}: labels`);
    const other = informationWithInputs(rows, mass, dim);
    close([other.value, other.ceiling], inputs, `case ${n}: inputs`);
  }
});

test("a race tells what its points say: of images no more than of classes where a class is one point", () => {
  const after = (settings, steps = 200) => {
    const race = new Race(settle({ losses: ["bcl"], dim: 16, speed: 0, ...settings }));
    for (let i = 0; i < steps; i++) race.step();
    return race.look(false)[0].metrics;
  };
  const points = after({}),
    { information_labels: labels, information_labels_ceiling: entropy } = points;
  assert.ok(labels > 0.99 * entropy && labels <= entropy, "the simplex tells all classes apart");
  assert.ok(Math.abs(points.information_inputs - labels) < 1e-9 && points.information_inputs_ceiling > 7);
  const free = after({ points: 10, free: true, noise: 1 }, 1);
  assert.ok(free.information_inputs > free.information_labels + 0.5, "samples of their own say more");
  const noisy = after({ points: 10, noise: 1.5, dim: 3 });
  assert.ok(noisy.information_labels < 0.9 * entropy && noisy.information_inputs === undefined);
  assert.ok(Math.abs(after({ batch: 64 }).information_inputs_ceiling - Math.log(64)) < 1e-12, "K is the batch");
  // Classes that have fallen together say less: here five of ten, of a hundredth of the samples, log 5 of each.
  const ce = after({ losses: ["ce"], profile: "step", imbalance: 100, average: "sample" }, 4000),
    missing = ce.information_labels_ceiling - ce.information_labels;
  assert.ok(ce.smallest_tail < 5 && Math.abs(missing / ((50 / 5050) * Math.log(5)) - 1) < 0.1, `${missing}`);
});

test("a hand puts a class where it is, in its own space and in a shadow of it", () => {
  const to = [0.6, 0, 0.8];
  assert.deepEqual([...wayOf(Float32Array.of(0, 1, 0), to, null)], [...Float32Array.from(to)]);
  assert.deepEqual([...wayOf(Float32Array.of(0, 1), [3, 4, 9], null)], [...Float32Array.of(0.6, 0.8)]);
  const view = [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0],
    there = wayOf(Float32Array.of(0, 0, 0, 0.6, 0.8), [0.5, 0.5, 0], view);
  assert.ok(Math.abs(Math.hypot(...there) - 1) < 1e-6 && Math.abs(there[3] / there[4] - 0.75) < 1e-6);
  assert.ok(Math.abs(there[0] - 0.5) < 0.05 && Math.abs(there[1] - 0.5) < 0.05);
});

test("a race goes on through changes, begins anew where it must, and goes back to what was seen", () => {
  const race = new Race(settle({ losses: ["supcon", "bcl", "ce"] }));
  for (let i = 0; i < 30; i++) race.step();
  const seenThen = race.look(true);
  assert.deepEqual(
    seenThen.map(({ step }) => step),
    [30, 30, 30],
  );
  for (const { forces, means } of seenThen) {
    assert.ok(forces.total && forces.head && forces.tail && means.every(Number.isFinite));
    // What pushes, by group, and what pulls, are the total.
    if (forces.positives)
      forces.total.forEach((v, i) => {
        const parts = ["positives", "head", "medium", "tail"].reduce((sum, part) => sum + forces[part][i], 0);
        assert.ok(Math.abs(parts - v) < 1e-4 * Math.max(1e-6, ...forces.head.map(Math.abs)), "parts of a force");
      });
  }
  race.change(settle({ ...race.settings, imbalance: 5, temperature: 0.3 }));
  const [moved] = race.look(false);
  assert.equal(moved.step, 30, "other counts act on the points where they are");
  moved.means.forEach((v, i) => assert.ok(Math.abs(v - seenThen[0].means[i]) < 1e-6));
  for (let i = 0; i < 10; i++) race.step();
  race.restore(seenThen);
  assert.equal(race.look(false)[1].step, 30);
  race.hold(["bcl"], 2, Float32Array.from([0, 1, 0]));
  const there = () => race.look(false).map(({ means }) => Math.abs(means[7] - 1) < 1e-6);
  assert.deepEqual(there(), [false, true, false], "one class of one loss");
  const beside = Float32Array.from(race.look(false)[1].means);
  for (let i = 0; i < 5; i++) race.step();
  assert.deepEqual(there(), [false, true, false], "it stays in the hand");
  assert.ok(
    race.look(false)[1].means.some((v, i) => Math.abs(v - beside[i]) > 1e-3),
    "and the others go on",
  );
  race.release();
  for (let i = 0; i < 5; i++) race.step();
  assert.deepEqual(there(), [false, false, false], "let go, it goes on as well");
  race.hold([], 2, Float32Array.from([0, 1, 0]));
  assert.deepEqual(there(), [true, true, true], "in all panels");
  race.release();
  race.change(settle({ ...race.settings, classes: 4 }));
  assert.deepEqual([race.look(false)[0].step, race.look(false)[0].means.length], [0, 12]);
});

test("a film keeps every moment until it is long, forgets what comes after, and hands out what was", () => {
  const film = new Film();
  film.begin(new Map([["bcl", {}]]));
  const shot = (step) => ({
    id: "bcl",
    step,
    rows: new Float32Array(30),
    means: new Float32Array(30),
    cx: new Float32Array(30),
  });
  for (let step = 0; step <= 1000; step++) film.add([shot(step)]);
  assert.deepEqual([film.last, film.at(500)[0].step], [1000, 500]);
  for (let step = 1001; step <= 3000; step++) film.add([shot(step)]);
  const { steps } = film.of.get("bcl");
  assert.ok(steps.length <= 1200 && steps[0] === 0 && film.last === 3000);
  film.add([shot(100)]);
  assert.equal(film.last, 100, "who goes on from there forgets what came after");
});

test("views are orthonormal, keep the centres apart, and follow without a jump", () => {
  const classes = 10,
    dim = 16,
    means = simplex(classes, dim),
    view = new Shadow(dim, classes);
  const check = (rows) => {
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++) {
        let sum = 0;
        for (let k = 0; k < dim; k++) sum += rows[a * dim + k] * rows[b * dim + k];
        assert.ok(Math.abs(sum - Number(a === b)) < 1e-9);
      }
  };
  for (const name of ["centres", "spread", "simplex", "tour", "worst", "groups"]) {
    check(view.follow(name, [], means, true));
    const before = Float64Array.from(view.rows);
    check(view.follow(name, [], means, true));
    assert.ok(Math.hypot(...before.map((v, i) => v - view.rows[i])) < 0.2, `${name} jumps`);
  }
  view.follow("spread", [], means, false);
  const places = seen(view.rows, means, dim);
  let most = -1;
  for (let i = 0; i < classes; i++)
    for (let j = 0; j < i; j++) {
      const [a, b] = [places.subarray(3 * i, 3 * i + 3), places.subarray(3 * j, 3 * j + 3)];
      most = Math.max(most, (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / (Math.hypot(...a) * Math.hypot(...b)));
    }
  assert.ok((Math.acos(most) * 180) / Math.PI > 40, "ten classes of a simplex stay 40 degrees apart in the picture");
  // A class that a hand takes: the view turns so that it goes where the hand goes.
  view.turnTo(means.subarray(0, dim), [0.7, 0, 0]);
  const [x] = seen(view.rows, means.subarray(0, dim), dim);
  assert.ok(x > 0.5);
  check(view.rows);
  assert.equal(keptOrder(means, places, dim), null, "all angles of a simplex are one");
  const flat = randomRows(6, 3, 2);
  assert.ok(Math.abs(keptOrder(flat, flat, 3) - 1) < 1e-12 && keptVariance(flat, flat, 3) > 0.999);
});

test("the place under a pointer is drawn under the pointer", () => {
  const pose = { yaw: 0.7, pitch: -0.4, distance: 3 },
    sphere = { w: 400, h: 300 };
  for (const [x, y] of [
    [200, 150],
    [240, 110],
    [150, 190],
  ]) {
    const p = placeUnder(pose, sphere, x, y),
      [px, py, depth] = project(viewProjection(pose, sphere.w, sphere.h), p, sphere);
    assert.ok(Math.abs(Math.hypot(...p) - 1) < 1e-9 && Math.abs(px - x) < 0.01 && Math.abs(py - y) < 0.01);
    assert.ok(depth < pose.distance, "on the near side");
  }
  assert.ok(Math.abs(Math.hypot(...placeUnder(pose, sphere, 5, 5)) - 1) < 1e-9, "beside the sphere, on its outline");
});

test("axes of charts go both ways, and lines on one another have marks", () => {
  for (const last of [10, 1000, 50000])
    for (const share of [0, 0.3, 1]) assert.ok(Math.abs(shareOf(stepAt(share, last), last) - share) < 0.06);
});

test("targets can be taken away, and matching is cheaper than chance", () => {
  const rows = simplex(3, 2),
    file = npyOf(rows, 3, 2),
    text = new TextDecoder("latin1").decode(file.slice(0, 128));
  assert.ok(text.startsWith("\x93NUMPY\x01\x00") && text.includes("(3, 2)") && text.indexOf("\n") % 64 === 63);
  assert.equal(new DataView(file.buffer).getFloat64(text.indexOf("\n") + 1, true), rows[0]);
  const recipes = WAYS.map((name) => new Spreading(name, 4, 3, 1));
  for (let i = 0; i < STEPS; i++) recipes.forEach((one) => one.step());
  const [closed, descended, official] = recipes.map(({ largest }) => largest);
  assert.ok(Math.abs(closed + 1 / 3) < 1e-12 && Math.abs(descended + 1 / 3) < 1e-3 && official > -0.28);
  assert.equal(
    recipes[1].histogram().reduce((sum, n) => sum + n, 0),
    6,
  );
  assert.ok(!new Spreading("closed", 9, 3, 1).exists);
  const { matched, random } = costs(recipes[0].rows, recipes[0].rows, Int32Array.from([0, 1, 2, 3]), 4, 3);
  assert.ok(Math.abs(matched) < 1e-12 && Math.abs(random - 1) < 1e-12);
});
