/** How wide each class spreads around its centre. Pure. */

/** @typedef {import("./types.js").Vec3} Vec3 */

/** Share of a class that its cap holds. */
export const HELD = 0.95;

/**
 * @param {Int16Array} xyz @param {Uint16Array} labels @param {(Vec3|null)[]} centres
 * @returns {number[]} half-angle in radians that holds 95 % of each class's points; 0 where a class has fewer than two
 */
export function capAngles(xyz, labels, centres) {
  /** @type {number[][]} */
  const cosines = centres.map(() => []);
  for (let i = 0; i < labels.length; i++) {
    const m = centres[labels[i]];
    if (!m) continue;
    const x = xyz[3 * i], y = xyz[3 * i + 1], z = xyz[3 * i + 2];
    cosines[labels[i]].push((x * m[0] + y * m[1] + z * m[2]) / (Math.hypot(x, y, z) * Math.hypot(m[0], m[1], m[2]) || 1));
  }
  return cosines.map((list) => {
    if (list.length < 2) return 0;
    list.sort((a, b) => b - a);
    const cosine = list[Math.min(list.length - 1, Math.ceil(HELD * list.length) - 1)];
    return Math.acos(Math.min(1, Math.max(-1, cosine)));
  });
}
