/** Made-up messages, runs and scenes for the tests of the stage's modules. */
import { Run } from "../../app/stage/incoming/runs.js";
import { layersOf } from "../../app/stage/layers/list.js";
import { START } from "../../app/stage/scene/choices.js";
import { forceLook } from "../../app/stage/scene/forces.js";
import { addScene } from "../../app/stage/layers/scene.js";
import { SHEETS } from "../../app/stage/scene/strokes.js";

export const int16 = (points) => Int16Array.from(points.flat(), (v) => Math.round(v * 32767));

/** A mark as a method declares it. */
export const markOf = (key, primitive, sign, more = {}) => ({
  key,
  title: `Mark ${key}`,
  short: `What ${key} are.`,
  primitive,
  sign,
  on: true,
  directed: false,
  end: null,
  ...more,
});

/** A message as the server packs it: arrays one after another. */
export function pack(header, arrays) {
  const described = { ...header, arrays: {} },
    parts = [];
  let size = 0;
  for (const [name, array] of Object.entries(arrays)) {
    const type = {
      Int16Array: "int16",
      Uint16Array: "uint16",
      Uint8Array: "uint8",
      Int32Array: "int32",
      Float32Array: "float32",
    }[array.constructor.name];
    described.arrays[name] = [size, array.length, type];
    parts.push(new Uint8Array(array.buffer));
    size += array.byteLength;
  }
  let text = JSON.stringify(described);
  while ((4 + text.length) % 4) text += " ";
  const out = new Uint8Array(4 + text.length + size);
  new DataView(out.buffer).setUint32(0, text.length, true);
  out.set(new TextEncoder().encode(text), 4);
  let at = 4 + text.length;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out.buffer;
}

export const XYZ = int16([
  [1, 0, 0],
  [0, 1, 0],
]);

/** A run of two samples and three classes whose frame holds what is given. */
export function runWith({ header = {}, frame = {}, info = {} } = {}) {
  const run = new Run("a");
  run.info = {
    header: {
      method: "bcl",
      title: "BCL",
      num_classes: 3,
      dim: 3,
      class_names: ["x", "y", "z"],
      counts: [100, 10, 1],
      readings: [],
      what_if: { least: 0.5, cosines: {} },
      ...info.header,
    },
    labels: Uint16Array.of(0, 2),
    split: Uint8Array.of(0, 1),
    ids: null,
    thumbs: null,
    labelSets: null,
    attributes: [],
    ...info.own,
  };
  run.colours = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  show(run, header, frame);
  return run;
}

export function show(run, header, frame = {}) {
  run.receive({
    header: {
      run: "a",
      step: 1,
      seq: 1,
      n: 2,
      centres: [[1, 0, 0], [0, 1, 0], null],
      landmarks: {},
      target_index: null,
      metrics: {},
      projection: null,
      ...header,
    },
    xyz: XYZ,
    predictions: null,
    confidence: null,
    loss: null,
    marks: new Map(),
    ...frame,
  });
  run.accept(0, { tween: false, steady: true });
}

/** What a picture asks of forces, the runs beside given. */
export const forcesOf = (choice, run, beside = [run]) => forceLook({ ...START.forces, ...choice }, run, beside);

/** What a scene draws with these layers alone: how many of each, and the items of each sheet. */
export function sceneOf(run, layers = {}, { forces = {}, beside, ...asked } = {}) {
  const off = Object.fromEntries(layersOf([run]).map(({ key }) => [key, false]));
  const sheets = Object.fromEntries(SHEETS.map((name) => [name, []]));
  const to = Object.fromEntries(SHEETS.map((name) => [name, { push: (...values) => sheets[name].push(values) }]));
  const counts = addScene(to, run, 1, {
    layers: { ...off, ...layers },
    shows: (key) => Boolean(layers[key]),
    colours: run.colours,
    ink: [0, 0, 0],
    page: [1, 1, 1],
    scale: 1,
    chosen: null,
    mark: null,
    near: null,
    forces: forcesOf(forces, run, beside),
    trail: 24,
    ...asked,
  });
  return { counts, ...sheets };
}
