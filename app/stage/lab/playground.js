/** The targets' playground: watch targets repel in three ways, and see which of them the classes on the stage would get. */
import { download } from "../common/files.js";
import { make, setAttribute, setText } from "../common/dom.js";
import { formatMeasure } from "../common/numbers.js";
import { fill } from "../words.js";
import { prepare } from "./curves.js";
import { matchTargets } from "./matching.js";
import { npyOf } from "./npy.js";
import { costs, Spreading, WAYS, STEPS } from "./spreading.js";
import { seen, Shadow } from "./shadows.js";
import { labWords as words } from "./words.js";

/** @typedef {import("./race.js").Snapshot} Snapshot */
/** @typedef {{ink: string, quiet: string, line: string, classes: string[]}} Look */

const TURN_MS = 7,
  /** The globe is seen from a little above. */
  TILT = 0.35,
  YAW = 0.6;

/** @param {number[]} p @returns {[number, number, number]} right, up, towards the eye */
function turned([x, y, z]) {
  const [cy, sy, ct, st] = [Math.cos(YAW), Math.sin(YAW), Math.cos(TILT), Math.sin(TILT)];
  const [a, b] = [cy * x + sy * z, cy * z - sy * x];
  return [a, ct * y - st * b, st * y + ct * b];
}

/** A globe drawn with a pen. */
class Globe {
  constructor() {
    this.canvas = make("canvas", "ltl-globe", { role: "img" });
  }

  /** @param {Look} look @param {Float32Array} places (n, 3) @param {Float32Array|null} from where each class is */
  draw(look, places, from) {
    const pen = prepare(this.canvas);
    if (!pen) return;
    const { w, h, context } = pen,
      radius = Math.min(w, h) / 2 - 7;
    const at = (/** @type {Float32Array} */ rows, /** @type {number} */ i) => {
      const [x, y, z] = turned([rows[3 * i], rows[3 * i + 1], rows[3 * i + 2]]);
      return { x: w / 2 + radius * x, y: h / 2 - radius * y, z };
    };
    context.strokeStyle = look.line;
    context.beginPath();
    context.arc(w / 2, h / 2, radius, 0, 2 * Math.PI);
    context.stroke();
    const n = places.length / 3,
      order = Array.from({ length: n }, (_, i) => i).sort((i, j) => at(places, i).z - at(places, j).z);
    for (const i of order) {
      const p = at(places, i);
      context.globalAlpha = p.z < 0 ? 0.35 : 1;
      context.strokeStyle = context.fillStyle = from ? (look.classes[i] ?? look.ink) : look.ink;
      if (from) {
        const q = at(from, i);
        context.beginPath();
        context.moveTo(q.x, q.y);
        context.lineTo(p.x, p.y);
        context.stroke();
        context.beginPath();
        context.arc(q.x, q.y, 3.2, 0, 2 * Math.PI);
        context.fill();
      }
      // A target is a diamond, as on the stage.
      context.beginPath();
      for (const [dx, dy] of [
        [0, -4.5],
        [4.5, 0],
        [0, 4.5],
        [-4.5, 0],
      ])
        context.lineTo(p.x + dx, p.y + dy);
      context.closePath();
      if (from) context.stroke();
      else context.fill();
    }
    context.globalAlpha = 1;
  }
}

export class Playground {
  constructor() {
    /** @type {Spreading[]} */
    this.recipes = [];
    this.seed = 1;
    this.key = "";
    this.frame = 0;
    /** @type {Look|null} */
    this.look = null;
    this.figures = WAYS.map((name) => {
      const globe = new Globe(),
        bars = make("canvas", "ltl-histogram", { role: "img" }),
        said = make("p", "ltl-note"),
        [title, hint] = words.recipes[name];
      const save = make("button", "ltl-button", { type: "button", title: words.saveHint }, words.save);
      save.addEventListener("click", () => this.save(name));
      const figure = make(
        "figure",
        "ltl-figure",
        { "data-recipe": name, title: hint },
        globe.canvas,
        make("figcaption", "", {}, title),
      );
      figure.append(bars, said, save);
      return { name, globe, bars, said, save, figure };
    });
    this.match = { globe: new Globe(), said: make("p", "ltl-note", { "data-testid": "ltviz-matching" }) };
    const matching = make(
      "figure",
      "ltl-figure",
      { title: words.matchingHint },
      this.match.globe.canvas,
      make("figcaption", "", {}, words.matching),
      this.match.said,
    );
    const again = make("button", "ltl-button", { type: "button", "data-act": "generate" }, words.generate);
    again.addEventListener("click", () => this.begin(this.seed + 1));
    this.root = make(
      "details",
      "ltl-playground",
      {},
      make("summary", "", {}, words.targets),
      make("p", "ltl-note", {}, words.targetsLead, " ", again),
      make("div", "ltl-recipes", {}, ...this.figures.map(({ figure }) => figure), matching),
    );
    this.root.addEventListener("toggle", () => this.run());
  }

  /** What is on the stage: another number of classes or dimensions begins anew. @param {number} classes
   * @param {number} dim @param {Look} look @param {Snapshot|undefined} shot of the first loss */
  write(classes, dim, look, shot) {
    this.look = look;
    const key = `${classes} ${dim}`;
    if (!this.root.open) return;
    if (this.key !== key) {
      this.key = key;
      this.begin(this.seed);
    }
    this.drawMatch(shot);
  }

  /** @param {number} seed */
  begin(seed) {
    const [classes, dim] = this.key.split(" ").map(Number);
    this.seed = seed;
    if (!classes) return;
    this.recipes = WAYS.map((name) => new Spreading(name, classes, dim, seed));
    this.view = new Shadow(dim, classes);
    this.run();
  }

  /** Steps a little in each picture while somebody looks. */
  run() {
    cancelAnimationFrame(this.frame);
    if (!this.root.open) return;
    const end = performance.now() + TURN_MS;
    while (performance.now() < end && this.recipes.some(({ done }) => !done)) this.recipes.forEach((one) => one.step());
    this.recipes.forEach((recipe, i) => this.draw(recipe, this.figures[i]));
    if (this.recipes.some(({ done }) => !done)) this.frame = requestAnimationFrame(() => this.run());
  }

  /** @param {Spreading} recipe @param {Playground["figures"][number]} figure */
  draw(recipe, { globe, bars, said, save }) {
    const { dim, classes, rows, exists, steps, largest } = recipe;
    if (!this.look) return;
    const view =
      dim > 3
        ? (this.view?.follow("spread", [], exists ? rows : new Float64Array(classes * dim), false) ?? rows)
        : null;
    globe.draw(this.look, exists ? seen(view ?? plain(dim), rows, dim) : new Float32Array(0), null);
    setText(
      said,
      exists
        ? fill(recipe.descent ? words.recipeSays : words.closedSays, {
            largest: formatMeasure(largest, "", 3),
            steps,
            of: STEPS,
          })
        : words.noClosed,
    );
    save.disabled = !exists;
    const pen = prepare(bars);
    if (!pen) return;
    const { w, h, context } = pen,
      counts = exists ? recipe.histogram() : new Uint32Array(1),
      most = Math.max(1, ...counts);
    context.fillStyle = this.look.quiet;
    counts.forEach((n, i) => {
      const tall = n ? Math.max(1.5, (n / most) * (h - 14)) : 0;
      context.fillRect((i * w) / counts.length, h - 12 - tall, w / counts.length - 1, tall);
    });
    context.font = "10px system-ui, sans-serif";
    ["−1", "0", "1"].forEach((text, i) => {
      context.textAlign = /** @type {const} */ (["left", "center", "right"])[i];
      context.fillText(text, (i * w) / 2, h - 2);
    });
    setAttribute(bars, "aria-label", words.histogram);
  }

  /** @param {Snapshot|undefined} shot */
  drawMatch(shot) {
    const recipe = this.recipes[0]?.exists ? this.recipes[0] : this.recipes[1];
    if (!shot || !recipe || !this.look || shot.means.length !== recipe.rows.length) return;
    const { classes, dim, rows } = recipe,
      assigned = matchTargets(shot.means, rows, classes, dim),
      own = new Float64Array(rows.length);
    assigned.forEach((j, c) => own.set(rows.subarray(j * dim, (j + 1) * dim), c * dim));
    const view = dim > 3 ? (this.view?.rows ?? plain(dim)) : plain(dim);
    this.match.globe.draw(this.look, seen(view, own, dim), seen(view, shot.means, dim));
    const { matched, random } = costs(shot.means, rows, assigned, classes, dim);
    setText(
      this.match.said,
      fill(words.matchingSays, { matched: formatMeasure(matched, ""), random: formatMeasure(random, "") }),
    );
  }

  /** @param {string} name */
  save(name) {
    const recipe = this.recipes.find((one) => one.name === name);
    if (!recipe?.exists) return;
    const { rows, classes, dim } = recipe;
    download(new Blob([npyOf(rows, classes, dim)]), `ltviz-targets-${name}-${classes}-${dim}.npy`);
  }
}

/** Axes of at most three dimensions. @param {number} dim */
function plain(dim) {
  const view = new Float64Array(3 * dim);
  for (let a = 0; a < Math.min(3, dim); a++) view[a * dim + a] = 1;
  return view;
}
