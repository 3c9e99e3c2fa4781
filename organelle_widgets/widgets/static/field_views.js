// The region: toolbar, two linked views, strip. Puts the parts together and draws when something has changed.

const SIDES = [
  { name: "Reference markers", hint: "Nuclei, microtubules and ER" },
  { name: "Protein · cells", hint: "The protein, with every cell's answer" },
];
const FAINT = 0.4; // light of the nuclei beside the protein
const BESIDE_TUBULES = 0.6; // light of the ER where microtubules are shown too: yellow would drown red
const PATIENCE_MS = 10000;

class FieldViewsRegion {
  constructor(model, host, signal) {
    Object.assign(this, { model, host, signal, hovered: 0, pointer: null, cells: [], selected: 0, contours: new Map(), frames: 0, dirty: {} });
    this.lostContexts = 0;
    this.camera = new Camera(() => this.invalidate("picture", "overlay", "frame"));
    this.strip = new ChannelStrip(model, (key) => this.contrast.toggle(key, this.store.field));
    this.build();
    this.contrast = new ContrastWindow(this.root, this.strip, model);
    this.store = new FieldStore(model, (what) => this.changed(what));
    this.useCompositor();
    this.listen();
    this.expose();
    this.store.ask();
    this.takeCells();
    this.describe();
  }

  // ---- building

  build() {
    const { model } = this;
    this.views = SIDES.map((side, i) => this.view(side, i));
    this.busyText = h("span", {});
    this.busy = h("div", { class: "ow-fv-busy", role: "status" }, h("i", {}), this.busyText);
    this.empty = h("div", { class: "ow-fv-empty" });
    this.tooltip = h("div", { class: "ow-fv-tooltip", role: "tooltip", hidden: true });
    this.stage = h("div", { class: "ow-fv-views" }, this.views.map((v) => v.element), this.empty, this.busy, this.tooltip);
    this.live = h("div", { class: "ow-fv-live", "aria-live": "polite" });
    this.toolbar = this.buildToolbar(model);
    this.root = h(
      "div", { class: "ow ow-panel ow-fv", role: "region", "aria-label": "Image views", "data-lm-suppress-shortcuts": "true" },
      this.toolbar, this.stage, this.strip.element, this.live,
    );
    this.host.classList.add("ow-fv-host");
    this.host.append(this.root);
  }

  view(side, i) {
    const canvas = h("canvas", { class: "ow-fv-overlay", "aria-hidden": "true" });
    const scaleText = h("span", {});
    const scaleBar = h("div", { class: "ow-fv-scale" }, scaleText, h("i", {}));
    const caption = h("div", { class: "ow-fv-caption", title: side.hint }, side.name);
    const nuclei = i === 1 && h("button", {
      type: "button", class: "ow-fv-chip", title: "Show the nuclei faintly behind the protein", onclick: () => this.toggleOption("nuclei"),
    }, h("span", { class: "ow-dot" }), "Nuclei");
    const element = h(
      "div", { class: "ow-fv-view", tabindex: "0", role: "application", "aria-roledescription": "image view", "data-view": i },
      canvas, caption, nuclei, scaleBar,
    );
    return { element, overlay: new Overlay(canvas), scaleBar, scaleText, caption, nuclei };
  }

  buildToolbar(model) {
    const button = (text, title, onclick, attributes = {}) => h("button", { type: "button", title, onclick, ...attributes }, text);
    this.pills = new Map(ORDER.map((key) => [key, this.pill(key)]));
    this.toggles = new Map([
      ["outlines", "Outlines", "Draw every cell's outline in the colour of its class; dashed where the answer is not sure (O)"],
      ["fill", "Fill", "Tint every cell with the colour of its class"],
      ["boxes", "Boxes", "Draw every cell's bounding box"],
      ["labels", "Labels", "Show every cell's class code and confidence (L)"],
    ].map(([name, text, title]) => [name, button(text, title, () => this.toggleOption(name), { class: "ow-pill", "data-option": name })]));
    this.preset = button([h("span", { class: "ow-fv-swatches" }, ORDER.map(() => h("i", {})))], "", () => this.nextPreset(), { "data-action": "colours", "aria-label": "Colour-blind-safe colours" });
    this.zoomText = h("span", { class: "ow-fv-zoom ow-mute", title: "Screen pixels for one pixel of the field" });
    const separator = () => h("span", { class: "ow-fv-separator" });
    return h(
      "div", { class: "ow-fv-toolbar", role: "toolbar", "aria-label": "Views" },
      [...this.pills.values()].map((pill) => pill.element), this.preset, separator(),
      [...this.toggles.values()], separator(),
      button("Fit", "Show the whole field (F or 0)", () => this.camera.fit(), { "data-action": "fit" }),
      button("1:1", "One screen pixel for one pixel of the field (1)", () => this.oneToOne(), { "data-action": "one" }),
      this.zoomText,
    );
  }

  pill(key) {
    const dot = h("span", { class: "ow-dot" });
    const text = h("span", {});
    const element = h("button", {
      type: "button", class: "ow-pill", "data-channel": key, onclick: (event) => this.toggleChannel(key, event.shiftKey),
    }, dot, text);
    return { element, dot, text };
  }

  // ---- listening

  listen() {
    const { model, signal } = this;
    const on = (names, f) => {
      const events = names.map((name) => `change:${name}`).join(" ");
      model.on(events, f);
      signal.addEventListener("abort", () => model.off(events, f));
    };
    const hear = (content, buffers) => this.store.hear(content, buffers);
    model.on("msg:custom", hear);
    signal.addEventListener("abort", () => model.off("msg:custom", hear));
    on(["image_id", "labels_id"], () => queueMicrotask(() => this.store.ask()));
    on(["image_id", "busy", "status", "channels", "options", "visible", "colors", "windows", "note"], () => this.describe());
    on(["visible", "colors", "windows"], () => this.invalidate("picture", "strip"));
    on(["options"], () => this.invalidate("picture", "overlay"));
    on(["colors", "windows"], () => this.contrast.refresh());
    on(["cells", "selected", "labels_id", "image_id"], () => this.takeCells());
    on(["busy", "image_id"], () => this.showTooltip());
    on(["renderer"], () => this.useCompositor());
    this.gestures = new Gestures(this.stage, this.camera, this, signal);
    this.root.addEventListener("keydown", (event) => this.key(event), { signal });
    document.addEventListener("keydown", (event) => this.pageKey(event), { signal });
    this.watchSize();
  }

  watchSize() {
    const observer = new ResizeObserver(() => this.layOut());
    observer.observe(this.root);
    observer.observe(this.toolbar);
    observer.observe(this.stage);
    this.signal.addEventListener("abort", () => observer.disconnect());
    window.addEventListener("resize", () => this.layOut(), { signal: this.signal });
  }

  // ---- what gestures mean

  side({ clientX, clientY }) {
    const found = this.views.findIndex((_, i) => {
      const box = this.origin(i);
      return clientX >= box.left && clientX < box.right && clientY >= box.top && clientY < box.bottom;
    });
    return found < 0 ? null : found;
  }

  origin(side) {
    return this.views[side].element.getBoundingClientRect();
  }

  hover(at) {
    this.pointer = this.store.current && at ? at : null;
    const position = this.pointer && this.camera.toField(at.px, at.py);
    const id = position ? this.store.cellAt(...position) : 0;
    this.mark = position && this.store.inside(...position) ? position : null;
    this.strip.values(this.store.field, this.mark && this.store.levelsAt(...this.mark));
    this.hovered = id;
    this.invalidate("overlay");
    this.stage.classList.toggle("ow-fv-over-cell", id > 0);
    this.showTooltip();
  }

  click(x, y) {
    if (this.store.current) this.select(this.known(this.store.cellAt(x, y)));
  }

  zoomTo(x, y) {
    const cell = this.cell(this.store.cellAt(x, y));
    if (cell) this.camera.zoomTo(cell.box);
    else this.camera.go({ x, y, scale: Math.min(this.camera.scale * 2, MAX_SCALE) });
  }

  enter() {
    const cell = this.cell(this.selected);
    if (cell) this.camera.zoomTo(cell.box);
  }

  oneToOne() {
    const cell = this.cell(this.selected);
    const [x, y] = cell ? cell.center : [this.camera.x, this.camera.y];
    this.camera.go({ x, y, scale: 1 / devicePixelRatio });
  }

  step(direction) {
    const ids = this.cells.map((cell) => cell.id);
    if (!ids.length) return;
    const now = ids.indexOf(this.selected);
    const next = now < 0 ? (direction > 0 ? 0 : ids.length - 1) : (now + direction + ids.length) % ids.length;
    this.select(ids[next]);
  }

  /** Escape undoes one thing: the open window, then the selection, then the zoom. */
  back() {
    if (this.contrast.open) this.contrast.close();
    else if (this.selected) this.select(0);
    else this.camera.fit();
  }

  key(event) {
    if (event.key === "Escape") this.back();
    else if (!event.target.closest("input, button") && event.key.toLowerCase() === "o") this.toggleOption("outlines");
    else if (!event.target.closest("input, button") && event.key.toLowerCase() === "l") this.toggleOption("labels");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Letters, digits and Escape mean the same all over the page, but where a person types or a window is open. */
  pageKey(event) {
    const { target } = event;
    const ours = this.host.closest(".ow-page")?.contains(target) || (target === document.body && "voila" in document.body.dataset);
    if (!ours || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest("input:not([type=range]), select, textarea") || document.querySelector(":popover-open, dialog[open]")) return;
    if (event.key === "Escape") this.back();
    else if (event.key.toLowerCase() === "o") this.toggleOption("outlines");
    else if (event.key.toLowerCase() === "l") this.toggleOption("labels");
    else if (event.key.length === 1) this.gestures.meaning(event.key)?.();
  }

  // ---- what the person sets

  known(id) {
    return this.cell(id) ? id : 0;
  }

  cell(id) {
    return id ? this.cells.find((cell) => cell.id === id) : undefined;
  }

  select(id) {
    if (id !== this.model.get("selected")) put(this.model, "selected", id);
  }

  toggleOption(name) {
    const options = this.model.get("options");
    put(this.model, "options", { ...options, [name]: !options[name] });
  }

  toggleChannel(key, alone) {
    const visible = this.model.get("visible");
    const only = visible.length === 1 && visible[0] === key;
    if (alone) put(this.model, "visible", only ? ["blue", "red", "yellow"] : [key]);
    else put(this.model, "visible", visible.includes(key) ? visible.filter((k) => k !== key) : [...visible, key]);
  }

  get conventional() {
    return Object.fromEntries(this.model.get("channels").map((channel) => [channel.key, channel.color]));
  }

  get presetIsSafe() {
    return Object.entries(SAFE_COLORS).every(([key, color]) => this.model.get("colors")[key]?.toUpperCase() === color);
  }

  nextPreset() {
    put(this.model, "colors", this.presetIsSafe ? this.conventional : { ...SAFE_COLORS });
  }

  // ---- what has changed

  /** Cells and selection are taken together with their mask: until a new one is here, the old ones stay. */
  takeCells() {
    const { model, store } = this;
    const [cells, selected, mask] = ["cells", "selected", "labels_id"].map((name) => model.get(name));
    const awaited = mask && store.current && this.cells.length && store.labels?.id !== mask;
    if (awaited || (cells === this.cells && selected === this.selected)) return;
    const before = cells === this.cells ? undefined : this.cell(this.selected);
    const other = selected !== this.selected;
    Object.assign(this, { cells, selected });
    if (other) this.selectionChanged(before);
    this.invalidate("overlay");
    this.showTooltip();
  }

  /** Another cell, or the cell from before under the number that a new mask gave it: then the picture stays. */
  selectionChanged(before) {
    const cell = this.cell(this.selected);
    const [x, y] = before?.center ?? [];
    const stays = cell && x >= cell.box[0] && x < cell.box[2] && y >= cell.box[1] && y < cell.box[3];
    if (cell && !stays) this.camera.reveal(...cell.center);
    const [name, answer] = cell ? this.words(cell) : ["No cell selected", ""];
    this.live.textContent = `${name} ${answer}`.trim();
  }

  changed(what) {
    const { store } = this;
    if (what === "picture") {
      this.compositor.setPicture(store.picture);
      this.strip.setPicture(store.picture);
      if (this.shownField !== store.field) this.newField(store.field);
    }
    if (what === "labels") this.contours = store.labels ? traceCells(store.labels) : new Map();
    if (what === "cleared") this.newField(null);
    this.takeCells();
    this.describe();
    this.invalidate("picture", "overlay", "strip", "frame");
  }

  newField(field) {
    this.shownField = field;
    this.hovered = 0;
    this.contrast.close(false);
    if (!this.store.labels) this.contours = new Map();
    if (field) this.camera.setField(field.width, field.height);
    this.layOut();
  }

  /** Words and states of everything but the pictures. */
  describe() {
    const { model, store } = this;
    const channels = new Map(model.get("channels").map((channel) => [channel.key, channel]));
    for (const [key, pill] of this.pills) this.describePill(key, pill, channels.get(key));
    for (const [name, button] of this.toggles) button.setAttribute("aria-pressed", String(Boolean(model.get("options")[name])));
    [...this.preset.querySelectorAll("i")].forEach((dot, i) => { dot.style.background = model.get("colors")[ORDER[i]]; });
    this.preset.disabled = !channels.size;
    this.preset.setAttribute("aria-pressed", String(this.presetIsSafe));
    this.preset.title = this.presetIsSafe ? "Back to the conventional colours: blue, red, yellow, green" : "Colours that colour-blind eyes tell apart: blue, orange, grey, white";
    const nuclei = this.views[1].nuclei;
    nuclei.setAttribute("aria-pressed", String(Boolean(model.get("options").nuclei)));
    nuclei.firstChild.style.background = model.get("colors").blue;
    nuclei.hidden = !store.field;
    this.describeState();
  }

  describePill(key, pill, channel) {
    const shown = this.model.get("visible").includes(key);
    pill.text.textContent = channel?.name ?? NAMES[key];
    pill.dot.style.background = this.model.get("colors")[key];
    pill.element.disabled = Boolean(channel && !channel.present);
    pill.element.setAttribute("aria-pressed", String(shown && !pill.element.disabled));
    pill.element.title = pill.element.disabled
      ? `${pill.text.textContent}: not in this sample`
      : `${shown ? "Hide" : "Show"} ${pill.text.textContent} in the reference view. Shift-click shows it alone.`;
  }

  describeState() {
    const { model, store } = this;
    const nothing = !model.get("image_id");
    const loading = !nothing && !store.current;
    const busy = model.get("busy");
    this.root.dataset.state = nothing ? "empty" : loading ? "loading" : busy ? "busy" : "done";
    this.root.dataset.stage = store.current ? store.stage : "none";
    this.root.dataset.image = store.field?.id ?? 0;
    this.stage.setAttribute("aria-busy", String(busy || loading));
    this.busyText.textContent = busy ? model.get("status") || "Working…" : loading ? "Loading the pictures…" : "";
    this.busy.hidden = !busy && !loading;
    this.empty.hidden = !nothing && !(loading && !store.field && this.late);
    this.empty.replaceChildren(...(nothing ? this.invitation() : [h("strong", {}, "The pictures have not come yet"), h("span", {}, "The kernel may be busy or stopped. They appear as soon as it answers.")]));
    this.stage.title = nothing ? "" : model.get("note");
    this.wait(loading);
    this.views.forEach(({ element }, i) => element.setAttribute("aria-label", this.viewLabel(i)));
  }

  invitation() {
    return [h("strong", {}, "Choose a sample or drop four images"), h("span", {}, "Nuclei, microtubules, ER and protein of one field")];
  }

  wait(loading) {
    if (loading === this.waiting) return;
    this.waiting = loading;
    this.late = false;
    clearTimeout(this.timer);
    if (loading) {
      this.timer = setTimeout(() => {
        this.late = true;
        this.describeState();
      }, PATIENCE_MS);
    }
  }

  viewLabel(i) {
    const cells = this.model.get("cells").length;
    const what = `${SIDES[i].name} of ${this.model.get("name") || "no field"}, ${cells} cells.`;
    return `${what} Arrow keys pan, plus and minus zoom, F fits, N and P go through the cells, Enter zooms to the selected one, Escape steps back.`;
  }

  // ---- drawing

  invalidate(...parts) {
    for (const part of parts) this.dirty[part] = true;
    if (!this.request) this.request = requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.request = 0;
    if (this.signal.aborted) return;
    const { dirty } = this;
    this.dirty = {};
    this.frames += 1;
    if (dirty.frame && this.pointer) this.hover(this.pointer);
    if (dirty.picture) this.drawPicture();
    if (dirty.overlay) this.drawOverlays();
    if (dirty.strip) this.strip.draw(this.store.field, devicePixelRatio);
    if (dirty.frame || dirty.strip) this.strip.frame(this.camera, this.store.field);
  }

  /** Sizes of everything that is drawn; called when any of them may have changed. */
  layOut() {
    if (!this.root.isConnected || !this.root.clientWidth) return;
    this.setStripHeight();
    const outer = this.stage.getBoundingClientRect();
    const ratio = devicePixelRatio;
    const canvas = this.compositor.canvas;
    const [width, height] = [Math.round(outer.width * ratio), Math.round(outer.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.panes = this.views.map(({ element, overlay }) => {
      const box = element.getBoundingClientRect();
      overlay.resize(box.width, box.height, ratio);
      const x = Math.round((box.left - outer.left) * ratio);
      const y = Math.round((box.top - outer.top) * ratio);
      return { x, y, width: Math.min(Math.round(box.width * ratio), width - x), height: Math.min(Math.round(box.height * ratio), height - y) };
    });
    this.camera.setView(this.views[0].element.clientWidth, this.views[0].element.clientHeight);
    this.invalidate("picture", "overlay", "strip", "frame");
  }

  /** The strip takes the height that the views can't use: a whole field is seen in both. */
  setStripHeight() {
    const field = this.store.field;
    const aspect = field ? Math.min(1.4, Math.max(0.6, field.height / field.width)) : 1;
    const style = getComputedStyle(this.root);
    const inner = this.root.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const gap = parseFloat(style.rowGap) || 8;
    const free = inner - this.toolbar.offsetHeight - 2 * gap - this.views[0].element.clientWidth * aspect;
    const tile = this.strip.tiles.get(ORDER[0]).button.clientWidth;
    const height = Math.round(Math.min(Math.max(free, 72), Math.max(72, tile * aspect)));
    this.root.style.setProperty("--ow-fv-strip", `${Math.min(height, Math.round(inner / 4 + 40))}px`);
  }

  mixes() {
    const { model } = this;
    const { channels } = this.store.field;
    const visible = model.get("visible");
    const one = (channel, weight) => (channel.present && weight ? mixOf(model, channel, weight) : null);
    const faint = model.get("options").nuclei ? FAINT : 0;
    const crowded = visible.includes("red") && channels.some((channel) => channel.key === "red" && channel.present);
    const light = (key) => (key === "yellow" && crowded ? BESIDE_TUBULES : 1);
    return [
      channels.map((channel) => one(channel, visible.includes(channel.key) ? light(channel.key) : 0)),
      channels.map((channel) => one(channel, channel.key === "green" ? 1 : channel.key === "blue" ? faint : 0)),
    ];
  }

  drawPicture() {
    this.compositor.canvas.hidden = !this.store.field;
    if (!this.store.field || !this.panes) return;
    const { camera } = this;
    const mixes = this.mixes();
    const look = { x: camera.x, y: camera.y, scale: camera.scale * devicePixelRatio };
    this.compositor.draw(this.panes.map((pane, i) => ({ ...pane, mix: mixes[i] })), look, this.store.field);
    this.zoomText.textContent = `${Math.round(look.scale * 100)} %`;
    this.drawScaleBars();
  }

  drawScaleBars() {
    const size = this.model.get("pixel_size_um");
    const assumed = this.model.get("pixel_size_assumed");
    for (const { scaleBar, scaleText } of this.views) {
      scaleBar.hidden = !(size > 0);
      if (!(size > 0)) continue;
      const { um, px } = this.camera.scaleBar(size);
      scaleText.textContent = `${um < 1 ? Number(um.toPrecision(1)) : um} µm${assumed ? "*" : ""}`;
      scaleBar.style.setProperty("--ow-fv-bar", `${px}px`);
      scaleBar.title = assumed ? `* Pixel size assumed: ${size} µm. The file gives none; set it in the sample panel.` : `Pixel size: ${size} µm`;
    }
  }

  drawOverlays() {
    const { model, store, camera } = this;
    const given = store.current ? this.cells : [];
    const shared = {
      camera, field: store.field, contours: this.contours, cells: this.withUnanswered(given), classes: model.get("classes"),
      selected: this.selected, hovered: this.hovered, options: model.get("options"),
    };
    this.views.forEach((view, i) => {
      const mark = this.mark && this.pointer && this.pointer.side !== i ? this.mark : null;
      view.overlay.draw({ ...shared, tags: i === 1, mark, keepClear: this.keepClear(view) });
    });
  }

  /** The cells that Python describes, and those that so far are only in the mask. */
  withUnanswered(cells) {
    if (cells.length || !this.store.current) return cells;
    const all = [0, 0, this.store.field?.width ?? 0, this.store.field?.height ?? 0];
    return [...this.contours.keys()].map((id) => ({ id, box: all }));
  }

  keepClear({ element, caption, nuclei, scaleBar }) {
    const origin = element.getBoundingClientRect();
    return [caption, nuclei, scaleBar].filter((part) => part && !part.hidden).map((part) => {
      const box = part.getBoundingClientRect();
      return [box.left - origin.left, box.top - origin.top, box.right - origin.left, box.bottom - origin.top];
    });
  }

  // ---- the tooltip

  /** A cell in two lines. */
  words(cell) {
    const classes = this.model.get("classes");
    const rated = (c) => `${classes[c].name} ${fixed(cell.p[c])}`;
    if (cell.sure) {
      const more = cell.classes.slice(1, 4).map(rated).join(", ");
      return [`Cell ${cell.id}`, rated(cell.top), more ? `also ${more}` : cell.top === 18 ? "no specific protein signal" : ""];
    }
    const order = cell.p.map((value, c) => [value, c]).sort((a, b) => b[0] - a[0]).slice(0, 3);
    return [`Cell ${cell.id}`, cell.unusual ? "Not sure: unlike known cells" : "Not sure", `perhaps ${order.map(([, c]) => rated(c)).join(", ")}`];
  }

  showTooltip() {
    const cell = this.pointer && this.cell(this.store.cellAt(...this.camera.toField(this.pointer.px, this.pointer.py)));
    this.tooltip.hidden = !cell;
    if (!cell) return;
    const [name, answer, more] = this.words(cell);
    const border = cell.fragment ? "more than half out of view" : cell.border ? "touches the border of the field" : "";
    const line = (text) => text && h("div", { class: "ow-fv-tooltip-more" }, text);
    this.tooltip.replaceChildren(h("div", {}, h("strong", {}, name), ` · ${answer}`), ...[line(more), line(border)].filter(Boolean));
    const view = this.origin(this.pointer.side);
    const outer = this.stage.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.tooltip;
    const [px, py] = [view.left - outer.left + this.pointer.px, view.top - outer.top + this.pointer.py];
    const left = Math.min(Math.max(px + 14, 4), outer.width - width - 4);
    const top = py + 18 + height > outer.height ? py - height - 10 : py + 18;
    this.tooltip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  // ---- the compositor

  useCompositor(forced = null) {
    const inPage = new URLSearchParams(location.search).has("ow-canvas") ? "canvas" : null;
    const wanted = inPage ?? forced ?? this.model.get("renderer");
    this.compositor?.canvas.remove();
    this.compositor?.dispose();
    this.compositor = makeCompositor(wanted, () => this.contextLost());
    this.stage.prepend(this.compositor.canvas);
    this.root.dataset.renderer = this.compositor.kind;
    if (this.store.picture) this.compositor.setPicture(this.store.picture);
    this.layOut();
  }

  /** The graphics card went away: go on without it, and try it again a little later, three times at most. */
  contextLost() {
    if (this.signal.aborted) return;
    this.lostContexts += 1;
    this.useCompositor("canvas");
    if (this.lostContexts > 3) return;
    setTimeout(() => !this.signal.aborted && this.useCompositor(), 3000);
  }

  /** A hook for tests: what is shown, and where. */
  expose() {
    const region = this;
    this.host.owDebug = {
      get renderer() { return region.compositor.kind; },
      get frames() { return region.frames; },
      get stage() { return region.store.current ? region.store.stage : "none"; },
      get image() { return region.store.field?.id ?? 0; },
      get cells() { return region.contours.size; },
      /** The picture's colour [r, g, b] at (x, y) of a view, CSS pixels, without the overlay. */
      pixel(view, x, y) {
        region.drawPicture();
        const pane = region.panes[view];
        return region.compositor.read(pane.x + Math.floor(x * devicePixelRatio), pane.y + Math.floor(y * devicePixelRatio));
      },
      /** The overlay's colour [r, g, b, a] there. */
      overlay(view, x, y) {
        region.drawOverlays();
        const { context, ratio } = region.views[view].overlay;
        return [...context.getImageData(Math.floor(x * ratio), Math.floor(y * ratio), 1, 1).data];
      },
      /** Where a cell's middle is in the field: [x, y]. */
      center: (id) => region.cells.find((cell) => cell.id === id)?.center,
      transform: () => ({ x: region.camera.x, y: region.camera.y, scale: region.camera.scale }),
      /** Where a position of the field is on the page: [clientX, clientY]. */
      client(view, x, y) {
        const box = region.origin(view);
        const [px, py] = region.camera.toView(x, y);
        return [box.left + px, box.top + py];
      },
      /** Lose the graphics context as a driver reset would. */
      loseContext: () => region.compositor.gl?.getExtension("WEBGL_lose_context")?.loseContext(),
    };
  }

  dispose() {
    cancelAnimationFrame(this.request);
    cancelAnimationFrame(this.camera.animation);
    clearTimeout(this.timer);
    this.contrast.close(false);
    this.compositor.dispose();
    this.root.remove();
    delete this.host.owDebug;
  }
}

export default {
  render({ model, el }) {
    const controller = new AbortController();
    const region = new FieldViewsRegion(model, el, controller.signal);
    return () => {
      controller.abort();
      region.dispose();
    };
  },
};
