/** The lab's worker: steps as fast as is asked for, and tells what is to be seen as often as it is drawn. */
import { answer } from "./phase/answers.js";
import { Race } from "./race.js";
import { answerTo } from "./theory/question.js";

/**
 * @typedef {object} Order   what the page says
 * @property {"begin"|"change"|"pace"|"step"|"perturb"|"hold"|"release"|"restore"|"seen"|"forces"|"predict"} type
 * @property {import("./settings.js").Settings} [settings]
 * @property {number} [speed]     steps a second; 0: as fast as it can; negative: none
 * @property {number} [size]
 * @property {string[]} [ids]     panels in which a class is held; none: all
 * @property {number} [c]
 * @property {Float32Array} [to]
 * @property {import("./race.js").Snapshot[]} [seen]
 * @property {boolean} [on]
 * @property {number} [until]     step at which it stops
 * @property {string} [key]       a question to theory, as text
 */

/** Milliseconds: a turn of steps, and between two looks. */
const TURN = 12,
  LOOK = 30,
  MOST_KEPT = 48;

const self_ = /** @type {any} */ (self);
/** @type {Race|null} */
let race = null;
let speed = -1,
  until = Infinity,
  forces = false,
  /** The page has drawn what it was told. */
  drawn = true,
  /** @type {import("./race.js").Snapshot[][]} looks that it has not been told of yet, so that no way is lost */
  kept = [],
  looked = 0,
  /** Something is to be told at once. */
  stale = false,
  /** It is a single step that was asked for. */
  stepped = false,
  told = 0,
  /** When, and at which step, the present speed began. */
  since = 0,
  from = 0,
  /** Steps a second, as they come. */
  pace = 0;
/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer;

/** @param {number} now */
function look(now) {
  if (!race) return;
  looked = now;
  if (kept.at(-1)?.[0]?.step === race.steps) kept.pop();
  kept.push(race.look(forces));
  if (kept.length > MOST_KEPT) kept = kept.filter((_, i) => i % 2 === 0 || i === kept.length - 1);
}

/** @param {number} now */
function tell(now) {
  if (!race || !drawn) return;
  if (stale) look(now);
  drawn = stale = false;
  told = now;
  self_.postMessage({ type: "look", step: race.steps, pace, looks: kept, stepped });
  kept = [];
  stepped = false;
}

/** @param {number} now */
function begin(now) {
  since = now;
  from = race?.steps ?? 0;
}

function turn() {
  timer = undefined;
  if (!race) return;
  const now = performance.now(),
    before = race.steps;
  if (speed >= 0) {
    const due = speed === 0 ? Infinity : Math.floor(((now - since) / 1000) * speed) - (race.steps - from);
    let left = Math.min(due, until - race.steps);
    while (left > 0 && performance.now() - now < TURN) {
      race.step();
      left--;
    }
    // A machine that is too slow for this speed has no debts.
    if (left > 0 && speed > 0) begin(performance.now());
    const end = performance.now();
    if (race.steps > before && speed === 0) pace += 0.1 * ((race.steps - before) / ((end - now) / 1000) - pace);
    else if (speed > 0) pace = speed;
    if (race.steps > before && end - looked >= LOOK) look(end);
    if (kept.length && end - told >= LOOK) tell(end);
  }
  if (stale) tell(performance.now());
  const waits = speed === 0 && race.steps < until ? 0 : speed > 0 ? Math.min(LOOK, 1000 / speed / 2) : LOOK;
  if (speed >= 0 || stale) timer = setTimeout(turn, waits);
}

function wake() {
  if (timer === undefined) timer = setTimeout(turn);
}

/** @param {{data: Order|import("./phase/answers.js").Ask}} event */
self_.onmessage = ({ data }) => {
  // Another worker of the same kind runs the cells of a phase diagram.
  if (data.type === "phase") return void self_.postMessage(answer(data));
  // Of a worker that does nothing else.
  if (data.type === "predict")
    return void self_.postMessage({ type: "predicted", key: data.key, answer: answerTo(JSON.parse(data.key ?? "")) });
  const now = performance.now();
  if (data.type === "seen") drawn = true;
  else if (data.type === "forces") [forces, stale] = [data.on ?? false, true];
  else if (data.type === "pace") {
    [speed, until] = [data.speed ?? -1, data.until ?? Infinity];
    begin(now);
  } else {
    act(data);
    // What was before is no part of another race, or of another past.
    if (!["step", "hold", "release"].includes(data.type)) kept = [];
    stale = true;
    begin(now);
  }
  wake();
};

/** @param {Order} order */
function act(order) {
  const { settings } = order;
  if (order.type === "begin" && settings) race = new Race(settings);
  else if (order.type === "change" && settings) race?.change(settings);
  else if (order.type === "step") {
    race?.step();
    stepped = true;
  } else if (order.type === "perturb") race?.perturb(order.size ?? 0.1);
  else if (order.type === "hold") race?.hold(order.ids ?? [], order.c ?? 0, order.to ?? new Float32Array(0));
  else if (order.type === "release") race?.release();
  else if (order.type === "restore") race?.restore(order.seen ?? []);
}
