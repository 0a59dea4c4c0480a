import assert from "node:assert/strict";
import test from "node:test";
import { describeNow } from "../../app/stage/reading/now.js";

const STEPS = [0, 10, 20];
const now = (time, ...states) =>
  describeNow(
    { mode: "follow", held: null, shown: 0, steps: STEPS, ...time },
    states.map((said) => ({ state: said.split("|")[0], reason: said.split("|")[1] ?? null })),
  );

test("a recording plays, is paused, or is held at its end", () => {
  assert.equal(now({}, "finished", "failed"), "Playing from the first step to the last, over and over.");
  assert.equal(now({ mode: "play" }, "finished"), "Playing from the first step to the last, over and over.");
  assert.equal(now({ mode: "hold", held: 10 }, "finished"), "Paused at step 10 of 20.");
  assert.equal(now({ mode: "hold", held: null, shown: 10 }, "finished"), "Paused at step 10 of 20.");
  assert.equal(now({ mode: "hold", held: 20 }, "finished"), "Held at the end, step 20.");
  assert.equal(now({ mode: "follow", steps: [4] }, "finished"), "One step was recorded, so there is nothing to play.");
});

test("a live run is waited for, followed, paused, stopped, or left alone", () => {
  assert.equal(now({ steps: [] }, "queued"), "Waiting for training to start.");
  assert.equal(now({ steps: [] }, "queued", "running"), "Training starts; the picture comes with the first frame.");
  assert.equal(now({}, "running", "paused"), "Training: each step is shown as it comes.");
  assert.equal(now({}, "paused", "paused"), "Training is paused at step 20.");
  assert.equal(now({}, "stopping"), "Training stops after the step it is at.");
  assert.equal(
    now({}, "running", "finished"),
    "Training: each step is shown as it comes. Runs that have ended play over and over.",
  );
  assert.equal(
    now({}, "queued", "finished"),
    "Waiting for training to start. Runs that have ended play over and over.",
  );
  assert.equal(
    now({ mode: "play" }, "running"),
    "Playing what has been recorded; at its end training is followed again.",
  );
  assert.equal(now({ mode: "hold", held: 10 }, "running"), "Paused at step 10; training goes on.");
  assert.equal(now({ mode: "hold", held: 10 }, "paused"), "Paused at step 10 of 20.");
  assert.equal(now({ mode: "hold", held: 20 }, "running"), "Held at step 20, the newest so far.");
});

test("what is done instead of steps is said beside the step that is drawn", () => {
  const teacher = "starting|training the teacher, step 3 of 30.";
  assert.equal(
    now({ steps: [0] }, teacher, "queued"),
    "Step 0 is drawn. Meanwhile: training the teacher, step 3 of 30.",
  );
  assert.equal(now({ steps: [0] }, teacher, "running"), "Training: each step is shown as it comes.");
  assert.equal(
    now({}, "running|judging CE: 3,200 of 10,000 test images."),
    "Step 20 is drawn. Meanwhile: judging CE: 3,200 of 10,000 test images.",
  );
  assert.equal(now({}, "starting"), "Step 20 is drawn, and training goes on from there.");
  assert.equal(now({ steps: [] }, teacher), "Training starts; the picture comes with the first frame.");
  assert.equal(now({}, "paused|by request to bcl."), "Training is paused at step 20.");
});

test("nothing is claimed of what is not there", () => {
  assert.equal(now({}), "");
  assert.equal(now({ steps: [] }, "failed", "lost"), "Nothing was recorded, so there is nothing to show.");
});
