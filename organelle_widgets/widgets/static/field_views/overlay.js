// What is drawn over the pictures: outlines, fills, boxes and labels of the cells. Lines keep their width on screen.

const NOT_SURE = { code: "?", color: "#D5DBE3", ink: "#0B0F14" };
const NO_ANSWER = { code: "", color: "#8FA6BF", ink: "#0B0F14" };
const EXACT_FROM = 3; // CSS pixels a field pixel from which outlines follow every pixel's edge
const TAG = { height: 15, pad: 4, font: '600 10px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif' };

/** Colour, code and ink that stand for a cell's answer. */
function lookOf(cell, classes) {
  if (!cell || cell.top === undefined) return NO_ANSWER;
  return cell.sure ? classes[cell.top] : NOT_SURE;
}

/** Texts of a cell's tag from the fullest to the shortest. */
function tagTexts(cell, classes) {
  const value = fixed(cell.confidence);
  const code = classes[cell.top].code;
  if (!cell.sure) return [`${code}? ${value}`, `${code}?`];
  const more = cell.classes.slice(1, 3).map((c) => ` +${classes[c].code}`).join("");
  return [...(more ? [`${code} ${value}${more}`] : []), `${code} ${value}`, code];
}

/** One overlay above one view. */
class Overlay {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.widths = new Map();
  }

  resize(width, height, ratio) {
    this.ratio = ratio;
    this.width = width;
    this.height = height;
    const [w, hgt] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== hgt) Object.assign(this.canvas, { width: w, height: hgt });
  }

  /** Draw a scene: {camera, field, contours, cells, classes, selected, hovered, options, tags, keepClear, mark}. */
  draw(scene) {
    const { context, ratio } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!scene.field) return;
    this.scene = scene;
    this.fieldEdge();
    const seen = scene.cells.filter((cell) => this.isSeen(cell.box));
    this.lines(seen);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (scene.tags && scene.options.boxes) seen.forEach((cell) => this.box(cell));
    if (scene.tags && scene.options.labels) this.labels(seen);
    if (scene.mark) this.mark(scene.mark);
  }

  isSeen([x0, y0, x1, y1]) {
    const { camera } = this.scene;
    const [left, top] = camera.toView(x0, y0);
    const [right, bottom] = camera.toView(x1, y1);
    return right > 0 && bottom > 0 && left < this.width && top < this.height;
  }

  /** Let the context's units be field pixels. */
  toField() {
    const { camera } = this.scene;
    const scale = camera.scale * this.ratio;
    const [left, top] = camera.toView(0, 0);
    this.context.setTransform(scale, 0, 0, scale, left * this.ratio, top * this.ratio);
  }

  fieldEdge() {
    const { camera, field } = this.scene;
    this.context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    const [left, top] = camera.toView(0, 0);
    this.context.strokeStyle = "rgba(255, 255, 255, 0.16)";
    this.context.lineWidth = 1;
    this.context.strokeRect(left - 0.5, top - 0.5, field.width * camera.scale + 1, field.height * camera.scale + 1);
  }

  lines(seen) {
    const { options, selected, hovered, tags } = this.scene;
    this.toField();
    this.context.lineJoin = "round";
    for (const cell of seen) {
      if (options.fill && tags) this.fill(cell, 0.22);
      if (options.outlines && cell.id !== selected) this.outline(cell, cell.id === hovered ? 2.5 : 1.5);
    }
    const one = (id) => id && seen.find((cell) => cell.id === id);
    const under = one(hovered);
    if (under && hovered !== selected) {
      this.fill(under, 0.1, "#FFFFFF");
      if (!options.outlines) this.outline(under, 2);
    }
    const chosen = one(selected);
    if (chosen) {
      this.fill(chosen, 0.08, "#FFFFFF");
      this.stroke(chosen, "rgba(0, 0, 0, 0.55)", 5);
      this.stroke(chosen, "#FFFFFF", 2.5);
    }
  }

  path(cell) {
    const paths = this.scene.contours.get(cell.id);
    return paths && (this.scene.camera.scale >= EXACT_FROM ? paths.exact : paths.smooth);
  }

  fill(cell, alpha, color = lookOf(cell, this.scene.classes).color) {
    const path = this.path(cell);
    if (!path) return;
    this.context.globalAlpha = alpha;
    this.context.fillStyle = color;
    this.context.fill(path, "evenodd");
    this.context.globalAlpha = 1;
  }

  /** Class colour over a thin dark line that keeps it apart from bright signal; dashed where the answer is not sure. */
  outline(cell, width) {
    const { color } = lookOf(cell, this.scene.classes);
    this.stroke(cell, "rgba(0, 0, 0, 0.4)", width + 1.5);
    this.stroke(cell, color, width, cell.sure === false ? [4, 3] : []);
  }

  stroke(cell, color, width, dash = []) {
    const path = this.path(cell);
    if (!path) return;
    const { scale } = this.scene.camera;
    this.context.strokeStyle = color;
    this.context.lineWidth = width / scale;
    this.context.setLineDash(dash.map((length) => length / scale));
    this.context.stroke(path);
    this.context.setLineDash([]);
  }

  /** A cell's box on screen, on whole pixels: [left, top, width, height]. */
  onScreen([x0, y0, x1, y1]) {
    const { camera } = this.scene;
    const [left, top] = camera.toView(x0, y0).map(Math.round);
    const [right, bottom] = camera.toView(x1, y1).map(Math.round);
    return [left, top, right - left, bottom - top];
  }

  box(cell) {
    const [left, top, width, height] = this.onScreen(cell.box);
    const chosen = cell.id === this.scene.selected;
    this.context.strokeStyle = chosen ? "#FFFFFF" : lookOf(cell, this.scene.classes).color;
    this.context.globalAlpha = chosen || cell.id === this.scene.hovered ? 0.9 : 0.55;
    this.context.lineWidth = 1;
    this.context.setLineDash([3, 2]);
    this.context.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
    this.context.setLineDash([]);
    this.context.globalAlpha = 1;
  }

  /** Tags that don't cover each other: the selected and hovered cells first, then the larger; a short text, or none, where it is crowded. */
  labels(seen) {
    const { selected, hovered, classes } = this.scene;
    this.context.font = TAG.font;
    this.context.textBaseline = "middle";
    const rank = (cell) => (cell.id === selected ? 2e9 : 0) + (cell.id === hovered ? 1e9 : 0) + (cell.area_um2 || 0);
    const taken = [...this.scene.keepClear];
    const drawn = [];
    for (const cell of [...seen].sort((a, b) => rank(b) - rank(a))) {
      if (cell.top === undefined) continue;
      const place = this.placeFor(cell, tagTexts(cell, classes), taken);
      if (!place) continue;
      taken.push(place.box);
      drawn.push([cell, place]);
    }
    for (const [cell, place] of drawn) this.tag(cell, place);
  }

  /** The first free place on, in, or under the box: {text, box: [left, top, right, bottom]}; undefined where none is. */
  placeFor(cell, texts, taken) {
    const [left, top, width, height] = this.clipped(this.onScreen(cell.box));
    const emphasised = cell.id === this.scene.selected || cell.id === this.scene.hovered;
    if (!emphasised && this.cut(cell.box) && Math.min(width, height) < 24) return undefined;
    for (const text of texts) {
      const wide = this.textWidth(text) + 2 * TAG.pad;
      const last = text === texts.at(-1);
      if (!last && !emphasised && wide > Math.max(width, 44) + 6) continue;
      for (const [x, y] of this.corners(left, top, width, height, wide)) {
        const box = [x, y, x + wide, y + TAG.height];
        if (this.fits(box) && !taken.some((other) => overlap(box, other))) return { text, box };
      }
    }
    return undefined;
  }

  /** The part of a box that is in the view. */
  clipped([left, top, width, height]) {
    const [x, y] = [Math.max(left, 0), Math.max(top, 0)];
    return [x, y, Math.min(left + width, this.width) - x, Math.min(top + height, this.height) - y];
  }

  cut(box) {
    const [left, top, width, height] = this.onScreen(box);
    return left < -2 || top < -2 || left + width > this.width + 2 || top + height > this.height + 2;
  }

  corners(left, top, width, height, wide) {
    const x = Math.min(Math.max(left, 0), this.width - wide);
    const right = Math.min(Math.max(left + width - wide, 0), this.width - wide);
    const [above, under] = [top - TAG.height, top + height];
    return [[x, above], [x, top], [right, above], [right, top], [x, under - TAG.height], [x, under]];
  }

  fits([left, top, right, bottom]) {
    return left >= 0 && top >= 0 && right <= this.width && bottom <= this.height;
  }

  textWidth(text) {
    if (!this.widths.has(text)) this.widths.set(text, Math.ceil(this.context.measureText(text).width));
    return this.widths.get(text);
  }

  tag(cell, { text, box: [left, top, right] }) {
    const { color, ink } = lookOf(cell, this.scene.classes);
    const { context } = this;
    const chosen = cell.id === this.scene.selected;
    context.fillStyle = color;
    context.beginPath();
    context.roundRect(left, top, right - left, TAG.height, 3);
    context.fill();
    context.strokeStyle = chosen ? "#FFFFFF" : "rgba(0, 0, 0, 0.55)";
    context.lineWidth = chosen ? 2 : 1;
    context.stroke();
    context.fillStyle = ink;
    context.fillText(text, left + TAG.pad, top + TAG.height / 2 + 0.5);
  }

  /** Where the pointer is in the other view. */
  mark([x, y]) {
    const [px, py] = this.scene.camera.toView(x, y).map((v) => Math.round(v) + 0.5);
    for (const [color, width] of [["rgba(0, 0, 0, 0.6)", 3], ["#FFFFFF", 1]]) {
      this.context.strokeStyle = color;
      this.context.lineWidth = width;
      this.context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        this.context.moveTo(px + 4 * dx, py + 4 * dy);
        this.context.lineTo(px + 10 * dx, py + 10 * dy);
      }
      this.context.stroke();
    }
  }
}

/** Whether two boxes [left, top, right, bottom] overlap, with a pixel of air. */
function overlap(a, b) {
  return a[0] < b[2] + 1 && b[0] < a[2] + 1 && a[1] < b[3] + 1 && b[1] < a[3] + 1;
}
