/**
 * A page's part in a class. Whoever leads says a few times a second what differs from what was said last; who follows
 * goes where that is and shows the same, until their own hand moves something.
 */
import { serverAddress } from "../common/address.js";
import { StreamSocket } from "../incoming/socket.js";
import { readSettings, writeSettings } from "../lab/settings.js";
import { alike } from "../scene/choices.js";
import { Bar } from "./bar.js";
import { present } from "./present.js";
import { applySight, NOTHING, sightOf } from "./sight.js";

/** @typedef {import("../common/messages.js").LeadHeader} LeadHeader */
/** @typedef {{page: LeadHeader["page"], search: string}} Place */
/** @typedef {{key: string, title: string, options?: string[], low?: number, high?: number}} Asked  a lesson's question */
/**
 * @typedef {object} ClassData   what the page gives
 * @property {string} stream     address of the WebSocket route
 * @property {string} token
 * @property {string} code       of the class
 * @property {string|null} lead  the secret of whoever leads; null: this page follows
 * @property {Place} place       where this page is
 * @property {Asked|null} ask    what it asks here
 * @property {{question: string, said: number}|null} answer  what was answered here
 * @property {string} share      what the class link says beside the code
 * @property {string} over       why there is no such class any more; "" where there is
 * @property {Record<string, string>} words
 */
/** @typedef {(name: "go"|"left"|"claim", value: unknown) => void} Tell  what the page's script is told */

const LOOK_MS = 80;
/** So long after something was done by hand a change is the hand's. */
const HAND_MS = 60;
const BINS = 10;
/** A page that has not come in this time is asked once more, so often. */
const GO_AGAIN_MS = 4000,
  MOST_TRIES = 5;

export class Attendance {
  /** @param {ClassData} data @param {Tell} tell */
  constructor(data, tell) {
    this.data = data;
    this.tell = tell;
    this.bar = new Bar(data.words);
    /** @type {import("../incoming/socket.js").Link} */
    this.link = "connecting";
    this.refusal = "";
    /** @type {import("../common/messages.js").ClassHeader["state"]} */
    this.state = "away";
    this.followers = 0;
    /** @type {import("../common/messages.js").TallyHeader|null} */
    this.tally = null;
    this.alone = false;
    /** What is led to. @type {LeadHeader|null} */
    this.lead = null;
    /** What of it was taken over last. @type {LeadHeader|null} */
    this.applied = null;
    this.applying = false;
    /** When the page's script is asked once more where it has not come, and how often it was. */
    this.goAgainAt = 0;
    this.tries = 0;
    /** Where the page's script was asked to go last. */
    this.gone = "";
    /** What the stage was given to show when it was looked at last. */
    this.given = "";
    /** What was said last. @type {import("./sight.js").Sight & Place|null} */
    this.seen = null;
    this.seenAt = 0;
    /** @type {string|null} */
    this.asked = null;
    this.answered = "";
    this.copied = false;
    /** @type {WeakSet<HTMLElement>} stages whose hands are watched */
    this.watched = new WeakSet();
    this.handAt = -Infinity;
    this.holding = false;
    this.socket = new StreamSocket({
      address: () => this.address(),
      onMessage: (header) => this.receive(header),
      onLink: (link, detail) => this.linked(link, detail),
      onTrouble: ({ reason }) => reason && this.refuse(reason),
    });
    this.join();
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  join() {
    this.keepSecret();
    if (this.data.over) this.refuse(this.data.over);
    else this.socket.open();
  }

  /** @param {string} reason */
  refuse(reason) {
    this.socket.close();
    this.linked("refused", reason);
  }

  /** A reload of the page must not cost whoever leads the class. */
  keepSecret() {
    const { code, lead } = this.data,
      key = `ltviz.class.${code}`;
    try {
      if (lead) sessionStorage.setItem(key, lead);
      else if (sessionStorage.getItem(key)) this.tell("claim", sessionStorage.getItem(key));
    } catch {
      // A browser that forbids storage: after a reload somebody else leads.
    }
  }

  address() {
    const { stream, token, code, lead } = this.data,
      url = new URL(serverAddress(stream), document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    for (const [name, value] of Object.entries({ class: code, token, ...(lead ? { lead } : {}) }))
      url.searchParams.set(name, value);
    return url.href;
  }

  /** The page's script has run again. @param {ClassData} data */
  setData(data) {
    const before = this.data;
    this.data = data;
    if (data.code !== before.code || data.lead !== before.lead) {
      [this.lead, this.applied, this.seen, this.asked, this.alone] = [null, null, null, null, false];
      this.state = "away";
      this.join();
    }
    // Who goes elsewhere without being taken there looks around alone.
    const moved = !alike(data.place, before.place);
    if (moved && !data.lead && this.lead && !this.isHere() && this.gone !== placeKey(data.place)) this.goAlone();
    if (moved) this.applied = null;
    this.look();
  }

  /** Leaves it for good. */
  end() {
    clearInterval(this.timer);
    this.socket.close();
    this.bar.root.remove();
  }

  /** @param {import("../incoming/socket.js").Link} link @param {string} detail */
  linked(link, detail) {
    this.link = link;
    this.refusal = link === "refused" ? detail : "";
    if (link === "open") [this.seen, this.asked, this.answered] = [null, null, ""];
    this.write();
  }

  /** @param {any} header */
  receive(header) {
    if (header.type === "class") [this.state, this.followers] = [header.state, header.followers];
    else if (header.type === "tally") this.tally = header;
    else if (header.type === "lead") this.lead = header;
    if (this.state === "ended") this.socket.close();
    this.look();
  }

  look() {
    if (this.state !== "ended" && this.link === "open") {
      if (this.data.lead) this.show();
      else this.follow();
    }
    this.write();
  }

  // ------------------------------------------------------------------ leading

  /** Where this page is, as followers' pages are told. @returns {Place} */
  place() {
    const { place } = this.data,
      lab = place.page === "geometry" ? present()?.lab : null;
    return lab ? { page: place.page, search: new URL(writeSettings("http://here/", lab.settings)).search } : place;
  }

  show() {
    const now = performance.now(),
      stage = present()?.stage;
    const sight = stage ? sightOf(stage, this.seen, now - this.seenAt) : NOTHING;
    const seen = { ...this.place(), ...sight };
    const ask = questionOf(this.data.ask),
      asked = JSON.stringify(ask);
    const sent = { ...(alike(seen, this.seen) ? {} : { seen }), ...(asked === this.asked ? {} : { ask }) };
    if (!Object.keys(sent).length || !this.socket.send(sent)) return;
    if ("seen" in sent) {
      // What runs on by itself is looked at anew a while after it was told.
      this.seenAt = now;
      this.seen = seen;
    }
    this.asked = asked;
  }

  async copyLink() {
    const { code, share, words } = this.data,
      root = /** @type {any} */ (window).ltviz?.root ?? new URL(".", document.baseURI).href;
    const link = `${root}?class=${encodeURIComponent(code)}${share}`;
    try {
      await navigator.clipboard.writeText(link);
      this.copied = true;
      setTimeout(() => ((this.copied = false), this.write()), 4000);
      this.write();
    } catch {
      this.bar.showLink(link);
    }
    return words.copied;
  }

  // ---------------------------------------------------------------- following

  /** Whether this page is where the class is. */
  isHere() {
    return this.lead !== null && placeKey(this.place()) === placeKey(this.lead);
  }

  follow() {
    const { lead, data } = this,
      here = present();
    this.sayAnswer();
    if (!lead || this.alone) return;
    if (here) this.watchHand(here.stage);
    if (!this.isHere()) {
      // The lab is set without its page's script.
      if (lead.page === "geometry" && data.place.page === "geometry" && here?.lab)
        return void here.lab.change(readSettings(lead.search));
      const key = placeKey(lead);
      if (this.gone === key && performance.now() < this.goAgainAt) return;
      this.tries = this.gone === key ? this.tries + 1 : 0;
      this.gone = key;
      if (this.tries > MOST_TRIES) return;
      // A page that is just being run again for another reason may lose what it was told.
      this.goAgainAt = performance.now() + GO_AGAIN_MS;
      setTimeout(() => this.look(), GO_AGAIN_MS + 50);
      this.tell("go", { page: lead.page, search: lead.search });
      return;
    }
    this.gone = placeKey(lead);
    if (!here || !here.stage.shown.some((run) => run.info)) return;
    this.lookAnew(here.stage);
    if (this.applied === lead) return;
    this.applying = true;
    applySight(here.stage, lead, this.applied);
    this.applying = false;
    this.applied = lead;
  }

  /** A lesson that sets its stage does so after the class has gone there: then all is taken over once more.
   * @param {import("../assembly.js").Stage} stage */
  lookAnew({ data, scene }) {
    const { look, step, play, turn } = scene.now ?? {};
    const given = JSON.stringify([data.view, data.runs, look, step, play]);
    if (given !== this.given && !turn) this.applied = null;
    this.given = given;
  }

  sayAnswer() {
    const { answer } = this.data;
    if (!answer || this.lead?.question !== answer.question) return;
    const said = JSON.stringify(answer);
    if (said !== this.answered && this.socket.send({ answer })) this.answered = said;
  }

  /** @param {import("../assembly.js").Stage} stage */
  watchHand(stage) {
    const { root, choices, timeline } = stage;
    if (this.watched.has(root)) return;
    this.watched.add(root);
    const touch = () => (this.handAt = performance.now());
    for (const type of ["wheel", "keydown", "click", "change", "input"])
      root.addEventListener(type, touch, { capture: true, passive: true });
    root.addEventListener("pointerdown", () => (this.holding = true), true);
    for (const type of ["pointerup", "pointercancel"])
      window.addEventListener(type, () => ((this.holding = false), touch()), true);
    for (const type of ["click", "input", "keydown"]) timeline.root.addEventListener(type, () => this.goAlone());
    choices.watch((changed) => {
      const byHand = this.holding || performance.now() < this.handAt + HAND_MS;
      const seen = [...changed].some((group) => group !== "ring" && group !== "focus");
      if (byHand && seen && !this.applying) this.goAlone();
    });
  }

  goAlone() {
    if (this.data.lead || this.alone || !this.lead || this.state === "ended") return;
    this.alone = true;
    this.write();
  }

  comeBack() {
    [this.alone, this.applied, this.gone] = [false, null, ""];
    this.look();
  }

  // -------------------------------------------------------------------- the bar

  write() {
    const { data, bar, state, link } = this,
      { words } = data;
    const over = state === "ended" || link === "refused";
    const close = { name: words.dismiss, act: () => this.tell("left", true) };
    if (over)
      return void (
        bar.write(state === "ended" ? "ended" : "refused", this.refusal, null, [close]),
        bar.writeTally(null)
      );
    if (link !== "open") return bar.write(["waiting", "silent"].includes(link) ? "lost" : "joining", "", null, []);
    if (data.lead) {
      const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
      const copy = { name: this.copied ? words.copied : words.link, act: () => void this.copyLink(), strong: true };
      const end = { name: words.end, act: () => void this.socket.send({ end: true }) };
      bar.write("leading", this.copied && local ? words.onlyHere : "", this.followers, [copy, end]);
      return this.writeTally();
    }
    const back = { name: words.back, act: () => this.comeBack(), strong: true };
    const alone = { name: words.leave, act: () => this.goAlone() };
    if (this.alone) return bar.write("alone", "", null, [back]);
    bar.write(state === "away" ? "away" : this.lead ? "following" : "joining", "", null, [alone]);
  }

  writeTally() {
    const { ask } = this.data,
      { tally, bar } = this;
    if (!ask || !tally || tally.question !== ask.key) return bar.writeTally(null);
    const { low = 0, high = 1 } = ask,
      edge = (/** @type {number} */ i) => String(Number((low + ((high - low) * i) / BINS).toPrecision(3)));
    const bins = tally.counts.map((_, i) =>
      this.data.words.bin.replace("{low}", edge(i)).replace("{high}", edge(i + 1)),
    );
    bar.writeTally({
      ...tally,
      question: ask.key,
      followers: this.followers,
      names: ask.options ?? bins,
      title: ask.title,
    });
  }
}

/** @param {Place} place */
const placeKey = ({ page, search }) => `${page}?${search.replace(/^\?/, "")}`;

/** What the server is told of a question: how many options it has, never their names. @param {Asked|null} ask */
function questionOf(ask) {
  if (!ask) return null;
  return ask.options ? { key: ask.key, options: ask.options.length } : { key: ask.key, low: ask.low, high: ask.high };
}
