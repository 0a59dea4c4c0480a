/** Small tools over raw WebGL2: programs, and batches of items that are refilled at every draw. */

/**
 * @typedef
 * {{program: WebGLProgram, uniforms: Record<string, WebGLUniformLocation|null>, attributes: Record<string, number>}}
 * Program
 */

/**
 * Sends a program to the driver and does not wait for it: several are compiled at the same time, beside the page.
 * @param {WebGL2RenderingContext} gl @param {string} vertex @param {string} fragment @returns {WebGLProgram}
 */
export function sendProgram(gl, vertex, fragment) {
  const program = /** @type {WebGLProgram} */ (gl.createProgram());
  for (const [type, source] of /** @type {[number, string][]} */ ([
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ])) {
    const shader = /** @type {WebGLShader} */ (gl.createShader(type));
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return program;
}

/**
 * Waits for a program that was sent. @param {WebGL2RenderingContext} gl @param {WebGLProgram} program @returns {Program}
 * @throws {Error} with the driver's own words when a shader does not compile
 */
export function takeProgram(gl, program) {
  const linked = gl.getProgramParameter(program, gl.LINK_STATUS) || gl.isContextLost(),
    shaders = gl.getAttachedShaders(program) ?? [];
  for (const shader of linked ? [] : shaders)
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS))
      throw new Error(`The stage's shader was refused: ${gl.getShaderInfoLog(shader)}`);
  if (!linked) throw new Error(`The stage's shaders do not fit together: ${gl.getProgramInfoLog(program)}`);
  for (const shader of shaders) gl.deleteShader(shader);
  /** @type {Program} */
  const built = { program, uniforms: {}, attributes: {} };
  const count = (/** @type {number} */ what) => gl.getProgramParameter(program, what) ?? 0;
  for (let i = 0; i < count(gl.ACTIVE_UNIFORMS); i++) {
    const { name } = /** @type {WebGLActiveInfo} */ (gl.getActiveUniform(program, i));
    built.uniforms[name] = gl.getUniformLocation(program, name);
  }
  for (let i = 0; i < count(gl.ACTIVE_ATTRIBUTES); i++) {
    const { name } = /** @type {WebGLActiveInfo} */ (gl.getActiveAttrib(program, i));
    built.attributes[name] = gl.getAttribLocation(program, name);
  }
  return built;
}

/**
 * Floats for items that change at every draw (lines, signs, caps): filled for all panels, sent once, drawn in ranges.
 * With four corners an item is one instance of a strip; with none it is a plain vertex.
 */
export class Batch {
  /**
   * @param {WebGL2RenderingContext} gl @param {Program} program @param {[string, number][]} fields @param {0|4} corners
   */
  constructor(gl, program, fields, corners) {
    this.gl = gl;
    this.program = program;
    this.fields = fields;
    this.corners = corners;
    this.stride = fields.reduce((sum, [, size]) => sum + size, 0);
    this.data = new Float32Array(this.stride * 256);
    this.used = 0;
    this.capacity = 0;
    this.buffer = /** @type {WebGLBuffer} */ (gl.createBuffer());
  }

  clear() {
    this.used = 0;
  }

  /** Items so far: where the next panel's range begins. */
  get count() {
    return this.used / this.stride;
  }

  /** @param {...number} values all fields of one item, in order */
  push(...values) {
    this.reserve(this.stride);
    const { data, used } = this;
    for (let i = 0; i < values.length; i++) data[used + i] = values[i];
    this.used += this.stride;
  }

  /** @param {Float32Array} items whole ones, as they were pushed before */
  append(items) {
    this.reserve(items.length);
    this.data.set(items, this.used);
    this.used += items.length;
  }

  /** @param {number} floats that are to fit */
  reserve(floats) {
    if (this.used + floats <= this.data.length) return;
    const grown = new Float32Array(Math.max(this.data.length * 2, this.used + floats));
    grown.set(this.data);
    this.data = grown;
  }

  upload() {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    if (this.data.length > this.capacity) {
      this.capacity = this.data.length;
      gl.bufferData(gl.ARRAY_BUFFER, this.data.byteLength, gl.DYNAMIC_DRAW);
    }
    if (this.used) gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.data, 0, this.used);
  }

  /**
   * Draws items `first` to `end`; the program is in use and its uniforms are set. @param {number} first
   * @param {number} end
   */
  draw(first, end) {
    if (end <= first) return;
    const { gl, stride, corners } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    let offset = corners ? first * stride * 4 : 0;
    for (const [name, size] of this.fields) {
      const at = this.program.attributes[name];
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, size, gl.FLOAT, false, stride * 4, offset);
      gl.vertexAttribDivisor(at, corners ? 1 : 0);
      offset += size * 4;
    }
    if (corners) gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, corners, end - first);
    else gl.drawArrays(gl.TRIANGLES, first, end - first);
    for (const [name] of this.fields) {
      gl.disableVertexAttribArray(this.program.attributes[name]);
      gl.vertexAttribDivisor(this.program.attributes[name], 0);
    }
  }
}
