import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { gzipSync } from "node:zlib";
import { ReplaySource } from "../../app/stage/incoming/replay.js";
import { addressOfFile, Site } from "../../app/stage/incoming/site.js";

const message = (header) => {
  const text = new TextEncoder().encode(JSON.stringify(header));
  return Uint8Array.from([text.length & 255, text.length >> 8, 0, 0, ...text]);
};
const nameOf = (number) => number.toString(16).padStart(20, "0");

/** A host of files that can be gone, slow, or lack some. */
class Host {
  constructor() {
    this.files = new Map();
    this.asked = [];
    this.down = false;
    this.get = async (address) => {
      this.asked.push(address);
      if (this.down) throw new TypeError("Failed to fetch");
      const found = this.files.get(address);
      return found ? new Response(found) : new Response("", { status: 404 });
    };
  }

  put(number, bytes) {
    this.files.set(addressOfFile(nameOf(number)), gzipSync(bytes));
    return nameOf(number);
  }

  tell(steps, { chapters = [], state = "running", over = false, generation = "1", moves = null } = {}) {
    const header = this.put(9999, message({ type: "run", run: "a-1" }));
    const frames = steps.map((step) => this.put(step, message({ run: "a-1", step, seq: 0, time: 0, n: 0 })));
    const part = {
      run: "a-1",
      generation,
      state: { state, reason: null, events: [] },
      header,
      moves,
      chapters,
      steps,
      frames,
    };
    this.files.set("list.json", JSON.stringify({ every: 1, over, runs: [part] }));
  }
}

function open(host, search = "runs=a-1") {
  const site = new Site(["a-1"], "list.json", host.get),
    said = [],
    links = [];
  const source = new ReplaySource(site, {
    address: () => `ws://x/replay?${search}`,
    onLink: (link) => links.push(link),
    onMessage: (header) => said.push(header),
  });
  source.open();
  const shown = () => said.filter((header) => "step" in header).map(({ step }) => step);
  return { site, source, said, links, shown };
}
const until = async (true_) => {
  for (let i = 0; i < 1000 && !true_(); i++) await new Promise((done) => setTimeout(done, 10));
  assert.ok(true_());
};

test("names of files are letters of a fingerprint and lead nowhere else", () => {
  assert.equal(addressOfFile("0123456789abcdef0123"), "files/01/23456789abcdef0123.bin");
  for (const name of ["../../../etc/passwd12", "https://elsewhere.org/", 7, null, "0123456789ABCDEF0123"])
    assert.throws(() => addressOfFile(name));
});

test("a live run is shown at its newest frame, and only what is shown is read", async () => {
  const host = new Host(),
    { site, source, said, shown } = open(host);
  host.tell([0, 10, 20]);
  await site.look();
  await until(() => shown().length);
  assert.deepEqual(shown(), [20]);
  assert.deepEqual(said.find(({ type }) => type === "state").steps, [0, 10, 20]);
  host.tell([0, 10, 20, 30]);
  await site.look();
  await until(() => shown().length === 2);
  assert.deepEqual([shown(), said.at(-1).live], [[20, 30], true]);
  const read = host.asked.filter((address) => address.startsWith("files/")).length;
  assert.equal(read, 3, "one header, two frames");
  await site.look();
  assert.equal(host.asked.filter((address) => address.startsWith("files/")).length, read);
  source.close();
});

test("chapters hold the names of older frames, and are read once", async () => {
  const host = new Host(),
    { site, source, shown } = open(host, "runs=a-1&step=10");
  host.tell([0, 10]);
  const old = { steps: [0, 10], frames: [nameOf(0), nameOf(10)] };
  const chapter = host.put(5000, JSON.stringify(old));
  host.tell([20, 30], { chapters: [chapter] });
  await site.look();
  await until(() => shown().includes(10));
  assert.deepEqual(site.of.get("a-1").steps, [0, 10, 20, 30]);
  host.tell([20, 30, 40], { chapters: [chapter] });
  await site.look();
  assert.equal(host.asked.filter((address) => address === addressOfFile(chapter)).length, 1);
  source.close();
});

test("while a frame is on its way an earlier one stands in, never one before what is shown", async () => {
  const host = new Host(),
    { site, source, shown } = open(host, "runs=a-1&step=0");
  host.tell([0, 10, 20, 30, 40, 50, 60, 70, 80], { state: "finished", over: true });
  await site.look();
  await until(() => shown().includes(0) && site.kept.size === 5);
  assert.equal(site.ask("a-1", 7, 0), 4);
  assert.equal(site.ask("a-1", 8, 40), -1);
  await until(() => site.kept.size >= 7);
  assert.equal(site.ask("a-1", 7, 40), 7);
  source.close();
});

test("a frame that is gone is asked for again after a while, and another run of the name begins anew", async () => {
  const host = new Host(),
    { site, source, shown } = open(host);
  host.tell([0, 10]);
  const lost = addressOfFile(nameOf(10)),
    bytes = host.files.get(lost);
  host.files.delete(lost);
  await site.look();
  await until(() => host.asked.includes(lost));
  host.files.set(lost, bytes);
  await until(() => shown().includes(10));
  host.tell([5], { generation: "2" });
  await site.look();
  await until(() => shown().includes(5));
  assert.deepEqual(site.of.get("a-1").steps, [5]);
  source.close();
});

test("what moved in a run comes when it has ended, once", async () => {
  const host = new Host(),
    { site, source, said } = open(host),
    count = () => said.filter(({ type }) => type === "moves").length;
  host.tell([0]);
  await site.look();
  assert.equal(count(), 0);
  const moves = host.put(7777, message({ type: "moves", run: "a-1" }));
  host.tell([0, 10], { state: "finished", moves });
  await site.look();
  host.tell([0, 10, 20], { state: "finished", moves });
  await site.look();
  assert.equal(count(), 1);
  assert.equal(host.asked.filter((address) => address === addressOfFile(moves)).length, 1);
  source.open();
  assert.equal(count(), 2, "who looks anew is told again");
  source.close();
});

test("a host that is gone is said, one that tells nothing new is late, and nobody asks after the end", async () => {
  const host = new Host(),
    { site, source, links } = open(host);
  host.tell([0]);
  await site.follow();
  assert.equal(links.at(-1), "open");
  host.down = true;
  site.stop();
  await site.follow();
  assert.deepEqual([links.at(-1), site.link], ["waiting", ["waiting", "1"]]);
  host.down = false;
  site.stop();
  const now = performance.now();
  mock.method(performance, "now", () => now + 60_000);
  await site.follow();
  mock.restoreAll();
  assert.equal(links.at(-1), "silent");
  site.stop();
  host.tell([0, 10], { state: "finished", over: true });
  await site.follow();
  assert.equal(links.at(-1), "open");
  const asked = host.asked.filter((address) => address === "list.json").length;
  await new Promise((done) => setTimeout(done, 1400));
  assert.equal(host.asked.filter((address) => address === "list.json").length, asked);
  site.stop();
  source.close();
});

test("what was shown longest ago is dropped beyond the memory that frames may take", async () => {
  const host = new Host(),
    { site, source } = open(host);
  host.tell([0]);
  await site.look();
  await until(() => site.kept.size === 1);
  site.keep("big", new ArrayBuffer(2 ** 27));
  assert.deepEqual([[...site.kept.keys()], site.of.get("a-1").frames], [["big"], [null]]);
  source.close();
});
