// The strip of four channels, and the small window in which one channel's contrast and colour are set.

const ORDER = ["blue", "red", "yellow", "green"]; // nuclei, microtubules, ER, protein
const NAMES = { blue: "Nuclei", red: "Microtubules", yellow: "ER", green: "Protein" };
const SAFE_COLORS = { blue: "#3D8BFF", red: "#FF9F1C", yellow: "#8E8E8E", green: "#FFFFFF" };
const LARGEST_THUMB = 512;

const unitText = (value) => (Math.abs(value) >= 100 || Number.isInteger(value) ? String(Math.round(value)) : Number(value).toPrecision(3));
const rgbOf = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255);

/** Contrast and colour of a channel as the person has set them, or as it began: {low, high, gamma, color}. */
function settingOf(model, channel) {
  const [low, high, gamma] = model.get("windows")[channel.key] ?? [...channel.window, 1];
  return { low, high, gamma, color: model.get("colors")[channel.key] ?? channel.color };
}

/** The same for a compositor: window in grey levels, colour as fractions, dimmed by `weight`. */
function mixOf(model, channel, weight = 1) {
  const { low, high, gamma, color } = settingOf(model, channel);
  const [start, end] = channel.range;
  const level = (value) => ((value - start) / (end - start)) * 255;
  return { low: level(low), high: Math.max(level(high), level(low) + 1e-3), gamma, color: rgbOf(color).map((v) => v * weight) };
}

function setWindow(model, channel, window, tell = true) {
  const windows = { ...model.get("windows") };
  if (window) windows[channel.key] = window;
  else delete windows[channel.key];
  model.set("windows", windows);
  if (tell) model.save_changes();
}

/** The four tiles under the views. */
class ChannelStrip {
  constructor(model, onOpen) {
    this.model = model;
    this.tiles = new Map();
    this.element = h("div", { class: "ow-fv-strip", role: "group", "aria-label": "Channels" });
    for (const key of ORDER) this.tiles.set(key, this.tile(key, onOpen));
  }

  tile(key, onOpen) {
    const canvas = h("canvas", { "aria-hidden": "true" });
    const frame = h("span", { class: "ow-fv-seen" });
    const name = h("span", { class: "ow-fv-tile-name" });
    const value = h("span", { class: "ow-fv-tile-value" });
    const dot = h("span", { class: "ow-dot" });
    const button = h(
      "button", { class: "ow-fv-tile", type: "button", "data-channel": key, onclick: () => onOpen(key) },
      canvas, frame, h("span", { class: "ow-fv-tile-text" }, dot, name, value),
    );
    this.element.append(button);
    return { button, canvas, frame, name, value, dot };
  }

  setPicture(picture) {
    this.thumb = picture && shrunkTo(picture, LARGEST_THUMB);
  }

  draw(field, ratio) {
    for (const [key, tile] of this.tiles) {
      const slot = field ? field.channels.findIndex((channel) => channel.key === key) : -1;
      this.describe(tile, key, field?.channels[slot]);
      this.paint(tile, field, slot, ratio);
    }
  }

  describe({ button, name, dot, value }, key, channel) {
    button.disabled = !channel?.present;
    button.classList.toggle("ow-fv-absent", Boolean(channel && !channel.present));
    name.textContent = channel?.name ?? NAMES[key];
    if (!channel) {
      dot.style.background = this.model.get("colors")[key];
      button.setAttribute("aria-label", `${NAMES[key]}: no picture yet`);
      value.textContent = button.title = "";
      return;
    }
    const { low, high, color } = settingOf(this.model, channel);
    const range = `${unitText(low)}–${unitText(high)}`;
    dot.style.background = color;
    value.dataset.range = channel.present ? range : "not in this sample";
    if (!value.dataset.hover) value.textContent = value.dataset.range;
    button.title = channel.present ? `${channel.name}: grey values ${range} from black to full colour. Click to set contrast and colour.` : `${channel.name}: not in this sample`;
    button.setAttribute("aria-label", button.title);
  }

  /** Draw one channel, unless it is drawn already as it should be. */
  paint(tile, field, slot, ratio) {
    const { canvas } = tile;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((v) => Math.max(1, Math.round(v * ratio)));
    const mix = field?.channels[slot]?.present && this.thumb ? mixOf(this.model, field.channels[slot]) : null;
    const drawn = JSON.stringify([width, height, mix]);
    if (tile.drawn === drawn && tile.thumb === this.thumb) return;
    Object.assign(tile, { drawn, thumb: this.thumb });
    Object.assign(canvas, { width, height });
    if (!mix) return;
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const scale = Math.max(width / field.width, height / field.height);
    const alone = field.channels.map((_, i) => (i === slot ? mix : null));
    compose(image, this.thumb, { x: field.width / 2, y: field.height / 2, scale }, field, alone);
    context.putImageData(image, 0, 0);
  }

  /** A frame in each tile around what the views show. */
  frame(camera, field) {
    const whole = !field || camera.scale <= camera.fitScale * 1.02;
    for (const { canvas, frame } of this.tiles.values()) {
      frame.hidden = whole;
      if (whole) continue;
      const [w, hgt] = [canvas.clientWidth, canvas.clientHeight];
      const scale = Math.max(w / field.width, hgt / field.height);
      const seen = [camera.view.width / camera.scale, camera.view.height / camera.scale];
      const left = (camera.x - seen[0] / 2 - field.width / 2) * scale + w / 2;
      const top = (camera.y - seen[1] / 2 - field.height / 2) * scale + hgt / 2;
      Object.assign(frame.style, { transform: `translate(${left}px, ${top}px)`, width: `${seen[0] * scale}px`, height: `${seen[1] * scale}px` });
    }
  }

  /** Pixel values under the pointer, in the field's units; the contrast windows where there is none. */
  values(field, levels) {
    for (const [key, { value }] of this.tiles) {
      const slot = field?.channels.findIndex((channel) => channel.key === key) ?? -1;
      const channel = field?.channels[slot];
      if (!channel?.present) continue;
      value.dataset.hover = levels ? "1" : "";
      const [low, high] = channel.range;
      value.textContent = levels ? unitText(low + (levels[slot] * (high - low)) / 255) : value.dataset.range;
    }
  }
}

/** Counts of grey levels of one slot of a picture. */
function histogram(picture, slot) {
  const counts = new Uint32Array(256);
  if (picture) for (let i = slot; i < picture.rgba.length; i += 4) counts[picture.rgba[i]] += 1;
  return counts;
}

/** The window of one channel: histogram, two thumbs, gamma, colour. */
class ContrastWindow {
  constructor(root, strip, model) {
    Object.assign(this, { root, strip, model, key: null });
    this.outside = (event) => {
      if (this.element && !event.composedPath().includes(this.element) && !event.composedPath().includes(strip.element)) this.close(false);
    };
  }

  get open() {
    return Boolean(this.element);
  }

  toggle(key, field) {
    const again = this.key === key;
    this.close(again);
    if (!again) this.show(key, field);
  }

  close(refocus = true) {
    if (!this.element) return;
    const button = this.strip.tiles.get(this.key).button;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", this.outside, true);
    this.element.remove();
    this.element = this.key = null;
    if (refocus) button.focus();
  }

  show(key, field) {
    const slot = field.channels.findIndex((channel) => channel.key === key);
    Object.assign(this, { key, slot, channel: field.channels[slot] });
    this.element = this.build();
    this.root.append(this.element);
    this.place();
    this.strip.tiles.get(key).button.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", this.outside, true);
    this.refresh();
    this.inputs.low.focus({ preventScroll: true });
  }

  build() {
    const { channel } = this;
    const [start, end] = channel.range;
    const unit = (end - start) / 255;
    const slider = (label, attributes) => h("input", { type: "range", "aria-label": `${channel.name}: ${label}`, ...attributes });
    const number = (label) => h("input", { type: "number", step: "any", "aria-label": `${channel.name}: ${label}, grey value` });
    this.histogram = h("canvas", { class: "ow-fv-histogram", width: 512, height: 120, "aria-hidden": "true" });
    this.inputs = {
      low: slider("black below", { min: start, max: end, step: unit, class: "ow-fv-low" }),
      high: slider("full colour from", { min: start, max: end, step: unit, class: "ow-fv-high" }),
      lowNumber: number("black below"),
      highNumber: number("full colour from"),
      gamma: slider("gamma", { min: -1, max: 1, step: 0.02 }),
      color: h("input", { type: "color", "aria-label": `Colour of ${channel.name}` }),
    };
    this.gammaText = h("output", {});
    this.listen();
    const field = (label, ...children) => h("label", { class: "ow-fv-row" }, h("span", {}, label), ...children);
    return h(
      "div", { class: "ow-fv-contrast", role: "dialog", "aria-label": `Contrast of ${channel.name}` },
      h("div", { class: "ow-fv-contrast-head" }, h("strong", {}, channel.name), this.inputs.color,
        h("button", { type: "button", class: "ow-fv-close", "aria-label": "Close", title: "Close (Esc)", onclick: () => this.close() }, "×")),
      this.histogram,
      h("div", { class: "ow-fv-thumbs" }, this.inputs.low, this.inputs.high),
      h("div", { class: "ow-fv-pair" }, field("Black below", this.inputs.lowNumber), field("Full colour from", this.inputs.highNumber)),
      h("label", { class: "ow-fv-row", title: "Below 1 lifts dim structures, above 1 darkens them; the measurements do not change" },
        h("span", {}, "Gamma"), this.inputs.gamma, this.gammaText),
      h("div", { class: "ow-fv-pair" },
        h("button", { type: "button", title: "The window that the page chose: 1st to 99.8th percentile", onclick: () => this.set(null) }, "Auto"),
        h("button", { type: "button", title: "All grey values from the lowest to the highest", onclick: () => this.set([...channel.range, 1]) }, "Full range")),
    );
  }

  listen() {
    const { low, high, lowNumber, highNumber, gamma, color } = this.inputs;
    const [start, end] = this.channel.range;
    const least = (end - start) / 255;
    const read = (moved, tell) => {
      let [a, b] = [Number(low.value), Number(high.value)];
      if (b - a < least) [a, b] = moved === low ? [Math.max(start, b - least), Math.max(b, start + least)] : [Math.min(a, end - least), Math.min(end, a + least)];
      this.set([a, b, 10 ** Number(gamma.value)], tell);
    };
    for (const input of [low, high, gamma]) {
      input.addEventListener("input", () => read(input, false));
      input.addEventListener("change", () => read(input, true));
    }
    const typed = () => {
      const [a, b] = [lowNumber, highNumber].map((input) => Number(input.value));
      const fine = Number.isFinite(a) && Number.isFinite(b) && lowNumber.value !== "" && highNumber.value !== "" && a < b;
      if (fine) this.set([a, b, 10 ** Number(gamma.value)]);
      else this.refresh();
    };
    for (const input of [lowNumber, highNumber]) input.addEventListener("change", typed);
    gamma.addEventListener("dblclick", () => {
      gamma.value = 0;
      read(gamma, true);
    });
    color.addEventListener("input", () => this.model.set("colors", { ...this.model.get("colors"), [this.key]: color.value.toUpperCase() }));
    color.addEventListener("change", () => this.model.save_changes());
  }

  set(window, tell = true) {
    setWindow(this.model, this.channel, window, tell);
    this.refresh();
  }

  refresh() {
    if (!this.element) return;
    const { low, high, gamma, color } = settingOf(this.model, this.channel);
    Object.assign(this.inputs.low, { value: low });
    Object.assign(this.inputs.high, { value: high });
    this.inputs.lowNumber.value = unitText(low);
    this.inputs.highNumber.value = unitText(high);
    this.inputs.gamma.value = Math.log10(gamma);
    this.inputs.color.value = color.toLowerCase();
    this.gammaText.textContent = fixed(gamma);
    const [start, end] = this.channel.range;
    const part = (value) => Math.min(1, Math.max(0, (value - start) / (end - start)));
    this.element.style.setProperty("--ow-fv-from", part(low));
    this.element.style.setProperty("--ow-fv-to", part(high));
    this.element.style.setProperty("--ow-fv-color", color);
    this.drawHistogram(part(low), part(high), gamma, color);
  }

  /** Counts on a logarithmic scale, lit as the window lights them, with the transfer curve over them. */
  drawHistogram(from, to, gamma, color) {
    const { width, height } = this.histogram;
    const context = this.histogram.getContext("2d");
    const counts = histogram(this.strip.thumb, this.slot);
    const most = Math.log1p(Math.max(...counts));
    const lit = (x) => Math.min(1, Math.max(0, (x - from) / Math.max(to - from, 1e-6))) ** gamma;
    context.clearRect(0, 0, width, height);
    for (let i = 0; i < 256; i += 1) {
      const tall = (Math.log1p(counts[i]) / (most || 1)) * (height - 6);
      context.fillStyle = "#3A4452";
      context.fillRect(i * 2, height - tall, 2, tall);
      context.globalAlpha = lit(i / 255);
      context.fillStyle = color;
      context.fillRect(i * 2, height - tall, 2, tall);
      context.globalAlpha = 1;
    }
    context.strokeStyle = "rgba(255, 255, 255, 0.85)";
    context.lineWidth = 2;
    context.beginPath();
    for (let x = 0; x <= width; x += 2) context.lineTo(x, height - 2 - lit(x / width) * (height - 6));
    context.stroke();
  }

  /** Above the strip, on the side of the view that does not show the channel: what is set stays in sight. */
  place() {
    const root = this.root.getBoundingClientRect();
    const strip = this.strip.element.getBoundingClientRect();
    const tile = this.strip.tiles.get(this.key).button.getBoundingClientRect();
    const width = this.element.offsetWidth;
    const middle = strip.left + strip.width / 2;
    const beside = this.key === "green" ? Math.min(tile.left, middle - width - 12) : Math.max(tile.left, middle + 12);
    const left = Math.min(Math.max(beside - root.left, 8), root.width - width - 8);
    this.element.style.left = `${left}px`;
    this.element.style.bottom = `${root.bottom - tile.top + 8}px`;
  }
}
