/**
 * Places the names of classes beside their centres so that they can be read: no two overlap, the front comes first.
 * Pure.
 */

const LINE = 15,
  LETTER = 6.6,
  PADDING = 6;

/**
 * @typedef {{x: number, y: number, w: number, text: string, offset: number}} Anchor position, depth; offset: where its
 * label stood last
 */
/** @typedef {{x: number, y: number, slot: number}|null} Placed  middle of the label; null: no room */

/** Directions tried around a centre, the one pointing away from the sphere's middle first. */
const TURNS = [0, 0.7, -0.7, 1.4, -1.4, 2.2, -2.2, Math.PI];

/**
 * @param {Anchor[]} anchors @param {{w: number, h: number}} view
 * @param {number} reach from a centre to the middle of its label's near end
 * @returns {Placed[]} one for each anchor
 */
export function placeLabels(anchors, view, reach) {
  /** @type {Placed[]} */
  const placed = anchors.map(() => null);
  /** @type {[number, number, number, number][]} */
  const taken = [];
  const order = anchors.map((_, i) => i).sort((a, b) => anchors[a].w - anchors[b].w);
  for (const i of order) {
    const { x, y, text, offset } = anchors[i];
    const width = text.length * LETTER + PADDING,
      out = Math.atan2(y - view.h / 2, x - view.w / 2);
    // The place it had before is tried first, or labels would hop while points move.
    const slots = [offset, ...TURNS.keys()].filter((s, at, all) => s >= 0 && all.indexOf(s) === at);
    for (const slot of slots) {
      const turn = out + TURNS[slot];
      const cx = x + Math.cos(turn) * (reach + width / 2),
        cy = y + Math.sin(turn) * (reach + LINE / 2);
      const box = /** @type {[number, number, number, number]} */ ([
        cx - width / 2,
        cy - LINE / 2,
        cx + width / 2,
        cy + LINE / 2,
      ]);
      if (box[0] < 0 || box[1] < 0 || box[2] > view.w || box[3] > view.h || taken.some((t) => overlap(t, box)))
        continue;
      taken.push(box);
      placed[i] = { x: cx, y: cy, slot };
      break;
    }
  }
  return placed;
}

/** @param {number[]} a @param {number[]} b left, top, right, bottom */
const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

/** @param {string} name @param {number} most letters */
export const shorten = (name, most) => (name.length <= most ? name : `${name.slice(0, most - 1)}…`);
