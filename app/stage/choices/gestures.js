/** Gestures on the picture: drag, wheel, pinch, keys. Says what was meant; what happens is the view's affair. */

/** @typedef {"turn"|"lasso"|"box"} Tool  what a drag does */
/** @typedef {"start"|"move"|"end"|"cancel"} Phase */
/**
 * @typedef {object} Gestures
 * @property {() => Tool} tool                          what a plain drag does now
 * @property {(x: number, y: number) => void} grab      before anything is done there, CSS pixels within the canvas
 * @property {(dx: number, dy: number) => void} turn    by pixels
 * @property {(factor: number) => void} zoom
 * @property {(key: string) => boolean} key             whether the key meant something
 * @property {(x: number, y: number) => void} hover
 * @property {() => void} leave
 * @property {(x: number, y: number) => void} click
 * @property {(x: number, y: number) => boolean} onSphere
 * @property {(x: number, y: number, phase: Phase, tool: Tool) => void} outline
 */

const CLICK_PIXELS = 4;
const WHEEL_SPEED = 0.0012;

/**
 * @param {{shiftKey: boolean, altKey: boolean}} event @param {Tool} tool the one chosen
 * @returns {Tool} keys win over it
 */
export const toolOf = ({ shiftKey, altKey }, tool) => (shiftKey ? (altKey ? "box" : "lasso") : tool);

/** @param {HTMLCanvasElement} canvas @param {Gestures} gestures @returns {() => void} lets go */
export function watchGestures(canvas, gestures) {
  /** @type {Map<number, {x: number, y: number}>} */
  const down = new Map();
  /** @type {Tool} */
  let tool = "turn";
  let travelled = 0;
  const place = (/** @type {PointerEvent|WheelEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const stopOutline = () => {
    if (tool !== "turn") gestures.outline(0, 0, "cancel", tool);
    tool = "turn";
  };
  /** @type {Record<string, (event: any) => void>} */
  const on = {
    pointerdown(/** @type {PointerEvent} */ event) {
      if (event.button > 0) return;
      const here = place(event);
      down.set(event.pointerId, here);
      canvas.setPointerCapture(event.pointerId);
      travelled = down.size > 1 ? CLICK_PIXELS + 1 : 0;
      gestures.grab(here.x, here.y);
      // A second finger always means pinching.
      if (down.size > 1) return stopOutline();
      tool = toolOf(event, gestures.tool());
      if (tool !== "turn") gestures.outline(here.x, here.y, "start", tool);
    },
    pointermove(/** @type {PointerEvent} */ event) {
      const here = place(event),
        before = down.get(event.pointerId);
      if (!before) return gestures.hover(here.x, here.y);
      const dx = here.x - before.x,
        dy = here.y - before.y;
      travelled += Math.abs(dx) + Math.abs(dy);
      if (tool !== "turn") gestures.outline(here.x, here.y, "move", tool);
      else if (down.size === 1) gestures.turn(dx, dy);
      else pinch(event.pointerId, here, dx, dy);
      down.set(event.pointerId, here);
    },
    pointerup(/** @type {PointerEvent} */ event) {
      const here = place(event),
        click = down.size === 1 && down.has(event.pointerId) && travelled <= CLICK_PIXELS;
      down.delete(event.pointerId);
      if (tool !== "turn" && !click) gestures.outline(here.x, here.y, "end", tool);
      else stopOutline();
      tool = "turn";
      if (click) gestures.click(here.x, here.y);
    },
    pointercancel(/** @type {PointerEvent} */ event) {
      down.delete(event.pointerId);
      stopOutline();
    },
    pointerleave: () => gestures.leave(),
    wheel(/** @type {WheelEvent} */ event) {
      const { x, y } = place(event);
      // Beside the spheres the page scrolls on, or it could not be scrolled at all.
      if (!event.ctrlKey && !gestures.onSphere(x, y)) return;
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      gestures.grab(x, y);
      gestures.zoom(
        Math.exp(Math.max(-200, Math.min(200, event.deltaY * lines)) * WHEEL_SPEED * (event.ctrlKey ? 6 : 1)),
      );
    },
    keydown(/** @type {KeyboardEvent} */ event) {
      if (event.ctrlKey || event.metaKey || event.altKey || !gestures.key(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
    },
  };
  /**
   * Two fingers: their distance zooms, their common way turns. @param {number} id @param {{x: number, y: number}} here
   * @param {number} dx @param {number} dy
   */
  function pinch(id, here, dx, dy) {
    const other = [...down].find(([key]) => key !== id)?.[1],
      before = down.get(id);
    if (!other || !before) return;
    const was = Math.hypot(before.x - other.x, before.y - other.y),
      is = Math.hypot(here.x - other.x, here.y - other.y);
    if (was > 8 && is > 8) gestures.zoom(was / is);
    gestures.turn(dx / 2, dy / 2);
  }
  for (const [type, act] of Object.entries(on)) canvas.addEventListener(type, act, { passive: false });
  return () => Object.entries(on).forEach(([type, act]) => canvas.removeEventListener(type, act));
}
