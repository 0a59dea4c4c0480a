import assert from "node:assert/strict";
import { test } from "node:test";
import { classColours, contrast, parseCss, parseHex, readable } from "../../app/stage/common/colours.js";
import { placeLabels, shorten } from "../../app/stage/reading/labels.js";
import {
  bestRows,
  formatCount,
  formatMeasure,
  significant,
  tellMeasure,
  valueOf,
} from "../../app/stage/common/numbers.js";
import { layoutPanels, panelAt } from "../../app/stage/scene/panels.js";
import { LEVELS, Quality } from "../../app/stage/drawing/quality.js";
import { selectionCsv } from "../../app/stage/choices/selection.js";
import { StreamSocket, streamAddress } from "../../app/stage/incoming/socket.js";
import { addSteps, lastAtMost, nearest, unite, walk } from "../../app/stage/incoming/steps.js";
import { greyBitmap } from "../../app/stage/reading/thumbnails.js";
import { fill, useWords, words } from "../../app/stage/words.js";
import { serverAddress } from "../../app/stage/common/address.js";
import { describeTrouble, whyNoStream } from "../../app/stage/incoming/diagnosis.js";

test("steps are merged, found and walked", () => {
  const steps = addSteps(addSteps([], [0, 5, 10]), [7, 10, 15]);
  assert.deepEqual(steps, [0, 5, 7, 10, 15]);
  assert.equal(lastAtMost(steps, 6), 1);
  assert.equal(lastAtMost(steps, -1), -1);
  assert.equal(nearest(steps, 13), 15);
  assert.equal(nearest(steps, 6), 5);
  assert.equal(nearest([], 6), null);
  assert.deepEqual(
    [walk(steps, 7, 1), walk(steps, 7, -1), walk(steps, 8, 1), walk(steps, 8, -1), walk(steps, 15, 9)],
    [10, 5, 10, 7, 15],
  );
  assert.deepEqual(
    unite([
      [0, 2],
      [1, 2, 9],
    ]),
    [0, 1, 2, 9],
  );
});

test("1 to 12 panels never overlap, and stay within the stage", () => {
  for (const width of [320, 420, 900, 1400])
    for (let count = 1; count <= 12; count++) {
      const { panels, height } = layoutPanels(count, width, 640);
      assert.equal(panels.length, count);
      panels.forEach(({ whole, sphere }, i) => {
        assert.ok(whole.x >= 0 && whole.x + whole.w <= width && whole.y + whole.h <= height, `${count} at ${width}`);
        assert.ok(sphere.h >= 132 && sphere.w > 0);
        assert.equal(panelAt(panels, sphere.x + 1, sphere.y + 1), i);
        for (const { whole: other } of panels.slice(0, i))
          assert.ok(
            other.x + other.w <= whole.x ||
              whole.x + whole.w <= other.x ||
              other.y + other.h <= whole.y ||
              whole.y + whole.h <= other.y,
          );
      });
    }
  assert.equal(panelAt(layoutPanels(4, 1400, 640).panels, 3, 3), -1);
});

test("numbers carry their unit, few digits, and a true minus", () => {
  assert.equal(formatMeasure(0.8333, "share"), "83 %");
  assert.equal(formatMeasure(0.8333, "share", 4), "83.33 %");
  assert.equal(formatMeasure(63.71, "degrees"), "64°");
  assert.equal(formatMeasure(-0.52, ""), "−0.52");
  assert.equal(formatMeasure(undefined, ""), "–");
  assert.equal(formatMeasure(NaN, ""), "–");
  assert.equal(significant(1234.5, 2), "1235");
  assert.equal(formatCount(1234567), "1 234 567");
});

test("the best is marked by what is read, and by nothing where all are alike", () => {
  assert.deepEqual([...bestRows([0.5, 0.9, undefined, 0.901], "higher", "share")], [1, 3]);
  assert.deepEqual([...bestRows([0.2, 0.1], "lower", "")], [1]);
  for (const better of ["near", null]) assert.equal(bestRows([1, 2], better, "").size, 0);
  assert.equal(bestRows([0.5, 0.5], "higher", "share").size, 0);
  assert.equal(bestRows([0.5, undefined], "higher", "share").size, 0);
});

test("class colours stand out on their page, in order", () => {
  for (const hex of ["#fbfbf9", "#0f1216"]) {
    const page = parseHex(hex),
      colours = classColours(10, "ramp", {
        ramp: ["#102060", "#20a0a0", "#e04020"],
        categorical: [],
        page,
        groups: [],
      });
    assert.equal(colours.length, 10);
    colours.forEach((c) => assert.ok(contrast(c, page) >= 1.9));
    assert.ok(contrast(readable(colours[4], page, 4.5), page) >= 4.5);
  }
  assert.deepEqual(parseCss("rgb(255, 0, 51)"), [1, 0, 0.2]);
  assert.equal(parseCss("rgba(0, 0, 0, 0)"), null);
  assert.equal(parseCss("nonsense"), null);
});

test("labels do not overlap; the front one wins the room", () => {
  const anchor = (w, text) => ({ x: 100, y: 100, w, text, offset: -1 });
  const places = placeLabels([anchor(4.5, "back"), anchor(3.2, "front")], { w: 200, h: 200 }, 8);
  assert.ok(places[1] && places[1].slot === 0);
  const many = placeLabels(
    Array.from({ length: 60 }, (_, i) => anchor(3 + i / 100, "class name")),
    { w: 200, h: 200 },
    8,
  );
  assert.ok(many[0] && many.some((p) => p === null));
  assert.equal(shorten("a rather long name", 8), "a rathe…");
});

test("quality falls after patience, never below the last level, and comes back", () => {
  const quality = new Quality(false);
  for (let i = 0; i < 5; i++) assert.equal(quality.judge(90, i, 500), false);
  assert.equal(quality.judge(90, 5, 500), true);
  assert.equal(quality.simplified, words.levels[1]);
  for (let i = 0; i < 200; i++) quality.judge(900, i, 500);
  assert.equal(quality.share(500), 1, "few points are all kept");
  for (let i = 0; i < 200; i++) quality.judge(900, i, 1e5);
  assert.equal(quality.level, LEVELS.length - 1);
  assert.equal(words.levels.length, LEVELS.length, "each has its word");
  assert.equal(quality.share(4e4), 25 / 40, "not so many that time is measured");
  assert.equal(quality.share(1e5), 0.05, "of many, what a picture of 45 ms has time for at 9 ms a thousand");
  let back = false;
  for (let i = 0; i < 200; i++) back ||= quality.judge(16, 20000 + i, 500);
  assert.ok(back && quality.level < LEVELS.length - 1);
});

test("the stream's address follows the page's", () => {
  const data = { stream: "/ltviz/stream", token: "t/+", runs: ["a", "b"], hz: 10 };
  const url = new URL(streamAddress(data, 30, "https://host:1/x/"));
  assert.equal(url.protocol, "wss:");
  assert.equal(url.pathname, "/ltviz/stream");
  assert.deepEqual(Object.fromEntries(url.searchParams), { runs: "a,b", token: "t/+", hz: "10", step: "30" });
});

/** A WebSocket without a network. */
class Fake {
  static all = [];
  sent = [];
  readyState = 1;
  constructor() {
    Fake.all.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
}

test("every frame is answered before it is used; a break is mended; a refusal is not asked again", async () => {
  const order = [],
    links = [];
  const socket = new StreamSocket(
    { address: () => "ws://a", onLink: (link) => links.push(link), onMessage: (header) => order.push(header.seq) },
    () => new Fake(),
  );
  socket.open();
  const fake = Fake.all[0],
    text = '{"step":1,"seq":7,"n":0}';
  const message = new Uint8Array([text.length, 0, 0, 0, ...new TextEncoder().encode(text)]).buffer;
  fake.onopen();
  fake.onmessage({ data: message });
  assert.deepEqual(fake.sent, [{ ack: 7 }]);
  assert.deepEqual(order, [7]);
  fake.onclose({ code: 1006, reason: "" });
  assert.equal(socket.send({ live: true }), false);
  await new Promise((done) => setTimeout(done, 320));
  assert.equal(Fake.all.length, 2);
  Fake.all[1].onclose({ code: 1008, reason: "no" });
  await new Promise((done) => setTimeout(done, 320));
  assert.equal(Fake.all.length, 2);
  assert.deepEqual(links, ["connecting", "open", "waiting", "connecting", "refused"]);
  socket.close();
});

test("a selection's CSV quotes what it did not write, and runs nothing", () => {
  const run = {
    id: "a",
    frame: { header: { step: 4 }, predictions: null },
    pointAt: () => [0, 0, 1],
    info: { labels: [0, 1], split: [1, 0], ids: [8, 9], header: { class_names: ['=SUM("x")', "b"] } },
  };
  const lines = selectionCsv(new Set([8]), [run])
    .trim()
    .split("\n");
  assert.equal(lines.length, 2);
  assert.equal(lines[1], `"a",4,8,test,"'=SUM(""x"")","",0.00000,0.00000,1.00000`);
});

test("a thumbnail is a bitmap whose rows run upwards", () => {
  const file = greyBitmap(new Uint8Array([1, 2, 3, 4, 5, 6]), 2, 3);
  assert.deepEqual([...file.subarray(0, 2)], [0x42, 0x4d]);
  assert.deepEqual([...file.subarray(-8)], [4, 5, 6, 0, 1, 2, 3, 0]);
});

test("the app's words win, and blanks are filled", () => {
  useWords({ empty: "None" });
  assert.equal(words.empty, "None");
  useWords();
  assert.equal(words.empty, "Nothing to watch yet.", "and only while the page gives them");
  assert.equal(fill("{a} of {b}", { a: 1 }), "1 of {b}");
});

test("an address of the server's follows the stage's own modules, behind any path", () => {
  assert.equal(
    serverAddress("/ltviz/stream?n=1", "https://hub/user/ada/ltviz/stage/common/address.js"),
    "https://hub/user/ada/ltviz/stream?n=1",
  );
  assert.equal(
    serverAddress("/ltviz/stream", "http://127.0.0.1:8501/ltviz/stage/common/address.js"),
    "http://127.0.0.1:8501/ltviz/stream",
  );
});

test("a stream that never opens is asked why, in plain HTTP, and the token is not shown", async () => {
  const asked = [];
  const answer = (status, text, ours) => async (url, how) => (
    asked.push([url, how.method]),
    new Response(text, { status, headers: ours ? { "x-ltviz": "stream" } : {} })
  );
  const address = "wss://host/x/ltviz/stream?runs=a&token=secret";
  const told = async (ask) => describeTrouble(await whyNoStream(address, ask));
  const [what, why] = await told(answer(403, "Because.", true));
  assert.ok(what.includes("https://host/x/ltviz/stream.") && !what.includes("secret"));
  assert.equal(why, "Because.");
  assert.deepEqual(asked, [["https://host/x/ltviz/stream?runs=a&token=secret", "POST"]]);
  assert.match((await told(answer(404, "<html>", false)))[1], /Somebody else than ltviz answers there \(404\)/);
  assert.equal(
    (
      await told(async () => {
        throw new TypeError("no");
      })
    )[1],
    words.noAnswer,
  );

  const troubles = [],
    opened = [];
  const socket = new StreamSocket(
    { address: () => address, onLink: () => {}, onMessage: () => {}, onTrouble: (t) => troubles.push(t) },
    () => (opened.push(new Fake()), opened.at(-1)),
    async (a) => a,
  );
  for (let attempt = 0; attempt < 3; attempt++) {
    socket.open();
    opened.at(-1).onclose({ code: 1006, reason: "" });
  }
  await Promise.resolve();
  assert.deepEqual(troubles, [address]);
  socket.close();
});

test("a number that mixes samples stands in where a run does not tell them apart, and only there", () => {
  const mixed = { key: "centre_sum", standsFor: "centre_sum_test", unit: "" };
  assert.equal(valueOf({ centre_sum: 0.4 }, mixed), 0.4);
  assert.equal(valueOf({ centre_sum: 0.4, centre_sum_test: 0.5 }, mixed), undefined);
  assert.equal(valueOf({ centre_sum_test: 0.5 }, { key: "centre_sum_test", standsFor: "" }), 0.5);
});

test("an accuracy carries the error that its number of samples leaves", () => {
  const few = { key: "accuracy_few", unit: "share" };
  assert.equal(tellMeasure({ accuracy_few: 0.86, accuracy_few_error: 0.0243 }, few), "86 ± 2 %");
  assert.equal(tellMeasure({ accuracy_few: 0.86, accuracy_few_error: 0.0243 }, few, 3), "86.0 ± 2.4 %");
  assert.equal(tellMeasure({ accuracy_few: 0.86 }, few), "86 %");
  assert.equal(tellMeasure({ accuracy_few_error: 0.0243 }, few), "–");
});

test("of many points as many are drawn while they move as a picture has time for, whatever a picture costs besides", () => {
  const machine = (base, perPoint) => {
    const quality = new Quality(true);
    quality.judge(base + 1e6 * perPoint, 0, 1e6);
    let shown = 0,
      ms = 0;
    for (let i = 0; i < 30; i++) {
      shown = 1e6 * quality.share(1e6);
      ms = base + shown * perPoint;
      quality.judge(ms, i, shown, true);
    }
    return { shown, ms, quality };
  };
  const quick = machine(5, 0.0002),
    slow = machine(20, 0.004);
  assert.ok(Math.abs(quick.ms - 45) < 2 && quick.shown > 150000, `${quick.ms} ms`);
  assert.ok(Math.abs(slow.ms - 45) < 2 && slow.shown < 10000, `${slow.ms} ms`);
  assert.ok(Math.abs(machine(200, 0.004).shown - 5000) < 1, "never fewer than say something");
  slow.quality.judge(1400, 99, 1e6);
  assert.ok(1e6 * slow.quality.share(1e6) < 10000, "a picture at rest says nothing of those that move");
  assert.equal(slow.quality.share(10000), 1, "few are never left out");
});

test("a server that comes back is found within 3 seconds, however long it was gone", () => {
  const waits = [],
    real = globalThis.setTimeout,
    links = [];
  globalThis.setTimeout = (act, wait) => (waits.push(wait), 0);
  try {
    const socket = new StreamSocket(
      { address: () => "ws://a", onLink: (link) => links.push(link), onMessage: () => {} },
      () => new Fake(),
      async () => ({}),
    );
    for (let attempt = 0; attempt < 12; attempt++) {
      socket.open();
      Fake.all.at(-1).onclose({ code: 1006, reason: "" });
      assert.equal(links.at(-1), "waiting", "said at once");
    }
    socket.close();
  } finally {
    globalThis.setTimeout = real;
  }
  assert.ok(waits.length === 12 && Math.max(...waits) <= 2500, String(waits));
});

/** A clock in the hand of a test: what is asked of it happens as it is turned. */
function turnedByHand() {
  const real = { setInterval, clearInterval, setTimeout, clearTimeout, now: performance.now };
  /** @type {Map<number, {at: number, every: number|null, act: () => void}>} */
  const due = new Map();
  let now = 1000,
    last = 0;
  const add = (act, wait, every) => (due.set(++last, { at: now + wait, every, act }), last);
  Object.assign(globalThis, {
    setInterval: (act, wait) => add(act, wait, wait),
    setTimeout: (act, wait) => add(act, wait, null),
    clearInterval: (id) => due.delete(id),
    clearTimeout: (id) => due.delete(id),
  });
  performance.now = () => now;
  return {
    turn(ms) {
      for (const end = now + ms; ;) {
        const [id, next] = [...due].sort((a, b) => a[1].at - b[1].at)[0] ?? [];
        if (!next || next.at > end) return void (now = end);
        now = Math.max(now, next.at);
        if (next.every === null) due.delete(id);
        else next.at += next.every;
        next.act();
      }
    },
    sleep: (ms) => (now += ms),
    end() {
      const { now: look, ...timers } = real;
      Object.assign(globalThis, timers);
      performance.now = look;
    },
  };
}

test("a server that stops is noticed within 3 seconds though its socket stays open, and so is that it goes on", async () => {
  const clock = turnedByHand(),
    links = [],
    told = [];
  const beat = '{"type":"beat"}',
    message = { data: new Uint8Array([beat.length, 0, 0, 0, ...new TextEncoder().encode(beat)]).buffer };
  try {
    const socket = new StreamSocket(
      { address: () => "ws://a", onLink: (link) => links.push(link), onMessage: (header) => told.push(header) },
      () => new Fake(),
    );
    socket.open();
    const fake = Fake.all.at(-1);
    fake.onopen();
    for (let second = 0; second < 20; second++) {
      clock.turn(1000);
      fake.onmessage(message);
    }
    assert.deepEqual(links, ["connecting", "open"], "one that only says that it is there is there");
    clock.turn(2999);
    assert.deepEqual(links.slice(2), ["silent"]);
    fake.onmessage(message);
    assert.deepEqual(links.slice(3), ["open"], "the same socket goes on");
    clock.sleep(60_000);
    clock.turn(900);
    assert.deepEqual(links.slice(4), [], "a page that slept does not blame the server");
    clock.turn(19_500);
    assert.deepEqual(links.slice(4), ["silent", "connecting"], "one that is gone for long is looked for anew");
    clock.turn(2999);
    assert.equal(links.at(-1), "silent", "and so is one that opens to nobody");
    assert.deepEqual(told, [], "a beat is nothing to be shown");
    socket.close();
    clock.turn(60_000);
    assert.equal(links.at(-1), "silent", "one that is closed watches no more");
  } finally {
    clock.end();
  }
});

test("while nobody answers no socket is opened: a browser would hold back the one that would succeed", async () => {
  const clock = turnedByHand();
  let status = null,
    asked = 0;
  try {
    const opened = [],
      socket = new StreamSocket(
        { address: () => "ws://a", onLink: () => {}, onMessage: () => {} },
        () => (opened.push(new Fake()), opened.at(-1)),
        async () => (asked++, { address: "", status, reason: "" }),
      );
    const fail = () => opened.at(-1).onclose({ code: 1006, reason: "" });
    socket.open();
    fail();
    for (let second = 0; second < 120; second++) {
      clock.turn(500);
      if (socket.socket) fail();
      await new Promise(setImmediate);
    }
    assert.ok(opened.length <= 4 && asked > 25, `${opened.length} sockets, asked ${asked} times`);
    status = 426;
    const before = opened.length;
    for (let half = 0; half < 5; half++) {
      clock.turn(500);
      await new Promise(setImmediate);
    }
    assert.equal(opened.length, before + 1, "within 2.5 seconds of the server");
    socket.close();
  } finally {
    clock.end();
  }
});
