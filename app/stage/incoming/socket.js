/** The stream's WebSocket: opens, answers every frame, comes back by itself after a break. */
import { whyNoStream } from "./diagnosis.js";
import { splitMessage } from "./frames.js";

/** @typedef {"connecting"|"open"|"silent"|"waiting"|"refused"|"closed"} Link */
/**
 * @typedef {object} SourceOptions   what every source of messages is given
 * @property {() => string} address  asked anew at each attempt: the step to hold may have changed
 * @property {(header: any, buffer: ArrayBuffer, offset: number) => void} onMessage
 * @property {(link: Link, detail: string) => void} onLink
 * @property {(trouble: import("./diagnosis.js").Trouble) => void} [onTrouble]  why no socket opens
 */
/**
 * @typedef {{open: () => void, close: () => void, send: (message: object) => boolean}} Source where messages come from:
 * the stream, or a replay
 */

const FIRST_WAIT_MS = 250,
  LONGEST_WAIT_MS = 2000;
/** After so many attempts in a row that never opened it is asked why, and after as many again. */
const ASK_AFTER = 3;
const LOOK_MS = 250;
/** The server says something at least every second. One that is silent for so long has stopped, or the network has. */
const SILENT_MS = 2400;
/** After so long it is looked for anew: until then the socket may only be slow, and one that goes on is the quickest. */
const GONE_MS = 20000;
/** A look that comes so late tells of a page that was asleep or busy: the next words of a server may be on their way. */
const OWN_PAUSE_MS = 1000,
  GRACE_MS = 1000;
/** Policy violation, and the range that applications use: the server has said no, and asking again will not help. */
const isRefusal = (/** @type {number} */ code) => code === 1008 || (code >= 4400 && code < 4500);

/**
 * @param {import("../common/types.js").StageData} data @param {number|null} hold step to hold from the start
 * @param {string} base address of the page @returns {string} ws:// or wss:// address
 */
export function streamAddress(data, hold, base) {
  const url = new URL(data.stream, base);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("runs", data.runs.join(","));
  url.searchParams.set("token", data.token);
  if (data.hz) url.searchParams.set("hz", String(data.hz));
  if (data.projection) url.searchParams.set("projection", data.projection);
  if (hold !== null) url.searchParams.set("step", String(hold));
  return url.href;
}

export class StreamSocket {
  /**
   * @param {SourceOptions} options @param {(address: string) => WebSocket} [open] for tests
   * @param {typeof whyNoStream} [why] for tests
   */
  constructor({ address, onMessage, onLink, onTrouble = () => {} }, open = (a) => new WebSocket(a), why = whyNoStream) {
    this.address = address;
    this.onMessage = onMessage;
    this.onLink = onLink;
    this.onTrouble = onTrouble;
    this.openSocket = open;
    this.why = why;
    /** @type {WebSocket|null} */
    this.socket = null;
    this.attempts = 0;
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setInterval>|undefined} looks for silence */
    this.looking = undefined;
    /** When something was last heard, or there was nobody to hear it, ms. */
    this.heard = 0;
    this.silent = false;
  }

  open() {
    this.close();
    this.onLink("connecting", "");
    const address = this.address(),
      socket = (this.socket = this.openSocket(address));
    socket.binaryType = "arraybuffer";
    this.listen();
    socket.onopen = () => {
      this.attempts = 0;
      this.heard = performance.now();
      this.silent = false;
      this.onLink("open", "");
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.socket = null;
      clearInterval(this.looking);
      if (isRefusal(event.code)) return this.onLink("refused", event.reason);
      this.wait();
      if (this.attempts === ASK_AFTER) this.ask(address);
    };
  }

  /** Tries again after a while. */
  wait() {
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.attempts++);
    this.timer = setTimeout(() => (this.attempts > ASK_AFTER ? this.knock() : this.open()), wait);
    this.onLink("waiting", String(this.attempts));
  }

  /** Opens a socket once anybody answers at all: of many that fail, a browser holds the next ones back for seconds. */
  async knock() {
    const timer = this.timer,
      trouble = await this.why(this.address());
    if (this.timer !== timer || this.socket) return;
    if (trouble.status !== null) this.open();
    else this.wait();
    if (this.attempts % ASK_AFTER === 0) this.onTrouble(trouble);
  }

  /** Watches for silence until the socket closes: one that no longer leads anywhere never says so. */
  listen() {
    clearInterval(this.looking);
    this.silent = false;
    let looked = (this.heard = performance.now());
    this.looking = setInterval(() => {
      const now = performance.now();
      if (now - looked > OWN_PAUSE_MS) this.heard = Math.max(this.heard, now - SILENT_MS + GRACE_MS);
      looked = now;
      const quiet = now - this.heard;
      if (quiet > GONE_MS) return this.open();
      if (this.silent || quiet < SILENT_MS) return;
      this.silent = true;
      this.onLink("silent", "");
    }, LOOK_MS);
  }

  /** Something came. */
  hear() {
    this.heard = performance.now();
    if (!this.silent) return;
    this.silent = false;
    if (this.socket?.readyState === 1) this.onLink("open", "");
  }

  /** @param {string} address that did not open */
  async ask(address) {
    const trouble = await this.why(address);
    if (this.attempts > 0) this.onTrouble(trouble);
  }

  /** Ends the stream for good, or until `open`. */
  close() {
    clearTimeout(this.timer);
    this.timer = undefined;
    clearInterval(this.looking);
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onclose = socket.onmessage = socket.onopen = null;
    socket.close();
  }

  /** @param {ArrayBuffer|string} data */
  receive(data) {
    if (typeof data === "string") throw new Error("The stream sends binary messages; this one is text.");
    const { header, offset } = splitMessage(data);
    this.hear();
    if (header.type === "beat") return;
    // Answered before it is used: the answer says that the frame has arrived, and a page too busy to draw is too busy
    // to get here.
    if (header.step !== undefined && header.seq !== undefined) this.send({ ack: header.seq });
    this.onMessage(header, data, offset);
  }

  /** @param {object} message @returns {boolean} whether there was a socket to take it */
  send(message) {
    if (this.socket?.readyState !== 1) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }
}
