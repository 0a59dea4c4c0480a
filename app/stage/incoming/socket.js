/** The stream's WebSocket: opens, answers every frame, comes back by itself after a break. */
import { whyNoStream } from "./diagnosis.js";
import { splitMessage } from "./frames.js";

/** @typedef {"connecting"|"open"|"waiting"|"refused"|"closed"} Link */
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
/** After so many attempts in a row that never opened it is asked why; and after as many again. */
const ASK_AFTER = 3;
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
  }

  open() {
    this.close();
    this.onLink("connecting", "");
    const address = this.address(),
      socket = (this.socket = this.openSocket(address));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.attempts = 0;
      this.onLink("open", "");
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (isRefusal(event.code)) return this.onLink("refused", event.reason);
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.attempts++);
      this.timer = setTimeout(() => this.open(), wait);
      this.onLink("waiting", String(this.attempts));
      if (this.attempts % ASK_AFTER === 0) this.ask(address);
    };
  }

  /** @param {string} address that did not open */
  async ask(address) {
    const trouble = await this.why(address);
    if (this.attempts > 0) this.onTrouble(trouble);
  }

  /** Ends the stream for good, or until `open`. */
  close() {
    clearTimeout(this.timer);
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
