/** What a page may read of its stage. */

/**
 * What tests, benchmarks and the badge read: DESIGN's `window.ltviz.stage`. `draws` counts pictures, those of empty
 * spheres too; `drawn` counts, by run,
 * the frames that a picture drawn to its end has shown; `step` is the newest on the stage, 0 before there is one.
 * @returns {Record<string, any>} the same object for every stage of a page
 */
export function publishTelemetry() {
  const page = /** @type {any} */ (window);
  page.ltviz ??= {};
  page.ltviz.stage ??= {
    frames: 0,
    draws: 0,
    drawn: {},
    seq: 0,
    step: 0,
    latencyMs: null,
    fps: 0,
    mounts: 0,
    camera: null,
    panels: [],
    skipped: 0,
    points: 0,
  };
  return page.ltviz.stage;
}
