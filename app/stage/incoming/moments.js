/** Moments kept: a run as it stood at one step, frozen in a panel of its own beside the live ones. */
import { readFrame, readRun } from "./frames.js";
import { Run } from "./runs.js";

/** @typedef {{run: string, step: number}} Wish */

/** Panels that a stage has room for, live ones and moments. */
export const MOST_PANELS = 12;

/** One run at one step. It is a run like any other to the picture; only time passes it by. */
export class Moment extends Run {
  /**
   * @param {string} of id of the run
   * @param {number} step that was asked for; the frame may be the one recorded before it
   */
  constructor(of, step) {
    super(`${of}@${step}`);
    this.of = of;
    this.asked = step;
  }

  get step() {
    return this.frame?.header.step ?? this.asked;
  }

  /** @param {import("../common/types.js").RunInfo} info @param {import("../common/types.js").Frame} frame */
  hold(info, frame) {
    if (!this.info) this.setInfo(info);
    this.state = "kept";
    this.receive(frame);
  }
}

/**
 * What an address asks for: `120` is every run at step 120, `bcl-1@120` one run.
 * @param {string|null} text @param {string[]} live ids of the runs shown
 * @returns {Wish[]} each once, none of other runs
 */
export function parseBeside(text, live) {
  const wishes = (text ?? "").split(",").flatMap((item) => {
    const [, run, digits] = /^(?:([a-z0-9-]+)@)?(\d{1,9})$/.exec(item.trim()) ?? [];
    if (digits === undefined) return [];
    return live.filter((id) => run === undefined || id === run).map((id) => ({ run: id, step: Number(digits) }));
  });
  return wishes.filter(({ run, step }, i) => wishes.findIndex((w) => w.run === run && w.step === step) === i);
}

/**
 * The shortest text that `parseBeside` reads back. @param {Wish[]} kept @param {string[]} live
 * @returns {string} "" for nothing
 */
export function formatBeside(kept, live) {
  const steps = [...new Set(kept.map(({ step }) => step))];
  return steps
    .flatMap((step) => {
      const at = kept.filter((wish) => wish.step === step);
      return live.every((id) => at.some(({ run }) => run === id))
        ? [String(step)]
        : at.map(({ run }) => `${run}@${step}`);
    })
    .join(",");
}

export class Moments {
  /**
   * @param {(runs: string[], step: number) => string} address of a stream of these runs that holds this step
   * @param {{changed: () => void, dropped: (moment: Moment) => void, refused: (reason: string) => void}} told
   * @param {(options: import("./socket.js").SourceOptions) => import("./socket.js").Source} openSource
   */
  constructor(address, told, openSource) {
    this.openSource = openSource;
    this.address = address;
    this.told = told;
    /** @type {Map<string, Moment>} in the order of their panels */
    this.kept = new Map();
    /** @type {Set<import("./socket.js").Source>} those that still wait for a moment's frame */
    this.sockets = new Set();
  }

  /** @returns {Wish[]} */
  get wishes() {
    return [...this.kept.values()].map((moment) => ({ run: moment.of, step: moment.step }));
  }

  /**
   * Freezes what runs show now; those kept already stay as they are. @param {Run[]} runs
   * @param {number} live panels there are @returns {boolean} false: no room
   */
  keep(runs, live) {
    const fresh = runs.flatMap(({ id, info, frame }) =>
      info && frame && !this.kept.has(`${id}@${frame.header.step}`) ? [{ id, info, frame }] : [],
    );
    if (live + this.kept.size + fresh.length > MOST_PANELS) return false;
    for (const { id, info, frame } of fresh) this.add(id, frame.header.step).hold(info, frame);
    if (fresh.length) this.told.changed();
    return true;
  }

  /**
   * Fetches moments that an address asks for. @param {Wish[]} wishes @param {number} live panels there are
   * @returns {boolean} false: no room for all of them
   */
  ask(wishes, live) {
    const fresh = wishes.filter(({ run, step }) => !this.kept.has(`${run}@${step}`)),
      room = Math.max(0, MOST_PANELS - live - this.kept.size);
    fresh.slice(0, room).forEach(({ run, step }) => this.add(run, step));
    this.fetch([...this.kept.values()].filter((moment) => !moment.frame));
    if (fresh.length) this.told.changed();
    return fresh.length <= room;
  }

  /** Asks for all of them once more, as in another projection. */
  renew() {
    this.close();
    this.fetch([...this.kept.values()]);
  }

  /** @param {string} id of a moment */
  drop(id) {
    const moment = this.kept.get(id);
    if (!moment) return;
    this.kept.delete(id);
    this.told.dropped(moment);
    this.told.changed();
  }

  /** Runs that leave take their moments along. @param {string[]} live */
  prune(live) {
    for (const [id, moment] of this.kept) if (!live.includes(moment.of)) this.drop(id);
  }

  /** @param {string} run @param {number} step */
  add(run, step) {
    const moment = new Moment(run, step);
    this.kept.set(moment.id, moment);
    return moment;
  }

  /**
   * A socket a step, that holds it until every frame is there: the live stream's clock goes on undisturbed.
   * @param {Moment[]} moments
   */
  fetch(moments) {
    for (const step of new Set(moments.map(({ asked }) => asked))) {
      const waiting = new Map(moments.filter(({ asked }) => asked === step).map((moment) => [moment.of, moment]));
      /** @type {Map<string, import("../common/types.js").RunInfo>} */
      const infos = new Map();
      const socket = this.openSource({
        address: () => this.address([...waiting.keys()], step),
        onLink: (link, detail) => link === "refused" && this.told.refused(detail),
        onMessage: (header, buffer, offset) => {
          const moment = waiting.get(header.run);
          if (!moment) return;
          if (header.type === "run") infos.set(header.run, readRun(buffer, header, offset));
          const info = moment.info ?? infos.get(header.run);
          if (!("step" in header) || !info) return;
          moment.hold(info, readFrame(buffer, header, offset));
          this.told.changed();
          // While a projection is being computed another one stands in for it, and a first look for all points; the
          // right one comes over the same socket.
          if (!header.projection?.pending && !moment.pending?.rows) waiting.delete(header.run);
          if (!waiting.size) this.end(socket);
        },
      });
      this.sockets.add(socket);
      socket.open();
    }
  }

  /** @param {import("./socket.js").Source} socket */
  end(socket) {
    socket.close();
    this.sockets.delete(socket);
  }

  close() {
    for (const socket of this.sockets) this.end(socket);
  }
}
