/** Why a stream does not open, which a WebSocket never says: asked of the same address in plain HTTP. Pure. */

/**
 * @typedef {{address: string, status: number|null, reason: string}} Trouble status null: no answer at all; reason:
 * ltviz's own sentence, "" where somebody else answered
 */

const LONGEST = 400,
  PATIENCE_MS = 4000;

/**
 * @param {string} address ws:// or wss:// with its query @param {typeof fetch} [ask] for tests
 * @returns {Promise<Trouble>} its `address` is without the query, which holds the token
 */
export async function whyNoStream(address, ask = fetch) {
  const url = new URL(address);
  url.protocol = url.protocol.replace("ws", "http");
  const place = url.origin + url.pathname;
  try {
    const answer = await ask(url.href, { method: "POST", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    const ours = answer.headers.get("x-ltviz") === "stream";
    return { address: place, status: answer.status, reason: ours ? (await answer.text()).slice(0, LONGEST) : "" };
  } catch {
    return { address: place, status: null, reason: "" };
  }
}

/**
 * @param {Trouble} trouble @param {import("../words.js").Words} words
 * @returns {[string, string]} what is missing and where, and what to do
 */
export function describeTrouble({ address, status, reason }, words) {
  const what = words.noStream.replace("{address}", () => address);
  if (status === null) return [what, words.noAnswer];
  if (reason) return [what, reason];
  return [what, words.strangeAnswer.replace("{status}", String(status))];
}
