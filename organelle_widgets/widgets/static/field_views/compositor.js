// Channels to colours. Two ways with one interface: WebGL2, and a 2D canvas that computes only the pixels on screen.
//
// A picture is {width, height, rgba, step}: four channels interleaved, `step` field pixels a texel. A mix is one entry a
// channel: {low, high, gamma, color: [r, g, b] from 0 to 1}, or null for a hidden one. A pane is {x, y, width, height} in
// device pixels from the canvas's top left corner, with its mix; `look` is {x, y, scale} in device pixels a field pixel.

const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D u_picture;
uniform float u_height, u_scale;
uniform vec2 u_middle, u_look, u_field, u_extent;
uniform vec4 u_low, u_gain, u_gamma;
uniform bool u_curved;
uniform mat4x3 u_colors;
out vec4 result;
void main() {
  vec2 screen = vec2(gl_FragCoord.x, u_height - gl_FragCoord.y);
  vec2 position = u_look + (screen - u_middle) / u_scale;
  bool inside = all(greaterThanEqual(position, vec2(0.0))) && all(lessThan(position, u_field));
  vec4 level = texture(u_picture, position / u_extent, -0.5) * 255.0;
  vec4 light = clamp((level - u_low) * u_gain, 0.0, 1.0);
  if (u_curved) light = pow(light, u_gamma);
  result = vec4(inside ? u_colors * light : vec3(0.0), 1.0);
}`;

/** Above this many device pixels a texel, pixels are shown as squares. */
const SQUARES_FROM = 2;

class GlCompositor {
  constructor(canvas, onLost) {
    this.kind = "webgl";
    this.canvas = canvas;
    const gl = canvas.getContext("webgl2", { antialias: false, depth: false, stencil: false });
    if (!gl) throw new Error("WebGL2 is not available");
    this.gl = gl;
    this.onLost = (event) => {
      event.preventDefault();
      onLost();
    };
    canvas.addEventListener("webglcontextlost", this.onLost);
    this.program = this.link();
    this.at = Object.fromEntries(
      ["height", "scale", "middle", "look", "field", "extent", "low", "gain", "gamma", "curved", "colors"].map((name) => [
        name, gl.getUniformLocation(this.program, `u_${name}`),
      ]),
    );
    this.texture = gl.createTexture();
    gl.useProgram(this.program);
    gl.bindVertexArray(gl.createVertexArray());
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.enable(gl.SCISSOR_TEST);
  }

  link() {
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      gl.deleteShader(shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error("The shader did not compile");
    return program;
  }

  setPicture(picture) {
    const gl = this.gl;
    this.picture = shrunkTo(picture, gl.getParameter(gl.MAX_TEXTURE_SIZE));
    const { width, height, rgba } = this.picture;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, rgba);
    gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  }

  draw(panes, look, field) {
    const gl = this.gl;
    const { width, height, step } = this.picture;
    const squares = look.scale * step > SQUARES_FROM;
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, squares ? gl.NEAREST : gl.LINEAR);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.uniform1f(this.at.height, this.canvas.height);
    gl.uniform1f(this.at.scale, look.scale);
    gl.uniform2f(this.at.look, look.x, look.y);
    gl.uniform2f(this.at.field, field.width, field.height);
    gl.uniform2f(this.at.extent, width * step, height * step);
    for (const pane of panes) this.drawPane(pane);
  }

  drawPane({ x, y, width, height, mix }) {
    const gl = this.gl;
    gl.scissor(x, this.canvas.height - y - height, width, height);
    gl.uniform2f(this.at.middle, x + width / 2, y + height / 2);
    gl.uniform4fv(this.at.low, mix.map((c) => c?.low ?? 0));
    gl.uniform4fv(this.at.gain, mix.map((c) => (c ? 1 / (c.high - c.low) : 0)));
    gl.uniform4fv(this.at.gamma, mix.map((c) => c?.gamma ?? 1));
    gl.uniform1i(this.at.curved, mix.some((c) => c && c.gamma !== 1) ? 1 : 0);
    gl.uniformMatrix4x3fv(this.at.colors, false, mix.flatMap((c) => c?.color ?? [0, 0, 0]));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** The colour of one device pixel, straight after `draw`. */
  read(x, y) {
    const out = new Uint8Array(4);
    this.gl.readPixels(x, this.canvas.height - 1 - y, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, out);
    return [...out.subarray(0, 3)];
  }

  dispose() {
    this.canvas.removeEventListener("webglcontextlost", this.onLost);
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

class CanvasCompositor {
  constructor(canvas) {
    this.kind = "canvas";
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    if (!this.context) throw new Error("No 2D canvas is available");
  }

  setPicture(picture) {
    this.levels = [picture];
  }

  /** The picture at 1 / 2^k of its size, made when first needed. */
  level(k) {
    while (this.levels.length <= k) this.levels.push(halved(this.levels.at(-1)));
    return this.levels[k];
  }

  draw(panes, look, field) {
    const texels = 1 / (look.scale * this.levels[0].step);
    const picture = this.level(Math.min(6, Math.max(0, Math.floor(Math.log2(texels) + 1e-6))));
    for (const { x, y, width, height, mix } of panes) {
      if (width < 1 || height < 1) continue;
      const image = this.context.createImageData(width, height);
      compose(image, picture, look, field, mix);
      this.context.putImageData(image, x, y);
    }
  }

  read(x, y) {
    return [...this.context.getImageData(x, y, 1, 1).data.subarray(0, 3)];
  }

  dispose() {
    this.levels = [];
  }
}

/** For each of `count` screen pixels along one axis: its two texels and the weight of the second; -1 outside. */
function samples(count, center, scale, length, picture, texels) {
  const { step } = picture;
  const first = new Int32Array(count).fill(-1);
  const second = new Int32Array(count);
  const weight = new Float32Array(count);
  const squares = scale * step > SQUARES_FROM;
  for (let i = 0; i < count; i += 1) {
    const position = center + (i + 0.5 - count / 2) / scale;
    if (position < 0 || position >= length) continue;
    const texel = position / step - (squares ? 0 : 0.5);
    const low = Math.min(Math.max(Math.floor(texel), 0), texels - 1);
    first[i] = low;
    second[i] = squares ? low : Math.min(low + 1, texels - 1);
    weight[i] = squares ? 0 : Math.min(Math.max(texel - low, 0), 1);
  }
  return { first, second, weight };
}

/** Grey level -> light of one channel, four steps a grey level. */
function lightTable({ low, high, gamma }) {
  const table = new Float32Array(1024);
  for (let i = 0; i < 1024; i += 1) {
    table[i] = 255 * Math.min(Math.max((i / 4 - low) / (high - low), 0), 1) ** gamma;
  }
  return table;
}

/** Paint an ImageData from an interleaved picture. */
function compose(image, picture, look, field, mix) {
  const { width, height, data } = image;
  const across = samples(width, look.x, look.scale, field.width, picture, picture.width);
  const down = samples(height, look.y, look.scale, field.height, picture, picture.height);
  const parts = mix.map((c, slot) => c && { slot, table: lightTable(c), color: c.color }).filter(Boolean);
  const { rgba } = picture;
  const row = picture.width * 4;
  for (let y = 0, target = 0; y < height; y += 1) {
    const [top, bottom, wy] = [down.first[y] * row, down.second[y] * row, down.weight[y]];
    for (let x = 0; x < width; x += 1, target += 4) {
      data[target + 3] = 255;
      if (top < 0 || across.first[x] < 0) continue;
      const [left, right, wx] = [across.first[x] * 4, across.second[x] * 4, across.weight[x]];
      let [r, g, b] = [0, 0, 0];
      for (const { slot, table, color } of parts) {
        const upper = rgba[top + left + slot] * (1 - wx) + rgba[top + right + slot] * wx;
        const lower = rgba[bottom + left + slot] * (1 - wx) + rgba[bottom + right + slot] * wx;
        const light = table[((upper * (1 - wy) + lower * wy) * 4 + 0.5) | 0];
        r += light * color[0];
        g += light * color[1];
        b += light * color[2];
      }
      data[target] = r;
      data[target + 1] = g;
      data[target + 2] = b;
    }
  }
}

/** A compositor on a fresh canvas: WebGL2 where wanted and there, else the 2D canvas. */
function makeCompositor(wanted, onLost) {
  const canvas = h("canvas", { class: "ow-fv-picture", "aria-hidden": "true" });
  if (wanted === "canvas") return new CanvasCompositor(canvas);
  try {
    return new GlCompositor(canvas, onLost);
  } catch (error) {
    console.warn(`Field views: ${error.message}; drawing on a 2D canvas.`);
    return new CanvasCompositor(h("canvas", { class: "ow-fv-picture", "aria-hidden": "true" }));
  }
}
