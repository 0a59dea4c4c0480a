/** Phase diagrams of the lab: cells and borders against Python, and how they are asked for, kept, played and saved. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { answer } from "../../app/stage/lab/phase/answers.js";
import { border } from "../../app/stage/lab/phase/borders.js";
import { Crew, Stopped } from "../../app/stage/lab/phase/crew.js";
import { Found, foundOf, readFound, writeFound } from "../../app/stage/lab/phase/found.js";
import * as planes from "../../app/stage/lab/phase/plane.js";
import { settingsOf } from "../../app/stage/lab/phase/playing.js";
import { borderOfRuns, OPEN, cellAt, smallestAngle } from "../../app/stage/lab/phase/ends.js";
import { borderPath, scalesOf, shadesOf } from "../../app/stage/lab/phase/scales.js";
import { Survey } from "../../app/stage/lab/phase/survey.js";
import { csvOf } from "../../app/stage/lab/phase/table.js";
import { luminance, parseHex } from "../../app/stage/common/colours.js";
import { Race } from "../../app/stage/lab/race.js";
import { settle } from "../../app/stage/lab/settings.js";

const { ratiosOf, readPlane, rowsOf, samplesOf, settlePlane, writePlane } = planes;
const CASES = JSON.parse(readFileSync(new URL("./phase_cases.json", import.meta.url), "utf8"));
/** Degrees, and of a border itself. */
const ANGLE = 1e-3,
  BORDER = 1e-6;

test("cells and borders are those of Python", () => {
  for (const { plane, rows, ratios, angles, borders } of CASES)
    rows.forEach((row, j) => {
      const what = `${JSON.stringify(plane)}, row ${row}`,
        found = border(plane, row),
        wanted = borders[j] === "never" ? Infinity : borders[j];
      assert.ok(found === wanted || Math.abs(found / wanted - 1) < BORDER, `${what}: ${found}, in Python ${wanted}`);
      ratios.forEach((ratio, i) => {
        const { angle } = cellAt(plane, row, ratio);
        assert.ok(Math.abs(angle - angles[j][i]) < ANGLE, `${what}, ${ratio}: ${angle}, in Python ${angles[j][i]}`);
      });
    });
});

test("runs that know nothing of groups close within five per cent of what THEORY says", () => {
  for (const [asked, row, low, high, wanted] of [
    [{ loss: "ce" }, 5, 10, 16, 12.2],
    [{ loss: "ce", heads: 3, tails: 7 }, 5, 215, 280, 245],
    [{ loss: "supcon", average: "sample", heads: 2, tails: 2 }, 0.5, 100, 178, 132.6],
    [{ loss: "supcon", average: "class" }, 0.5, 56, 100, 82.9],
    [{ loss: "supcon", average: "class" }, 1, 10, 18, 16.9],
  ]) {
    const plane = settlePlane(asked);
    assert.ok(cellAt(plane, row, low).angle > OPEN && cellAt(plane, row, high).angle <= OPEN);
    for (const found of [border(plane, row), borderOfRuns(plane, row, low, high)])
      assert.ok(Math.abs(found / wanted - 1) < 0.05, `${JSON.stringify(asked)} at ${row}: ${found}`);
  }
  const never = settlePlane({ loss: "supcon", average: "sample" });
  assert.equal(border(never, 0.5), Infinity);
  assert.ok(Math.abs(cellAt(never, 0.5, 1e4).angle - 72.2) < 0.1);
});

test("below the dimensions of a simplex theory says nothing, and rows without length are one point", () => {
  const plane = settlePlane({ loss: "supcon", against: "dim" });
  assert.equal(border(plane, 8), null);
  assert.ok(border(plane, 9) > 1e3);
  assert.equal(cellAt(settlePlane({ loss: "ce" }), 1.25, 100).angle, 0);
  assert.equal(smallestAngle(Float64Array.of(1, 0, 1e-9, 0, 0, 1e-9), 2, 1), 0);
  assert.ok(Math.abs(smallestAngle(Float64Array.of(1, 0, 1, 1e-9), 2, 0) - (1e-9 * 180) / Math.PI) < 1e-12);
});

test("a plane is what an address says, within bounds; one question has one name", () => {
  for (const asked of [
    { loss: "bcl", average: "class", against: "dim", heads: 3, tails: 7, temperature: 0.2, grid: "fine" },
    { loss: "ce", heads: 1, tails: 2, grid: "coarse" },
    {},
  ]) {
    const plane = settlePlane(asked);
    assert.deepEqual(readPlane(writePlane(plane)), plane);
  }
  const odd = readPlane("nobody,median,energy,0,1e9,x,huge,more");
  assert.deepEqual(odd, { ...planes.FIRST, heads: 1, tails: 20 });
  assert.equal(
    planes.nameOf(settlePlane({ loss: "ce", average: "class", temperature: 1 })),
    planes.nameOf(settlePlane({ loss: "ce" })),
  );
  for (const against of ["temperature", "energy", "dim"]) {
    const of = (grid) => settlePlane({ loss: against === "energy" ? "ce" : "supcon", against, grid });
    const [few, some, many] = planes.GRIDS.map((grid) => [ratiosOf(of(grid)), rowsOf(of(grid))]);
    for (const k of [0, 1]) {
      // What has been computed for a coarse diagram serves a fine one.
      assert.ok(few[k].every((v) => some[k].includes(v)) && some[k].every((v) => many[k].includes(v)), against);
      assert.ok(many[k].every((v, i) => !i || v > many[k][i - 1]));
    }
    const named = { temperature: [0.5, 1], energy: [5, 10, 20], dim: [3, 9, 10] }[against];
    assert.ok(
      named.every((row) => some[1].includes(row)),
      `${some[1]}`,
    );
    assert.ok(rowsOf(of("medium")).every((row) => planes.fineRowsOf(of("medium")).includes(row)));
  }
});

test("a cell plays in the lab: whole samples in its ratio, and the lab ends where the cell says", () => {
  for (const grid of planes.GRIDS)
    for (const ratio of ratiosOf(settlePlane({ grid }))) {
      const [head, tail] = samplesOf(ratio);
      assert.ok(Math.abs(head / tail / ratio - 1) < 0.006 && head <= 1000 && tail >= 1, `${ratio}: ${head}, ${tail}`);
    }
  for (const [asked, row, ratio] of [
    [{ loss: "ce" }, 5, 10],
    [{ loss: "ce" }, 5, 17.78279410038923],
    [{ loss: "supcon", average: "class" }, 0.5, 56.23413252],
    [{ loss: "bcl", average: "sample", heads: 3, tails: 4 }, 0.5, 10],
    [{ loss: "supcon", against: "dim", temperature: 0.3, average: "class" }, 12, 10],
  ]) {
    const plane = settlePlane(asked),
      cell = cellAt(plane, row, ratio),
      settings = settle(settingsOf(plane, row, ratio, cell.decay));
    assert.deepEqual([settings.losses, settings.classes], [[plane.loss], plane.heads + plane.tails]);
    if (cell.decay !== null) assert.equal(settings.decay, cell.decay, "within the lab's bounds");
    const race = new Race(settings);
    for (let i = 0; i < 1500; i++) race.step();
    const [{ means, columns }] = race.look(false),
      rows = Float64Array.from(plane.loss === "ce" ? columns : means),
      found = smallestAngle(rows, settings.dim, plane.heads);
    assert.ok(Math.abs(found - cell.angle) < 0.6, `${JSON.stringify(asked)} ${row} ${ratio}: ${found}, ${cell.angle}`);
  }
});

/** Workers that answer a little later; what they were asked. */
function workers(reply = answer) {
  const asked = [];
  const open = () => {
    const worker = {
      ended: false,
      postMessage(ask) {
        asked.push(ask);
        setTimeout(() => {
          if (!worker.ended) worker.onmessage({ data: reply(ask) });
        }, 1);
      },
      terminate() {
        worker.ended = true;
      },
    };
    return worker;
  };
  return { asked, open };
}
const quick = (ask) =>
  ask.what === "cell" ? { cell: { angle: ask.ratio > 20 ? 0 : 50, decay: null } } : { imbalance: 19 };

test("all cells are computed, each once; a stop keeps what is there, and going on computes the rest", async () => {
  const { asked, open } = workers(quick),
    crew = new Crew(open, 2),
    plane = settlePlane({ grid: "coarse" }),
    found = new Found(),
    survey = new Survey(crew, plane, found);
  let told = 0;
  const way = survey.run(() => {
    told++;
    if (survey.done === 7) survey.stop();
  });
  assert.equal(survey.state, "running");
  await way;
  assert.equal(survey.state, "idle");
  assert.ok(survey.done >= 7 && survey.done < survey.all && told > 7);
  const wanted = await survey.want(rowsOf(plane)[1], ratiosOf(plane)[1]);
  assert.equal(wanted.angle, 50);
  await survey.run(() => {});
  assert.ok(survey.finished && survey.done === 35);
  const cells = asked.filter(({ what }) => what === "cell").map(({ row, ratio }) => `${row} ${ratio}`);
  assert.equal(new Set(cells).size, cells.length, "nothing is computed twice");
  assert.equal(cells.length, 35);
  assert.equal(asked.filter(({ what }) => what === "closing").length, 5);
  assert.ok(asked.filter(({ what }) => what === "closing").every(({ between: [a, b] }) => a < 20 && b > 20));
  // Another diagram of the same question, later.
  const again = new Survey(crew, plane, found),
    before = asked.length;
  await again.run(() => {});
  assert.equal(asked.length, before);
  crew.end();
});

test("the corners come first, so that a diagram is seen soon", () => {
  const survey = new Survey(new Crew(workers(quick).open, 2), settlePlane({}), new Found());
  const first = survey.missing().slice(0, 4);
  assert.deepEqual(new Set(first.flatMap(([row, ratio]) => [row <= 0.25, ratio < 200])), new Set([true, false]));
  assert.equal(survey.missing().length, 117);
});

test("a cell that fails is said, and the others stay; a worker that fails takes all with it, and may be tried again", async () => {
  const plane = settlePlane({ grid: "coarse" });
  const some = new Survey(
    new Crew(workers((ask) => (ask.ratio > 500 ? { error: "no" } : quick(ask))).open, 2),
    plane,
    new Found(),
  );
  await some.run(() => {});
  assert.deepEqual([some.state, some.lost, some.reason, some.done], ["failed", 5, "no", 30]);
  const { open } = workers(quick);
  let broken = true;
  const crew = new Crew(() => {
    const worker = open();
    if (broken) worker.postMessage = () => setTimeout(() => worker.onerror({ message: "no such file" }), 1);
    return worker;
  }, 2);
  const none = new Survey(crew, plane, new Found());
  await none.run(() => {});
  assert.deepEqual([none.state, none.reason, none.done], ["failed", "no such file", 0]);
  broken = false;
  await none.run(() => {});
  assert.ok(none.finished && none.state === "idle");
  assert.ok("error" in answer({ type: "phase", what: "cell", plane: null, row: 1, ratio: 2 }));
});

test("who stops is told so, and a worker rests between two answers", async () => {
  const { asked, open } = workers(quick),
    crew = new Crew(open, 2);
  const one = crew.ask({ type: "phase", what: "cell", ratio: 1 }),
    two = crew.ask({ type: "phase", what: "cell", ratio: 2 }),
    same = crew.ask({ type: "phase", what: "cell", ratio: 1 });
  assert.equal(same, one);
  crew.drop();
  await assert.rejects(two, Stopped);
  await one;
  assert.equal(asked.length, 1);
  const three = crew.ask({ type: "phase", what: "cell", ratio: 3 });
  assert.equal(asked.length, 1, "it rests");
  await three;
  crew.end();
});

test("what was found outlives a reload, the infinite too", () => {
  const plane = settlePlane({ heads: 2, tails: 2 }),
    found = foundOf(plane);
  assert.equal(foundOf(settlePlane({ heads: 2, tails: 2, grid: "fine" })), found, "one question");
  found.put(0.5, 100, { angle: 19.1, decay: null });
  found.borders.set(0.5, Infinity).set(0.25, null).set(1, 142.8);
  found.closings.set(1, 142);
  const again = readFound(writeFound(new Map([["x", found]]))).get("x");
  assert.deepEqual(again, found);
  assert.throws(() => readFound("[[1]]"));
});

test("the file of cells is that of the command line", () => {
  const plane = settlePlane({ loss: "ce", grid: "coarse" }),
    found = new Found();
  found.put(5, 10, { angle: 58.84123456789, decay: 0.0177 });
  found.borders.set(5, 12.1924);
  found.put(20, 1000, { angle: 0, decay: 0.001 });
  found.borders.set(20, Infinity);
  assert.deepEqual(csvOf(plane, found).split("\n"), [
    "loss,against,average,num_head,num_tail,temperature,seed,row,ratio,tail_angle,predicted_border,border_of_runs",
    "ce,energy,sample,5,5,0.1,page,5.0,10.0,58.84123,12.1924,",
    "ce,energy,sample,5,5,0.1,page,20.0,1000.0,0.0,inf,",
    "",
  ]);
});

test("the border is drawn where it is known, and colours grow lighter or darker all the way", () => {
  const plane = settlePlane({}),
    scales = scalesOf(plane, { x: 0, y: 0, w: 130, h: 90 });
  const close = (found, wanted) => assert.ok(Math.abs(found - wanted) < 1e-6, `${found}, not ${wanted}`);
  close(scales.x(1), 5);
  close(scales.x(1000), 125);
  close(scales.y(1), 5);
  close(scales.y(0.0625), 85);
  const fine = planes.fineRowsOf(plane),
    borders = new Map(fine.map((row, i) => [row, i < 3 ? Infinity : i === 10 ? null : 100]));
  assert.equal(borderPath(plane, borders, scales).match(/M/g).length, 2);
  assert.equal(borderPath(plane, new Map(), scales), "");
  for (const page of ["#fbfbf9", "#0f1216"]) {
    const shade = shadesOf(parseHex(page)),
      light = Array.from({ length: 21 }, (_, i) => luminance(parseHex(shade(i / 20))));
    const signs = new Set(light.slice(1).map((v, i) => Math.sign(v - light[i])));
    assert.equal(signs.size, 1, `${page}: ${light}`);
  }
});
