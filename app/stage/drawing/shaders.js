/**
 * GLSL of the stage. Colours go out as straight alpha; the page colour stands in for light that the page would give.
 */
import { FLAG, NO_PIECE } from "../scene/attributes.js";
import { SHAPE } from "../scene/strokes.js";

/** How far a place is in front: 1 facing the eye, 0 behind the outline; and what is left of its colour there. */
const FACING = `
uniform float distance_;
const float FAR_SIDE = 0.35;
float facing(float w) { return smoothstep(-0.12, 0.38, distance_ - w); }
float remains(float w) { return mix(FAR_SIDE, 1.0, facing(w)); }
`;

/** Along the great circle, and along the radius; straight where no great circle is singled out. */
const BETWEEN = `
vec3 between(vec3 a, vec3 b, float k) {
  float la = length(a), lb = length(b);
  vec3 straight = mix(a, b, k);
  if (k >= 1.0) return b;
  if (la < 1e-4 || lb < 1e-4) return straight;
  float c = dot(a, b) / (la * lb);
  if (c < -0.9995) return straight;
  vec3 way = straight;
  if (c < 0.9995) { float t = acos(c); way = a / la * sin((1.0 - k) * t) + b / lb * sin(k * t); }
  return normalize(way) * mix(la, lb, k);
}
`;

/** Colours in a row of the palette: a texture of one row would be wider than cards allow. */
export const PALETTE_ROW = 256;

/** Where a point is, and how large: shared by the discs and the rings around them. */
const POINT_PLACE = `
in vec3 from; in vec3 to; in uint colourAt; in uint flags; in uint ownSize;
uniform mat4 matrix; uniform float progress; uniform float size; uniform vec3 page; uniform sampler2D palette;
${FACING}${BETWEEN}
vec3 paint(uint at) { return texelFetch(palette, ivec2(int(at) % ${PALETTE_ROW}, int(at) / ${PALETTE_ROW}), 0).rgb; }
bool has(uint flag) { return (flags & flag) != 0u; }
/** Radius in device pixels; ownSize is the size by training count, 128 = 1. */
float discRadius(float near) { return size * float(ownSize) / 128.0 * (distance_ / gl_Position.w) * mix(0.8, 1.0, near) * (has(${FLAG.DIMMED}u) ? 0.75 : 1.0); }
void hide() { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); gl_PointSize = 1.0; }
vec3 assign(vec3 ink, float near) { return mix(page, ink, mix(FAR_SIDE, 1.0, near) * (has(${FLAG.DIMMED}u) ? 0.22 : 1.0)); }
`;

export const POINT_VERTEX = `#version 300 es
precision highp float; precision highp int;
flat out vec3 colour; flat out float radius; flat out float hole; flat out float rim; flat out float square;
uniform float outline;
${POINT_PLACE}
void main() {
  if (has(${FLAG.HIDDEN}u)) { hide(); return; }
  gl_Position = matrix * vec4(between(from, to, progress), 1.0);
  float near = facing(gl_Position.w);
  colour = assign(paint(colourAt), near);
  radius = discRadius(near);
  hole = has(${FLAG.TEST}u) ? radius * 0.36 : 0.0;
  square = has(${FLAG.VALIDATION}u) ? 1.0 : 0.0;
  rim = min(outline, radius * 0.26) * near;
  gl_PointSize = radius * 2.0 + 1.0;
}`;

export const POINT_FRAGMENT = `#version 300 es
precision highp float;
flat in vec3 colour; flat in float radius; flat in float hole; flat in float rim; flat in float square;
uniform vec3 page;
out vec4 pixel;
void main() {
  vec2 d = (gl_PointCoord - 0.5) * (radius * 2.0 + 1.0);
  // A square of the same area as the disc.
  float r = square > 0.5 ? max(abs(d.x), abs(d.y)) * 1.13 : length(d), cover = clamp(radius - r + 0.5, 0.0, 1.0);
  if (cover < 0.05) discard;
  float core = clamp(radius - rim - r + 0.5, 0.0, 1.0);
  if (hole > 0.7) core *= 0.5 + 0.5 * clamp(r - hole + 0.5, 0.0, 1.0);
  pixel = vec4(mix(page, colour, core), cover * mix(0.82, 1.0, core));
}`;

/** Rings in pieces around samples of several classes. */
export const RING_VERTEX = `#version 300 es
precision highp float; precision highp int;
in uvec4 pieces;
flat out vec3 first; flat out vec3 second; flat out vec3 third; flat out vec3 fourth; flat out float count; flat out float radius; flat out float strength;
uniform float ratio;
${POINT_PLACE}
vec3 inkOf(uint piece, float near) { return assign(paint(piece), near); }
void main() {
  if (has(${FLAG.HIDDEN}u) || pieces.y == ${NO_PIECE}u) { hide(); return; }
  gl_Position = matrix * vec4(between(from, to, progress), 1.0);
  float near = facing(gl_Position.w);
  radius = discRadius(near) + 2.4 * ratio * mix(0.8, 1.0, near);
  first = inkOf(pieces.x, near); second = inkOf(pieces.y, near);
  third = pieces.z == ${NO_PIECE}u ? first : inkOf(pieces.z, near);
  fourth = pieces.w == ${NO_PIECE}u ? first : inkOf(pieces.w, near);
  count = pieces.z == ${NO_PIECE}u ? 2.0 : pieces.w == ${NO_PIECE}u ? 3.0 : 4.0;
  strength = has(${FLAG.DIMMED}u) ? 0.4 : 1.0;
  gl_PointSize = radius * 2.0 + 1.0;
}`;

export const RING_FRAGMENT = `#version 300 es
precision highp float;
flat in vec3 first; flat in vec3 second; flat in vec3 third; flat in vec3 fourth; flat in float count; flat in float radius; flat in float strength;
uniform float ratio;
out vec4 pixel;
void main() {
  vec2 d = (gl_PointCoord - 0.5) * (radius * 2.0 + 1.0);
  float width = 1.7 * ratio, cover = clamp(radius - length(d) + 0.5, 0.0, 1.0) * clamp(length(d) - (radius - width) + 0.5, 0.0, 1.0);
  if (cover < 0.05) discard;
  // Clockwise from the top.
  float turn = fract(atan(d.x, -d.y) / 6.2831853 + 1.0) * count;
  vec3 ink = turn < 1.0 ? first : turn < 2.0 ? second : turn < 3.0 ? third : fourth;
  pixel = vec4(ink, cover * strength);
}`;

/**
 * Lines as quads that face the screen: smooth at every width, dashed on request; with a border in the colour of the
 * page where the
 * width is negative, so that a line is seen among points of its own colour. One instance is one straight piece. */
export const LINE_VERTEX = `#version 300 es
precision highp float;
in vec3 a; in vec3 b; in vec4 ink; in vec3 stroke;
uniform mat4 matrix; uniform vec2 viewport; uniform float ratio;
const float BORDER = 1.1;
out vec4 colour; out float across; out float along; flat out float half_; flat out float dash; flat out float border;
${FACING}
void main() {
  vec4 p = matrix * vec4(a, 1.0), q = matrix * vec4(b, 1.0);
  vec2 s = p.xy / p.w * viewport * 0.5, t = q.xy / q.w * viewport * 0.5, way = t - s;
  vec2 dir = length(way) > 1e-4 ? normalize(way) : vec2(1.0, 0.0);
  bool end = (gl_VertexID & 1) == 1;
  float side = gl_VertexID < 2 ? -1.0 : 1.0;
  vec4 here = end ? q : p;
  half_ = abs(stroke.x) * ratio * 0.5;
  border = stroke.x < 0.0 ? BORDER * ratio : 0.0;
  across = side * (half_ + border + 1.0);
  along = end ? stroke.z : stroke.y;
  dash = stroke.z < 0.0 ? 0.0 : 1.0;
  vec2 place = (end ? t : s) + vec2(-dir.y, dir.x) * across;
  gl_Position = vec4(place / (viewport * 0.5) * here.w, here.z, here.w);
  colour = vec4(ink.rgb, ink.a * remains(here.w));
}`;

export const LINE_FRAGMENT = `#version 300 es
precision highp float;
in vec4 colour; in float across; in float along; flat in float half_; flat in float dash; flat in float border;
uniform vec3 page;
out vec4 pixel;
void main() {
  float core = clamp(half_ + 0.5 - abs(across), 0.0, 1.0);
  if (dash > 0.5) core *= smoothstep(0.42, 0.5, abs(fract(along) - 0.5) + 0.18);
  float cover = border > 0.0 ? max(core, 0.85 * clamp(half_ + border + 0.5 - abs(across), 0.0, 1.0)) : core;
  if (cover < 0.01) discard;
  pixel = vec4(border > 0.0 ? mix(page, colour.rgb, core) : colour.rgb, colour.a * cover);
}`;

/** Signs on the sphere: rings, diamonds, squares, triangles, crosses, soft points. One instance is one sign. */
export const SIGN_VERTEX = `#version 300 es
precision highp float;
in vec3 place; in vec4 ink; in vec2 form;
uniform mat4 matrix; uniform vec2 viewport; uniform float ratio;
out vec2 at; out vec4 colour; flat out float radius; flat out int shape;
${FACING}
void main() {
  vec4 p = matrix * vec4(place, 1.0);
  radius = form.x * ratio * (distance_ / p.w);
  shape = int(form.y + 0.5);
  vec2 corner = vec2((gl_VertexID & 1) == 1 ? 1.0 : -1.0, gl_VertexID < 2 ? -1.0 : 1.0);
  at = corner * (radius + 3.0);
  gl_Position = vec4(p.xy + at / (viewport * 0.5) * p.w, p.z, p.w);
  colour = vec4(ink.rgb, ink.a * remains(p.w));
}`;

export const SIGN_FRAGMENT = `#version 300 es
precision highp float;
in vec2 at; in vec4 colour; flat in float radius; flat in int shape;
uniform vec3 page; uniform float ratio;
out vec4 pixel;
void main() {
  vec2 q = abs(at);
  float d;
  if (shape == ${SHAPE.DIAMOND}) d = (q.x + q.y - radius * 1.2) * 0.7071;
  else if (shape == ${SHAPE.SQUARE}) d = max(q.x, q.y) - radius * 0.82;
  else if (shape == ${SHAPE.TRIANGLE}) d = max(q.x * 0.866 + at.y * 0.5, -at.y) - radius * 0.62;
  else if (shape == ${SHAPE.PLUS}) d = max(max(q.x, q.y) - radius, min(q.x, q.y) - radius * 0.3);
  else d = length(at) - radius;
  if (shape == ${SHAPE.MIST}) {
    float soft = smoothstep(radius, radius * 0.3, length(at));
    if (soft < 0.02) discard;
    pixel = vec4(colour.rgb, colour.a * soft);
    return;
  }
  float core;
  if (shape == ${SHAPE.RING} || shape == ${SHAPE.HALO}) {
    float stroke = (shape == ${SHAPE.RING} ? 1.1 : 0.8) * ratio;
    d = abs(d + stroke) - stroke;
    core = clamp(0.5 - d, 0.0, 1.0);
  } else core = clamp(0.5 - d, 0.0, 1.0);
  float rim = clamp(1.3 * ratio + 0.5 - d, 0.0, 1.0) * (shape == ${SHAPE.HALO} ? 0.5 : 0.9);
  float cover = max(core, rim);
  if (cover < 0.02) discard;
  pixel = vec4(mix(page, colour.rgb, core), colour.a * cover);
}`;

/** Filled caps: plain triangles on the sphere. */
export const PATCH_VERTEX = `#version 300 es
precision highp float;
in vec3 place; in vec4 ink;
uniform mat4 matrix;
out vec4 colour;
${FACING}
void main() {
  gl_Position = matrix * vec4(place, 1.0);
  colour = vec4(ink.rgb, ink.a * remains(gl_Position.w));
}`;

export const PATCH_FRAGMENT = `#version 300 es
precision highp float;
in vec4 colour; out vec4 pixel;
void main() { pixel = colour; }`;

/** One triangle that covers the view; the sphere is found for each pixel by its line of sight. */
export const BACKDROP_VERTEX = `#version 300 es
out vec2 at;
void main() {
  at = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  gl_Position = vec4(at, 0.0, 1.0);
}`;

export const BACKDROP_FRAGMENT = `#version 300 es
precision highp float;
in vec2 at;
uniform vec2 focal; uniform float distance_; uniform mat3 turn; uniform float pixel_;
uniform vec3 page; uniform vec3 ink; uniform float dark; uniform float grid;
out vec4 pixel;

// One pixel wide, where a linear function of the place is zero; its slope on the screen comes from the slopes of the
// place.
float trace(float value, vec3 gradient, vec3 right, vec3 up) {
  float pace = max(1e-5, length(vec2(dot(gradient, right), dot(gradient, up))));
  return smoothstep(1.15, 0.2, abs(value) / pace);
}

// Lines of longitude and latitude every 30 degrees.
float net(vec3 n, vec3 right, vec3 up) {
  float line = 0.0;
  for (int i = 0; i < 6; i++) {
    float a = float(i) * 0.5235988;
    vec3 plane = vec3(cos(a), 0.0, sin(a));
    line = max(line, trace(dot(plane, n), plane, right, up));
  }
  // Where all meridians meet they would make a blot.
  line *= smoothstep(0.995, 0.93, abs(n.y));
  float level = abs(n.y) < 0.25 ? 0.0 : sign(n.y) * (abs(n.y) < 0.6830127 ? 0.5 : 0.8660254);
  return max(line, trace(n.y - level, vec3(0.0, 1.0, 0.0), right, up));
}

void main() {
  vec3 ray = normalize(vec3(at / focal, -1.0));
  float b = distance_ * ray.z, disc = b * b - distance_ * distance_ + 1.0;
  float miss = sqrt(max(0.0, distance_ * distance_ - b * b));
  float edge = pixel_ * distance_;
  float inside = clamp((1.0 - miss) / edge + 0.5, 0.0, 1.0);
  vec3 c = page;
  // Outside: a breath of light (dark page) or of shade (light page).
  vec2 border = smoothstep(1.0, 0.86, abs(at));
  float halo = exp(-max(0.0, miss - 1.0) * 11.0) * border.x * border.y;
  c = mix(c, dark > 0.5 ? vec3(0.36, 0.52, 0.78) : ink, halo * (dark > 0.5 ? 0.16 : 0.055));
  // Outside the outline the line of sight only grazes; slopes are taken before that branch, where they are defined.
  float root = sqrt(max(disc, 0.0));
  vec3 eye = vec3(0.0, 0.0, distance_), front = eye + ray * (-b - root), back = eye + ray * (-b + root);
  vec3 p = turn * front, q = turn * back;
  float f = net(p, dFdx(p), dFdy(p)), k = net(q, dFdx(q), dFdy(q));
  if (inside > 0.0) {
    float fresnel = pow(clamp(1.0 - front.z, 0.0, 1.0), 3.0);
    float light = clamp(dot(front, normalize(vec3(-0.45, 0.65, 0.6))), 0.0, 1.0);
    vec3 body = dark > 0.5
      ? mix(page, vec3(0.42, 0.55, 0.78), 0.035 + 0.075 * light + 0.2 * fresnel)
      : mix(mix(page, ink, 0.045 + 0.10 * fresnel), vec3(1.0), 0.75 * light * light);
    float strength = dark > 0.5 ? 0.32 : 0.26;
    body = mix(body, ink, grid * k * strength * 0.35);
    body = mix(body, ink, grid * f * strength * mix(0.45, 1.0, smoothstep(0.0, 0.5, front.z)));
    float line = clamp(1.0 - abs(miss - 1.0 + edge * 0.6) / (edge * 1.1), 0.0, 1.0);
    body = mix(body, ink, line * (dark > 0.5 ? 0.34 : 0.26));
    c = mix(c, body, inside);
  }
  // Half a grey level of noise hides the bands of a faint gradient.
  c += (fract(sin(dot(gl_FragCoord.xy, vec2(12.9898, 78.233))) * 43758.5453) - 0.5) / 255.0;
  pixel = vec4(c, 1.0);
}`;
