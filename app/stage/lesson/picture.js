/** What a step of a lesson shows: runs on one stage, or a geometry lab of the step's own. */
import { make } from "../common/dom.js";
import { Lab } from "../lab/lab.js";

/** @typedef {import("../common/types.js").StageData} StageData */
/** @typedef {import("../assembly.js").Stage} Stage */
/** @typedef {import("./player.js").Step} Step */
/**
 * @typedef {object} LabGiven   what the file holds for its labs
 * @property {import("../lab/lab.js").LabData} data
 * @property {string} worker    its source
 * @property {Partial<import("../words.js").Words>} words
 */
/**
 * @typedef {object} Means      what opens what
 * @property {(data: StageData) => Stage} stage                          on the file's recordings
 * @property {import("../lab/lab.js").OpenStage} labStage
 * @property {(source: string) => () => Worker} workers
 */

export class LessonPicture {
  /** @param {StageData} data @param {LabGiven|null} lab @param {Means} means */
  constructor(data, lab, means) {
    this.data = data;
    this.given = lab;
    this.means = means;
    this.openWorker = means.workers(lab?.worker ?? "");
    this.root = make("div", "ltn-stage");
    /** @type {Stage|null} */
    this.stage = null;
    /** @type {Lab|null} */
    this.lab = null;
  }

  /** @param {Step} step @param {number} turn how often play was pressed @param {boolean} [pointing] at a class */
  show(step, turn, pointing = false) {
    if (step.geometry) this.showLab(step, turn);
    else this.showRuns(step, turn, pointing);
  }

  /** @param {Step} lessonStep @param {number} turn @param {boolean} pointing */
  showRuns(lessonStep, turn, pointing) {
    this.endLab();
    const { title, runs, look, step, play, wait } = lessonStep;
    const scene = { look, step: step ?? null, play: play ?? null, turn, ...wayOf(lessonStep, turn) };
    const told = lessonStep.told[turn ? 1 : 0].join(" ");
    const data = { ...this.data, runs, scene, step: null, caption: title, wait, told, pointing };
    if (this.stage) this.stage.setData(data);
    else this.stage = this.means.stage(data);
    if (!this.root.contains(this.stage.root)) this.stage.attach(this.root);
  }

  /** @param {Step} step @param {number} turn */
  showLab(step, turn) {
    if (!this.given) return;
    this.stage?.detach();
    const { data, words } = this.given,
      { geometry = "", look, wait, told } = step;
    const scene = { look, step: turn || wait ? null : 0, play: null, turn, ...wayOf(step, turn) };
    const lesson = { search: geometry, scene, words, wait, told: told[turn ? 1 : 0].join(" ") };
    const given = { ...data, file: true, lesson },
      before = this.lab?.data.lesson;
    if (this.lab && before?.search === geometry && before.wait?.setting === wait?.setting)
      return this.lab.setData(given);
    this.endLab();
    this.lab = new Lab(given, this.openWorker, this.means.labStage);
    this.lab.attach(this.root);
  }

  endLab() {
    this.lab?.end();
    this.lab = null;
  }
}

/** Whether there is something for Play to begin. @param {Step} step */
export const plays = ({ wait, ask, play, geometry }) => !wait && Boolean(ask || play || geometry);

/** Cameras to travel over: at once, or with Play where there is one. @param {Step} step @param {number} turn */
const wayOf = (step, turn) => (step.path && (turn || !plays(step)) ? { path: step.path, seconds: step.seconds } : {});
