// The pictures and the mask in the browser: asked for, decoded, kept. Nothing here draws.

/** Inflate one binary buffer of a message. */
async function inflate(buffer) {
  const stream = new Blob([buffer]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Undo the differences of one channel into its slot of an interleaved picture. */
function fillSlot(rgba, differences, slot) {
  let value = 0;
  const count = Math.min(differences.length, rgba.length >> 2);
  for (let i = 0, j = slot; i < count; i += 1, j += 4) {
    value = (value + differences[i]) & 255;
    rgba[j] = value;
  }
}

/** Half of a picture {width, height, rgba, step}: means of 2 x 2 pixels. */
function halved({ width, height, rgba, step }) {
  const w = (width + 1) >> 1;
  const hgt = (height + 1) >> 1;
  const out = new Uint8Array(w * hgt * 4);
  for (let y = 0; y < hgt; y += 1) {
    const top = 2 * y * width * 4;
    const bottom = Math.min(2 * y + 1, height - 1) * width * 4;
    for (let x = 0; x < w; x += 1) {
      const left = 8 * x;
      const right = Math.min(2 * x + 1, width - 1) * 4;
      const target = (y * w + x) * 4;
      for (let c = 0; c < 4; c += 1) {
        out[target + c] = (rgba[top + left + c] + rgba[top + right + c] + rgba[bottom + left + c] + rgba[bottom + right + c]) >> 2;
      }
    }
  }
  return { width: w, height: hgt, rgba: out, step: step * 2 };
}

/** A picture halved until its longer side is at most `side`. */
function shrunkTo(picture, side) {
  let small = picture;
  while (Math.max(small.width, small.height) > side) small = halved(small);
  return small;
}

/**
 * What one view has of the field on show. `field` is null before the first picture; `onChange(what)` hears "picture",
 * "labels" and "cleared". Slots of an interleaved picture are the channels in Python's order.
 */
class FieldStore {
  constructor(model, onChange) {
    this.model = model;
    this.onChange = onChange;
    this.view = Math.random().toString(36).slice(2);
    this.field = null;
    this.picture = null;
    this.labels = null;
    this.stage = "none";
    this.pending = null;
    this.queue = Promise.resolve();
  }

  /** Ask Python for the pictures, or only for a new mask. */
  ask() {
    const image = this.model.get("image_id");
    if (!image) {
      this.clear();
      return;
    }
    const known = this.field?.id === image || this.pending?.id === image;
    if (known) this.askLabels(image);
    else {
      this.pending = this.describe(image);
      this.model.send({ type: "ready", image, view: this.view });
    }
  }

  askLabels(image) {
    const wanted = this.model.get("labels_id");
    if (!wanted) {
      this.labels = null;
      this.onChange("labels");
    } else if (this.labels?.id !== wanted) {
      this.model.send({ type: "ready", image, view: this.view, want: "labels" });
    }
  }

  /** Geometry of the field that Python describes just now. */
  describe(id) {
    const [width, height] = this.model.get("shape");
    const [sentWidth, sentHeight] = this.model.get("sent_shape");
    const channels = this.model.get("channels");
    return { id, width, height, sentWidth, sentHeight, step: this.model.get("step"), channels, planes: new Map() };
  }

  clear() {
    Object.assign(this, { field: null, picture: null, labels: null, pending: null, stage: "none" });
    this.onChange("cleared");
  }

  /** Messages are decoded one after the other: each finds what those before it have left. */
  hear(content, buffers) {
    if (content.view !== this.view) return;
    this.queue = this.queue
      .then(() => this.take(content, buffers))
      .catch((error) => console.error("The picture could not be decoded.", error));
  }

  async take(content, buffers) {
    if (content.image !== this.model.get("image_id")) return;
    const target = this.pending?.id === content.image ? this.pending : this.field;
    if (!target) return;
    if (content.type === "labels") await this.takeLabels(target, content, buffers[0]);
    if (content.type === "preview") await this.takePreview(target, content, buffers);
    if (content.type === "full") await this.takeFull(target, content, buffers);
  }

  async takePreview(target, content, buffers) {
    const width = Math.ceil(target.sentWidth / 2);
    const height = Math.ceil(target.sentHeight / 2);
    const rgba = new Uint8Array(width * height * 4);
    for (const [i, key] of content.keys.entries()) {
      fillSlot(rgba, await inflate(buffers[i]), this.slot(target, key));
    }
    this.adopt(target, { width, height, rgba, step: target.step * 2 }, "preview");
  }

  /** The full picture takes over once all its channels are here. */
  async takeFull(target, content, buffers) {
    target.planes.set(content.keys[0], await inflate(buffers[0]));
    if (target.channels.some((channel) => channel.present && !target.planes.has(channel.key))) return;
    const { sentWidth: width, sentHeight: height, step } = target;
    const rgba = new Uint8Array(width * height * 4);
    for (const [key, plane] of target.planes) fillSlot(rgba, plane, this.slot(target, key));
    target.planes.clear();
    this.adopt(target, { width, height, rgba, step }, "full");
  }

  async takeLabels(target, content, buffer) {
    const bytes = await inflate(buffer);
    if (content.labels !== this.model.get("labels_id")) return;
    const Kind = content.bits === 32 ? Uint32Array : Uint16Array;
    const { sentWidth: width, sentHeight: height, step } = target;
    this.labels = { id: content.labels, image: target.id, ids: new Kind(bytes.buffer), width, height, step };
    this.onChange("labels");
  }

  adopt(target, picture, stage) {
    if (target.id !== this.model.get("image_id")) return;
    if (this.field !== target && this.labels?.image !== target.id) this.labels = null;
    Object.assign(this, { field: target, picture, stage, pending: null });
    this.onChange("picture");
  }

  slot(target, key) {
    return target.channels.findIndex((channel) => channel.key === key);
  }

  /** Whether what is kept is what Python shows now. */
  get current() {
    return Boolean(this.field) && this.field.id === this.model.get("image_id");
  }

  /** Id of the cell at a position in field pixels; 0 outside of any. */
  cellAt(x, y) {
    const labels = this.labels;
    if (!labels || !this.current || !this.inside(x, y)) return 0;
    return labels.ids[Math.floor(y / labels.step) * labels.width + Math.floor(x / labels.step)];
  }

  inside(x, y) {
    return Boolean(this.field) && x >= 0 && y >= 0 && x < this.field.width && y < this.field.height;
  }

  /** The four grey levels (0 to 255) at a position, or null outside the field. */
  levelsAt(x, y) {
    if (!this.picture || !this.inside(x, y)) return null;
    const { step, width, rgba } = this.picture;
    const start = 4 * (Math.floor(y / step) * width + Math.floor(x / step));
    return rgba.subarray(start, start + 4);
  }
}
