/** Hands on the picture: drag, wheel, pinch, keys. Says what was meant; what happens is the view's affair. */

/**
 * @typedef {object} Hands
 * @property {(dx: number, dy: number) => void} turn    by pixels
 * @property {(factor: number) => void} zoom
 * @property {(key: string) => boolean} key             whether the key meant something
 * @property {(x: number, y: number, touch: boolean) => void} hover   CSS pixels within the canvas
 * @property {() => void} leave
 * @property {(x: number, y: number, event: PointerEvent) => void} click
 * @property {(x: number, y: number) => boolean} onSphere
 * @property {((x: number, y: number, phase: "start"|"move"|"end") => void)} lasso   drag with shift
 */

const CLICK_PIXELS = 4;
const WHEEL_SPEED = 0.0012;

/** @param {HTMLCanvasElement} canvas @param {Hands} hands @returns {() => void} lets go */
export function watchHands(canvas, hands) {
  /** @type {Map<number, {x: number, y: number}>} */
  const down = new Map();
  let travelled = 0, lasso = false;
  const place = (/** @type {PointerEvent|WheelEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  /** @type {Record<string, (event: any) => void>} */
  const on = {
    pointerdown(/** @type {PointerEvent} */ event) {
      if (event.button > 0) return;
      down.set(event.pointerId, place(event));
      canvas.setPointerCapture(event.pointerId);
      travelled = down.size > 1 ? CLICK_PIXELS + 1 : 0;
      lasso = event.shiftKey && down.size === 1;
      if (lasso) hands.lasso(place(event).x, place(event).y, "start");
    },
    pointermove(/** @type {PointerEvent} */ event) {
      const here = place(event), before = down.get(event.pointerId);
      if (!before) return hands.hover(here.x, here.y, event.pointerType === "touch");
      const dx = here.x - before.x, dy = here.y - before.y;
      travelled += Math.abs(dx) + Math.abs(dy);
      if (lasso) hands.lasso(here.x, here.y, "move");
      else if (down.size === 1) hands.turn(dx, dy);
      else pinch(event.pointerId, here, dx, dy);
      down.set(event.pointerId, here);
    },
    pointerup(/** @type {PointerEvent} */ event) {
      const here = place(event), alone = down.size === 1 && down.has(event.pointerId);
      down.delete(event.pointerId);
      if (lasso) hands.lasso(here.x, here.y, "end");
      else if (alone && travelled <= CLICK_PIXELS) hands.click(here.x, here.y, event);
      lasso = false;
    },
    pointercancel(/** @type {PointerEvent} */ event) {
      down.delete(event.pointerId);
      lasso = false;
    },
    pointerleave: () => hands.leave(),
    wheel(/** @type {WheelEvent} */ event) {
      const { x, y } = place(event);
      // Beside the spheres the page scrolls on, or it could not be scrolled at all.
      if (!event.ctrlKey && !hands.onSphere(x, y)) return;
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      hands.zoom(Math.exp(Math.max(-200, Math.min(200, event.deltaY * lines)) * WHEEL_SPEED * (event.ctrlKey ? 6 : 1)));
    },
    keydown(/** @type {KeyboardEvent} */ event) {
      if (event.ctrlKey || event.metaKey || event.altKey || !hands.key(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
    },
  };
  /** Two fingers: their distance zooms, their common way turns. @param {number} id @param {{x: number, y: number}} here @param {number} dx @param {number} dy */
  function pinch(id, here, dx, dy) {
    const other = [...down].find(([key]) => key !== id)?.[1], before = down.get(id);
    if (!other || !before) return;
    const was = Math.hypot(before.x - other.x, before.y - other.y), is = Math.hypot(here.x - other.x, here.y - other.y);
    if (was > 8 && is > 8) hands.zoom(was / is);
    hands.turn(dx / 2, dy / 2);
  }
  for (const [type, act] of Object.entries(on)) canvas.addEventListener(type, act, { passive: false });
  return () => Object.entries(on).forEach(([type, act]) => canvas.removeEventListener(type, act));
}
