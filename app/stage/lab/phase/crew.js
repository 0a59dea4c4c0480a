/** Workers that answer in the background, one question after another, and rest between two so that the stage goes on. */

/** @typedef {import("./answers.js").Ask} Ask */
/** @typedef {import("./answers.js").Answer} Answer */
/**
 * @typedef {object} Task
 * @property {string} key
 * @property {Ask} ask
 * @property {Promise<Answer>} answered
 * @property {(answer: Answer) => void} resolve
 * @property {(reason: unknown) => void} reject
 */
/** @typedef {{worker: Worker, task: Task|null, since: number, rests: boolean}} Hand */

/** Who asked is told no more: it was stopped. */
export class Stopped extends Error {}

/** One worker beside the lab's own where there are few cores, else two; and how long it rests, of what it worked. */
const FEW = 4,
  REST = { few: 1.5, many: 0.1 };

export class Crew {
  /** @param {() => Worker} open @param {number} [cores] */
  constructor(open, cores = navigator.hardwareConcurrency || 2) {
    this.open = open;
    this.most = cores > FEW ? 2 : 1;
    this.rest = cores > FEW ? REST.many : REST.few;
    /** @type {Task[]} */
    this.waiting = [];
    /** @type {Hand[]} */
    this.hands = [];
  }

  /** What is asked already is not asked twice. @param {Ask} ask @param {boolean} [first] before all that wait
   * @returns {Promise<Answer>} */
  ask(ask, first = false) {
    const key = JSON.stringify(ask),
      busy = this.hands.find(({ task }) => task?.key === key)?.task,
      at = this.waiting.findIndex((task) => task.key === key);
    if (busy) return busy.answered;
    const task = at < 0 ? taskOf(key, ask) : this.waiting[at];
    if (at >= 0 && first) this.waiting.splice(at, 1);
    if (first) this.waiting.unshift(task);
    else if (at < 0) this.waiting.push(task);
    this.next();
    return task.answered;
  }

  next() {
    while (this.waiting.length) {
      const hand = this.hands.find(({ task, rests }) => !task && !rests) ?? this.hire();
      if (!hand) return;
      const task = /** @type {Task} */ (this.waiting.shift());
      hand.task = task;
      hand.since = performance.now();
      hand.worker.postMessage(task.ask);
    }
  }

  hire() {
    if (this.hands.length >= this.most) return null;
    /** @type {Hand} */
    const hand = { worker: this.open(), task: null, since: 0, rests: false };
    hand.worker.onmessage = ({ data }) => this.told(hand, data);
    hand.worker.onerror = (event) => this.lose(hand, event.message);
    this.hands.push(hand);
    return hand;
  }

  /** @param {Hand} hand @param {Answer} answer */
  told(hand, answer) {
    const { task, since } = hand;
    hand.task = null;
    hand.rests = true;
    task?.resolve(answer);
    const awake = () => {
      hand.rests = false;
      this.next();
    };
    setTimeout(awake, this.rest * (performance.now() - since));
  }

  /** A worker that cannot go on takes what waits with it. @param {Hand} hand @param {string} reason */
  lose(hand, reason) {
    hand.worker.terminate();
    this.hands = this.hands.filter((one) => one !== hand);
    for (const task of [hand.task, ...this.waiting.splice(0)]) task?.reject(new Error(reason));
  }

  /** What waits is not asked; what is being answered still is. */
  drop() {
    for (const { reject } of this.waiting.splice(0)) reject(new Stopped());
  }

  end() {
    this.drop();
    for (const { worker, task } of this.hands.splice(0)) {
      worker.terminate();
      task?.reject(new Stopped());
    }
  }
}

/** @param {string} key @param {Ask} ask @returns {Task} */
function taskOf(key, ask) {
  /** @type {Pick<Task, "resolve"|"reject">} */
  const ends = { resolve: () => {}, reject: () => {} };
  const answered = new Promise((resolve, reject) => Object.assign(ends, { resolve, reject }));
  return { key, ask, answered, ...ends };
}
