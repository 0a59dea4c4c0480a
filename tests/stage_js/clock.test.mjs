/** The cases of tests/clock_cases.json on the page's own clock; the server's runs them in tests/app/test_clock.py. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ReplayClock } from "../../app/stage/incoming/replayclock.js";

const { cases } = JSON.parse(readFileSync(new URL("../clock_cases.json", import.meta.url), "utf8"));

assert.ok(cases.length > 15);

for (const { name, tracks: given, live: liveAtFirst = [], hz = 10, step = null, lines } of cases) {
  test(name, () => {
    const tracks = Object.fromEntries(
      Object.entries(given).map(([run, steps]) => [run, { steps, live: liveAtFirst.includes(run) }]),
    );
    const clock = new ReplayClock(Object.values(tracks), hz, step);
    const shown = () =>
      Object.fromEntries(
        Object.entries(tracks).flatMap(([run, track]) => {
          const at = clock.target(track);
          return at < 0 ? [] : [[run, track.steps[at]]];
        }),
      );
    let now = 100;
    for (const line of lines) {
      const { say, ticks = 0, shows, mode, interval, passes } = line,
        where = JSON.stringify(line),
        began = now;
      for (const [run, steps] of Object.entries(line.tracks ?? {})) tracks[run].steps = steps;
      if (line.live) for (const run of Object.keys(tracks)) tracks[run].live = line.live.includes(run);
      if (say) {
        clock.obey(say);
        clock.tick(now);
        assert.deepEqual(shown(), shows, where);
      }
      for (let i = 0; i < ticks; i++) {
        now += (clock.wait(now) ?? 0) + 1e-9;
        clock.tick(now);
        assert.deepEqual(shown(), shows, `${where}, tick ${i + 1}`);
      }
      if (mode) assert.equal(clock.mode, mode, where);
      if (interval) assert.ok(Math.abs(clock.interval - interval) < 1e-6, where);
      if (passes !== undefined) assert.ok(Math.abs(now - began - passes) < 1e-6, `${where}: ${now - began} s`);
    }
  });
}
