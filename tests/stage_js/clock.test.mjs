/** The cases of tests/clock_cases.json on a replay's clock; the server's runs them in tests/app/test_clock.py. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ReplayClock } from "../../app/stage/incoming/replayclock.js";

const { cases } = JSON.parse(readFileSync(new URL("../clock_cases.json", import.meta.url), "utf8"));

/** A replay's runs have ended, and no frame comes any more. */
const isReplays = ({ live, lines }) => !live && !lines.some((line) => line.tracks);
assert.ok(cases.filter(isReplays).length > 10);

for (const { name, tracks, hz = 10, step = null, lines } of cases.filter(isReplays)) {
  test(name, () => {
    const clock = new ReplayClock(Object.values(tracks), hz, step);
    const shown = () =>
      Object.fromEntries(
        Object.entries(tracks).flatMap(([run, steps]) => {
          const at = clock.target(steps);
          return at < 0 ? [] : [[run, steps[at]]];
        }),
      );
    let now = 100;
    for (const line of lines) {
      const { say, ticks = 0, shows, mode, interval, passes } = line,
        where = JSON.stringify(line),
        began = now;
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
