/**
 * Panels as a clean SVG file: each sphere as Lambert's azimuthal equal-area map around the line of sight, in shapes and
 * text. Pure.
 */
import { mixRgb, readable, toHex } from "../scene/colours.js";
import { flatPlacer, flatRadius } from "../drawing/flat.js";
import { placeLabels, shorten } from "../reading/labels.js";
import { pointRadius } from "../drawing/renderer.js";
import { addScene } from "../scene/scene.js";
import { FLAG, NO_PIECE, SHAPE } from "../drawing/shaders.js";

/** @typedef {import("../scene/colours.js").Rgb} Rgb */
/** @typedef {import("../choices/picking.js").Placer} Placer */
/**
 * @typedef {object} SketchPanel   one panel
 * @property {import("../common/types.js").PanelRect} rect
 * @property {string} title
 * @property {string} colour        of the method, #rrggbb
 * @property {string} state         read beside the title: the step
 * @property {string} projection    read above the sphere; "": the picture is the embedding itself
 * @property {string[]} numbers     read under the sphere
 * @property {import("../common/types.js").Pose} pose
 * @property {import("../incoming/runs.js").Run} run
 * @property {import("../scene/scene.js").Look|null} look   null: there is no frame yet
 * @property {{name: string, rgb: Rgb}[]} palette    one for each swatch
 * @property {Uint16Array} swatches  of each point
 * @property {Uint8Array} flags
 * @property {Uint8Array} bulks      size of each point, 128 = 1
 * @property {Uint16Array|null} pieces  four classes a point for the ring of its labels, NO_PIECE where there is none
 */
/** @typedef {{name: string, path: string, filled: boolean}} Sign  a shape of the legend, in a box of 16 */
/**
 * @typedef
 * {{width: number, height: number, theme: import("../common/theme.js").Theme, panels: SketchPanel[], swatches: {name: string, rgb: Rgb}[], signs: Sign[]}}
 * Sketch
 */

const FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif";
/** A map shows the back too, in as much room: points are that much smaller. */
const ON_MAP = Math.SQRT1_2;
const TEXT_CONTRAST = 4.5,
  MARGIN = 12,
  LINE = 18,
  LETTER = 6.7,
  NOTE_LETTER = 5.4,
  NAME_LETTERS = 14,
  LABEL_REACH = 11;
const NOTE =
  "Equal-area map of each sphere around the line of sight: the dashed circle bounds the front half, the rim is the point opposite.";

/** @param {Sketch} sketch @returns {string} the file */
export function svgOf({ width, height, theme, panels, swatches, signs }) {
  const legend = legendOf(swatches, signs, theme, width),
    whole = { w: width + 2 * MARGIN, h: height + 3 * MARGIN + legend.height };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${whole.w}" height="${n(whole.h)}" viewBox="0 0 ${whole.w} ${n(whole.h)}" font-family="${FONT}" font-size="12" fill="${toHex(theme.ink)}">`,
    `<title>${text(panels.map(({ title }) => title).join(", "))}</title><desc>${text(NOTE)}</desc>`,
    `<rect width="100%" height="100%" fill="${toHex(theme.page)}"/>`,
    `<g transform="translate(${MARGIN} ${MARGIN})">`,
    ...panels.map((panel, i) => panelOf(panel, i, theme)),
    "</g>",
    `<g transform="translate(${MARGIN} ${n(height + 2 * MARGIN)})">${legend.content}</g>`,
    "</svg>\n",
  ].join("\n");
}

/** What SVG may hold as text: markup is escaped, and what XML forbids is left out. @param {unknown} value */
export const text = (value) =>
  String(value)
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "")
    .replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** A number with one decimal at most. @param {number} value */
const n = (value) => String(Math.round(value * 10) / 10 || 0);
const alpha = (/** @type {number} */ value) => (value >= 0.995 ? "" : String(Math.round(value * 100) / 100));

/** @param {SketchPanel} panel @param {number} index @param {import("../common/theme.js").Theme} theme */
function panelOf(panel, index, theme) {
  const {
    rect: { frame, view },
    pose,
    run,
    look,
    title,
    state,
    projection,
    numbers,
    colour,
  } = panel;
  const radius = flatRadius(pose, view),
    middle = `cx="${n(view.w / 2)}" cy="${n(view.h / 2)}"`,
    line = toHex(mixRgb(theme.page, theme.ink, 0.25));
  const heading = [
    `<circle cx="${n(frame.x + 10)}" cy="${n(frame.y + 15)}" r="4.5" fill="${/^#[0-9a-f]{6}$/i.test(colour) ? colour : line}"/>`,
    `<text x="${n(frame.x + 22)}" y="${n(frame.y + 20)}" font-size="15" font-weight="600">${text(title)}<tspan dx="8" font-size="12" font-weight="400" fill-opacity="0.75">${text(state)}</tspan></text>`,
    `<text x="${n(frame.x + frame.w / 2)}" y="${n(view.y + 4)}" text-anchor="middle" font-size="10" fill-opacity="0.75">${text(shorten(projection, Math.floor(frame.w / NOTE_LETTER)))}</text>`,
    `<text x="${n(frame.x + frame.w / 2)}" y="${n(view.y + view.h + 17)}" text-anchor="middle">${numbers.map((number, i) => `<tspan${i ? ' dx="14"' : ""}>${text(number)}</tspan>`).join("")}</text>`,
  ];
  const sphere = [
    `<clipPath id="view${index}"><rect width="${n(view.w)}" height="${n(view.h)}"/></clipPath>`,
    `<g transform="translate(${n(view.x)} ${n(view.y)})"><g clip-path="url(#view${index})">`,
    `<circle ${middle} r="${n(radius)}" fill="${toHex(mixRgb(theme.page, theme.ink, 0.035))}" stroke="${line}"/>`,
    // In an equal-area map half the sphere fills half the disc.
    `<circle ${middle} r="${n(radius * Math.SQRT1_2)}" fill="none" stroke="${line}" stroke-dasharray="2 4"/>`,
  ];
  if (look && run.frame) {
    const place = flatPlacer(pose, view),
      scene = { patches: list(), ground: list(), mists: list(), lines: list(), signs: list() };
    addScene(scene, run, 1, look);
    sphere.push(
      ...patchesOf(scene.patches.items, place, radius),
      ...linesOf(scene.ground.items, place, radius, theme),
      ...signsOf(scene.mists.items, place, theme, pose.distance),
      ...pointsOf(panel, place, theme),
      ...ringsOf(panel, place),
      ...linesOf(scene.lines.items, place, radius, theme),
      ...signsOf(scene.signs.items, place, theme, pose.distance),
    );
    if (look.layers.labels) sphere.push(...labelsOf(panel, place, theme));
  }
  return `<g><title>${text([title, state, projection].filter(Boolean).join(", "))}</title>\n${[...heading, ...sphere, "</g></g></g>"].join("\n")}`;
}

/** Takes what a scene is made of. @returns {{push: (...values: number[]) => void, items: number[][]}} */
function list() {
  /** @type {number[][]} */
  const items = [];
  return { items, push: (...values) => void items.push(values) };
}

/** Back half first; in each half one group a class. Test points are open, validation points square.
 * @param {SketchPanel} panel @param {Placer} place @param {import("../common/theme.js").Theme} theme
 * @returns {string[]}
 */
function pointsOf({ run, look, rect: { view }, pose, palette, swatches, flags, bulks }, place, theme) {
  if (!look?.layers.points) return [];
  const radius = ON_MAP * pointRadius(Math.min(view.w, view.h), swatches.length);
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (let i = 0; i < swatches.length; i++) {
    if (flags[i] & FLAG.HIDDEN) continue;
    const [x, y, w] = place(run.pointAt(i, 1)),
      r = (radius * bulks[i]) / 128;
    const key = [w > pose.distance ? 0 : 1, flags[i] & FLAG.DIMMED ? 1 : 0, swatches[i]].join();
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    // An open disc's line lies within its outline, so that both kinds are equally large.
    if (flags[i] & FLAG.VALIDATION)
      group.push(`<rect x="${n(x - 0.85 * r)}" y="${n(y - 0.85 * r)}" width="${n(1.7 * r)}" height="${n(1.7 * r)}"/>`);
    else
      group.push(
        `<circle cx="${n(x)}" cy="${n(y)}" r="${n(flags[i] & FLAG.TEST ? 0.7 * r : r)}"${flags[i] & FLAG.TEST ? ' class="test"' : ""}/>`,
      );
  }
  const sorted = [...groups]
    .map(([key, shapes]) => ({ place: key.split(",").map(Number), shapes }))
    .sort((a, b) => a.place[0] - b.place[0] || b.place[1] - a.place[1] || a.place[2] - b.place[2]);
  return sorted.map(({ place: [front, dimmed, swatch], shapes }) => {
    const { name, rgb } = palette[swatch] ?? { name: "", rgb: theme.ink },
      strength = (front ? 0.95 : 0.4) * (dimmed ? 0.18 : 1);
    const open = shapes
        .filter((shape) => shape.includes('class="test"'))
        .map((shape) => shape.replace(' class="test"', "")),
      full = shapes.filter((shape) => !shape.includes('class="test"'));
    const parts = [
      full.length && full.join(""),
      open.length &&
        `<g fill="${toHex(mixRgb(rgb, theme.page, 0.75))}" stroke="${toHex(rgb)}" stroke-width="${n(0.6 * radius)}">${open.join("")}</g>`,
    ];
    return `<g fill="${toHex(rgb)}" stroke="${toHex(theme.page)}" stroke-width="0.5" opacity="${alpha(strength)}"><title>${text(name)}</title>${parts.filter(Boolean).join("")}</g>`;
  });
}

/**
 * A ring around each sample of several classes, a piece in the colour of each. @param {SketchPanel} panel
 * @param {Placer} place
 */
function ringsOf({ run, look, rect: { view }, pose, palette, swatches, flags, bulks, pieces }, place) {
  if (!pieces || !look?.layers.points || !look.layers.rings) return [];
  const radius = ON_MAP * pointRadius(Math.min(view.w, view.h), swatches.length),
    width = 0.5 * radius;
  return Array.from(swatches, (_, i) => {
    const classes = [...pieces.subarray(4 * i, 4 * i + 4)].filter((c) => c !== NO_PIECE);
    if (flags[i] & FLAG.HIDDEN || classes.length < 2) return "";
    const [x, y, w] = place(run.pointAt(i, 1)),
      r = (radius * bulks[i]) / 128 + width,
      turn = (2 * Math.PI) / classes.length;
    const at = (/** @type {number} */ k) => `${n(x + r * Math.sin(k * turn))} ${n(y - r * Math.cos(k * turn))}`;
    const arcs = classes.map(
      (c, k) => `<path d="M${at(k)}A${n(r)} ${n(r)} 0 0 1 ${at(k + 1)}" stroke="${toHex(palette[c].rgb)}"/>`,
    );
    return `<g fill="none" stroke-width="${n(width)}" opacity="${alpha((w > pose.distance ? 0.4 : 1) * (flags[i] & FLAG.DIMMED ? 0.18 : 1)) || 1}">${arcs.join("")}</g>`;
  }).filter(Boolean);
}

/**
 * Pieces that hang together become one path.
 * @param {number[][]} items a, b, colour, alpha, width (negative: bordered), dashes @param {Placer} place
 * @param {number} radius @param {import("../common/theme.js").Theme} theme */
function linesOf(items, place, radius, theme) {
  /** @type {string[]} */
  const paths = [];
  let style = "",
    way = "",
    end = "",
    border = "";
  const close = () => {
    if (way && border) paths.push(`<path d="${way}" fill="none" ${border}/>`);
    if (way) paths.push(`<path d="${way}" fill="none" ${style}/>`);
  };
  for (const [ax, ay, az, bx, by, bz, r, g, b, strength, width, dash] of items) {
    const [px, py] = place([ax, ay, az]),
      [qx, qy] = place([bx, by, bz]);
    // What passes behind leaves the map at one side and comes back at the other.
    if (Math.hypot(px - qx, py - qy) > radius * 0.6) continue;
    const own = `stroke="${toHex([r, g, b])}" stroke-width="${n(Math.abs(width))}"${alpha(strength) && ` opacity="${alpha(strength)}"`}${dash >= 0 ? ' stroke-dasharray="4 3"' : ""}`;
    const from = `${n(px)} ${n(py)}`;
    if (own !== style) {
      close();
      [style, way, end] = [own, "", ""];
      border =
        width < 0
          ? `stroke="${toHex(theme.page)}" stroke-width="${n(2 - width)}" opacity="${(0.85 * strength).toFixed(2)}"`
          : "";
    }
    way += from === end ? `L${n(qx)} ${n(qy)}` : `M${from}L${n(qx)} ${n(qy)}`;
    end = `${n(qx)} ${n(qy)}`;
  }
  close();
  return paths;
}

/**
 * Triangles of one colour are one path: drawn one by one, their seams would show. @param {number[][]} items corners
 * @param {Placer} place @param {number} radius
 */
function patchesOf(items, place, radius) {
  /** @type {Map<string, string[]>} */
  const paths = new Map();
  for (let i = 0; i + 2 < items.length; i += 3) {
    const corners = items.slice(i, i + 3).map(([x, y, z]) => place([x, y, z])),
      [, , , r, g, b, strength] = items[i];
    if (
      corners.some(([x, y], c) => Math.hypot(x - corners[(c + 1) % 3][0], y - corners[(c + 1) % 3][1]) > radius * 0.6)
    )
      continue;
    const key = `fill="${toHex([r, g, b])}" fill-opacity="${alpha(strength)}"`;
    paths.set(key, [...(paths.get(key) ?? []), `M${corners.map(([x, y]) => `${n(x)} ${n(y)}`).join("L")}z`]);
  }
  return [...paths].map(([style, parts]) => `<path d="${parts.join("")}" ${style}/>`);
}

/**
 * @param {number[][]} items place, colour, alpha, size, shape @param {Placer} place
 * @param {import("../common/theme.js").Theme} theme @param {number} distance of the eye
 */
function signsOf(items, place, theme, distance) {
  const page = toHex(theme.page);
  return items.map(([px, py, pz, r, g, b, strength, size, shape]) => {
    const [x, y, w] = place([px, py, pz]),
      colour = toHex([r, g, b]);
    const style = `opacity="${alpha(strength * (w > distance ? 0.5 : 1)) || 1}"`,
      solid = `fill="${colour}" stroke="${page}" ${style}`;
    const points = (/** @type {[number, number][]} */ corners) =>
      `<polygon points="${corners.map(([dx, dy]) => `${n(x + dx)},${n(y + dy)}`).join(" ")}" ${solid}/>`;
    if (shape === SHAPE.RING || shape === SHAPE.HALO) {
      const circle = (/** @type {string} */ ink, /** @type {number} */ width) =>
        `<circle cx="${n(x)}" cy="${n(y)}" r="${n(size)}" fill="none" stroke="${ink}" stroke-width="${width}"/>`;
      return `<g ${style}>${circle(page, 4.4)}${circle(colour, 2.2)}</g>`;
    }
    if (shape === SHAPE.DIAMOND)
      return points([
        [0, -1.2 * size],
        [1.2 * size, 0],
        [0, 1.2 * size],
        [-1.2 * size, 0],
      ]);
    if (shape === SHAPE.SQUARE)
      return points([
        [-0.82 * size, -0.82 * size],
        [0.82 * size, -0.82 * size],
        [0.82 * size, 0.82 * size],
        [-0.82 * size, 0.82 * size],
      ]);
    if (shape === SHAPE.TRIANGLE)
      return points([
        [0, -1.24 * size],
        [1.07 * size, 0.62 * size],
        [-1.07 * size, 0.62 * size],
      ]);
    if (shape === SHAPE.PLUS) {
      const cross = `M${n(x - size)} ${n(y)}H${n(x + size)}M${n(x)} ${n(y - size)}V${n(y + size)}`;
      return `<g ${style} fill="none"><path d="${cross}" stroke="${page}" stroke-width="4"/><path d="${cross}" stroke="${colour}" stroke-width="2.2"/></g>`;
    }
    return `<circle cx="${n(x)}" cy="${n(y)}" r="${n(size)}" ${shape === SHAPE.MIST ? `fill="${colour}" ${style}` : solid}/>`;
  });
}

/** @param {SketchPanel} panel @param {Placer} place @param {import("../common/theme.js").Theme} theme */
function labelsOf({ run, look, rect: { view }, pose }, place, theme) {
  const names = run.info?.header.class_names ?? [];
  const anchors = run.marksAt("centres", 1).flatMap((m, c) => {
    if (!m || (look?.chosen && !look.chosen.has(c))) return [];
    const [x, y, w] = place(m);
    return [{ c, x, y, w, text: shorten(names[c] ?? String(c), NAME_LETTERS), offset: -1 }];
  });
  const places = placeLabels(anchors, view, LABEL_REACH),
    page = toHex(theme.page);
  const written = anchors.flatMap(({ c, w, text: name }, i) => {
    const spot = places[i],
      ink = toHex(readable(run.colours[c] ?? theme.ink, theme.page, TEXT_CONTRAST));
    return spot
      ? [
          `<text x="${n(spot.x)}" y="${n(spot.y + 4)}" fill="${ink}"${w > pose.distance ? ' opacity="0.6"' : ""}>${text(name)}</text>`,
        ]
      : [];
  });
  return [
    `<g font-weight="700" text-anchor="middle" stroke="${page}" stroke-width="3" stroke-linejoin="round" paint-order="stroke">${written.join("")}</g>`,
  ];
}

/**
 * @param {Sketch["swatches"]} swatches @param {Sign[]} signs @param {import("../common/theme.js").Theme} theme
 * @param {number} width
 */
function legendOf(swatches, signs, theme, width) {
  const quiet = toHex(mixRgb(theme.page, theme.ink, 0.7));
  let x = 0,
    y = 0;
  const put = (/** @type {string} */ name, /** @type {string} */ mark) => {
    const shown = shorten(name, 40),
      room = 22 + shown.length * LETTER + 12;
    if (x && x + room > width) [x, y] = [0, y + LINE];
    const item = `<g transform="translate(${n(x)} ${n(y)})">${mark}<text x="20" y="12">${text(shown)}</text></g>`;
    x += room;
    return item;
  };
  const colours = swatches.map(({ name, rgb }) => put(name, `<circle cx="8" cy="8" r="5" fill="${toHex(rgb)}"/>`));
  if (swatches.length && signs.length) [x, y] = [0, y + LINE];
  const shapes = signs.map(({ name, path, filled }) =>
    put(
      name,
      `<path d="${text(path)}" fill="${filled ? quiet : "none"}" stroke="${quiet}" stroke-width="1.5" fill-rule="evenodd"/>`,
    ),
  );
  y += LINE;
  const content = [
    ...colours,
    ...shapes,
    `<text x="0" y="${n(y + 12)}" font-size="11" fill-opacity="0.75">${text(NOTE)}</text>`,
  ].join("\n");
  return { content, height: y + LINE };
}
