// The right side: the answer for the selected cell or the field, its probabilities, measurements, and the field's counts.

const ROW = 22;
const FIRST_ROWS = 8;
const CROPS = [
  { key: "blue", title: "Nuclei" },
  { key: "red", title: "Microtubules" },
  { key: "yellow", title: "ER" },
  { key: "green", title: "Protein" },
];
const NOT_SURE = { index: -1, name: "Not sure", code: "?", color: "transparent" };
const FORMATS = [
  { key: "png", title: "PNG", detail: "a picture for slides" },
  { key: "svg", title: "SVG", detail: "lines and text to edit" },
  { key: "pdf", title: "PDF", detail: "for print" },
];

const classDot = (c) => h("span", { class: c.index < 0 ? "ow-dot ow-dot-unsure" : "ow-dot", style: { background: c.color } });
const squareMicrons = (value) => (typeof value === "number" && value > 0 ? `${value < 10 ? fixed(value, 1) : Math.round(value)} µm²` : "–");

/** The pictures of the subject; object URLs are let go when others come. */
function crops(model) {
  let urls = [];
  const image = (label) => h("img", { alt: label, draggable: "false" });
  const main = h("div", { class: "ow-crop ow-crop-main" }, image("All channels"));
  const small = CROPS.map(({ title }) => h("figure", {}, h("div", { class: "ow-crop" }, image(title)), h("figcaption", {}, title)));
  const frames = new Map([["composite", main], ...CROPS.map(({ key }, i) => [key, small[i].firstChild])]);
  const show = (keys, buffers) => {
    const old = urls;
    urls = [];
    for (const [key, frame] of frames) {
      const buffer = buffers[keys.indexOf(key)];
      frame.classList.toggle("ow-full", Boolean(buffer));
      if (!buffer) {
        frame.firstChild.removeAttribute("src");
        continue;
      }
      const url = URL.createObjectURL(new Blob([buffer]));
      urls.push(url);
      frame.firstChild.src = url;
    }
    setTimeout(() => old.forEach((url) => URL.revokeObjectURL(url)), 1000);
  };
  const off = onMessages(model, { crops: (content, buffers) => show(content.keys ?? [], buffers) });
  model.send({ type: "ready" });
  const stop = () => {
    off();
    urls.forEach((url) => URL.revokeObjectURL(url));
  };
  return { main, strip: h("div", { class: "ow-crops" }, small), stop };
}

/** The answer in words beside the picture. */
function answer(model, picture) {
  const caption = h("div", { class: "ow-mute ow-caption" });
  const title = h("div", { class: "ow-title" });
  const detail = h("div", { class: "ow-mute ow-detail" });
  const chip = h("span", { class: "ow-confidence" });
  const paint = () => {
    const s = model.get("subject");
    if (!s.kind) return;
    caption.textContent = s.kind === "cell" ? `Cell ${s.number ?? s.id} of ${s.n_cells}` : `Whole field · ${s.n_cells} cell${s.n_cells === 1 ? "" : "s"}`;
    const negative = s.sure && s.title === "Negative";
    title.textContent = negative && s.detail ? "Negative:" : s.title;
    title.classList.toggle("ow-long", s.title.length > 22);
    detail.textContent = s.detail ?? "";
    detail.title = s.detail ?? "";
    chip.classList.toggle("ow-unsure", !s.sure);
    const highest = fixed(s.confidence ?? 0);
    chip.textContent = s.sure ? `confidence ${highest}` : `highest ${highest}`;
    chip.hidden = !s.n_cells && s.kind === "field";
    chip.title = s.sure ? "Probability of the first class" : `No class reaches the threshold of ${fixed(model.get("threshold"))}`;
  };
  const element = h("div", { class: "ow-who" }, picture, h("div", { class: "ow-words", "aria-live": "polite" }, caption, title, detail, chip));
  return { element, stop: watch(model, ["subject", "threshold"], paint) };
}

/** The dashed line over all bars; it can be dragged and moved by the arrow keys. */
function thresholdLine(model) {
  const bubble = h("span", { class: "ow-bubble" });
  const line = h("div", { class: "ow-threshold", role: "slider", tabindex: 0, "aria-label": "Confidence threshold", "aria-valuemin": 0, "aria-valuemax": 1 }, bubble);
  const area = h("div", { class: "ow-threshold-area" }, line);
  let now = 0;
  const show = (value) => {
    now = value;
    line.style.left = `${100 * value}%`;
    bubble.textContent = fixed(value);
    line.title = `Confidence threshold ${fixed(value)}. Drag it: a class is named where its bar reaches the line`;
    line.setAttribute("aria-valuenow", value);
    line.setAttribute("aria-valuetext", fixed(value));
  };
  const live = liveValue({ show, isHeld: () => line.classList.contains("ow-held"), post: (value) => model.send({ type: "threshold", value }) });
  const move = (value) => {
    show(clamp(Math.round(value * 100) / 100, 0, 1));
    live.send(now);
  };
  line.addEventListener("pointerdown", (event) => {
    line.setPointerCapture(event.pointerId);
    line.classList.add("ow-held");
  });
  line.addEventListener("pointermove", (event) => {
    if (!line.hasPointerCapture(event.pointerId)) return;
    const box = area.getBoundingClientRect();
    move((event.clientX - box.left) / box.width);
  });
  line.addEventListener("lostpointercapture", () => line.classList.remove("ow-held"));
  line.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 0.01, ArrowUp: 0.01, ArrowLeft: -0.01, ArrowDown: -0.01, PageUp: 0.1, PageDown: -0.1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(now + step);
  });
  return { element: area, stop: watch(model, ["threshold"], () => live.take(model.get("threshold"))) };
}

/** Nineteen rows that keep their size and glide to their rank. */
function bars(model) {
  const rows = model.get("classes").map((c) => {
    const fill = h("i", { style: { background: c.color } });
    const value = h("span", { class: "ow-value" });
    const name = h("span", { class: "ow-name" }, classDot(c), h("b", {}, c.code), h("span", {}, c.name));
    const row = h("li", { class: "ow-row", title: c.name }, name, h("span", { class: "ow-track" }, fill), value);
    return { index: c.index, row, fill, value, name: c.name };
  });
  const line = thresholdLine(model);
  const list = h("ul", { class: "ow-bars-list" }, rows.map((r) => r.row));
  const box = h("div", { class: "ow-bars" }, list, line.element);
  let open = false;
  const more = h("button", { type: "button", class: "ow-link", onclick: () => ((open = !open), paint()) });
  const paint = () => {
    const p = model.get("subject").p ?? [];
    const threshold = model.get("threshold");
    const ranked = [...rows].sort((a, b) => (p[b.index] ?? 0) - (p[a.index] ?? 0) || a.index - b.index);
    ranked.forEach((r, rank) => {
      const value = p[r.index] ?? 0;
      r.row.style.transform = `translateY(${rank * ROW}px)`;
      r.row.classList.toggle("ow-below", value < threshold);
      r.row.classList.toggle("ow-folded", !open && rank >= FIRST_ROWS);
      r.row.setAttribute("aria-hidden", String(!open && rank >= FIRST_ROWS));
      r.row.title = `${r.name}: ${fixed(value, 3)}`;
      r.fill.style.width = `${100 * value}%`;
      r.value.textContent = fixed(value);
    });
    box.style.height = `${(open ? rows.length : FIRST_ROWS) * ROW}px`;
    const bound = fixed(Math.floor((p[ranked[FIRST_ROWS]?.index] ?? 0) * 100 + 1) / 100);
    more.replaceChildren(open ? "Show fewer" : `${rows.length - FIRST_ROWS} more under ${bound}`, icon("chevron"));
    more.setAttribute("aria-expanded", String(open));
  };
  const off = watch(model, ["subject", "threshold"], paint);
  return { element: box, more, stop: () => (off(), line.stop()) };
}

function saveChart(model) {
  const button = h("button", { type: "button", class: "ow-small", title: "Save this chart as a file" }, icon("download"), "Save chart");
  const items = FORMATS.map((format) =>
    menuItem(format, () => {
      drop.hidePopover();
      model.send({ type: "chart", format: format.key });
    }),
  );
  const drop = dropDown(button, items, { label: "Save chart" });
  return [button, drop];
}

/** Four numbers in a row, of the cell or of the field. */
function measurements(model) {
  const list = h("dl", { class: "ow-tiles" });
  const ofCell = (s) => {
    const ratio = s.nucleus_area_um2 > 0 && s.area_um2 > 0 ? fixed(s.nucleus_area_um2 / s.area_um2) : "–";
    return [
      ["Cell", squareMicrons(s.area_um2), "Area of the cell"],
      ["Nucleus", squareMicrons(s.nucleus_area_um2), "Area of the nucleus"],
      ["Nucleus / cell", ratio, "Area of the nucleus divided by that of the cell"],
    ];
  };
  const ofField = (field) => {
    const counts = field.counts ?? [];
    const unsure = counts.find(([index]) => index < 0)?.[1] ?? 0;
    return [
      ["Cells", field.n_cells ?? 0, "Cells found in the field"],
      ["Named", (field.n_cells ?? 0) - unsure, "Cells with at least one class at the threshold"],
      ["Not sure", unsure, "Cells in which no class reaches the threshold"],
      ["Classes", counts.filter(([index]) => index >= 0).length, "Different first classes"],
      ...ofQuality(field.quality ?? {}),
    ];
  };
  const ofQuality = (q) => {
    if (q.border_share === undefined) return [];
    return [
      ["Cell size", squareMicrons(q.median_cell_um2), "Median area of the cells"],
      ["Nucleus size", squareMicrons(q.median_nucleus_um2), "Median area of the nuclei"],
      ["At border", `${Math.round(100 * q.border_share)} %`, "Share of the cells that touch the border of the field"],
      ["Fragments", q.fragments, "Cells of which more than half is probably out of view"],
    ];
  };
  const place = h("p", { class: "ow-place" });
  const paint = () => {
    const s = model.get("subject");
    const cell = s.kind === "cell";
    const tiles = cell ? ofCell(s) : ofField(model.get("field"));
    list.replaceChildren(...tiles.map(([name, value, tip]) => h("div", { title: tip }, h("dt", {}, name), h("dd", {}, String(value)))));
    place.hidden = !cell;
    place.classList.toggle("ow-cut", Boolean(s.fragment));
    const where = s.fragment ? "More than half out of view" : s.border ? "Touches the border" : "Wholly in view";
    place.replaceChildren(s.fragment ? icon("alert") : "", where);
    place.title = s.fragment ? "Judged by its size and its nucleus. Human Protein Atlas annotators don’t judge such cells" : s.border ? "Part of this cell may be out of view: judge it with care" : "The cell does not touch the border of the field";
  };
  return { element: [list, place], stop: watch(model, ["subject", "field"], paint) };
}

/** What looks wrong with the field: the first thing in full, the others on request. */
function checks(model) {
  const first = h("span");
  const rest = h("ul");
  let open = false;
  const more = h("button", { type: "button", class: "ow-link", onclick: () => ((open = !open), unfold()) });
  const fix = h("button", { type: "button", class: "ow-small ow-fix", onclick: () => model.send({ type: "fix-pixel-size" }) });
  const element = h("div", { class: "ow-checks", role: "note", "aria-label": "Check this field" }, icon("alert"), h("div", {}, first, rest, h("div", { class: "ow-checks-foot" }, fix, more)));
  let drawn = "";
  const unfold = () => {
    const n = rest.children.length;
    rest.hidden = !open;
    more.hidden = !n;
    more.replaceChildren(open ? "Show less" : `${n} more`, icon("chevron"));
    more.setAttribute("aria-expanded", String(open));
  };
  const stop = watch(model, ["field", "fixable", "busy"], () => {
    const { warnings = [], pixel_size_um: fitting } = model.get("field").quality ?? {};
    fix.hidden = !fitting || !model.get("fixable");
    fix.disabled = model.get("busy");
    fix.textContent = `Use ${fitting} µm/px`;
    fix.title = "Read the field again with this pixel size and analyse it. The pixel size stands beside the files and can be changed back there";
    element.hidden = !warnings.length;
    if (drawn === warnings.join("\n")) return;
    drawn = warnings.join("\n");
    first.textContent = warnings[0] ?? "";
    rest.replaceChildren(...warnings.slice(1).map((text) => h("li", {}, text)));
    unfold();
  });
  return { element, stop };
}

function fieldCounts(model) {
  const list = h("ul", { class: "ow-counts" });
  const words = h("p", { class: "ow-field-words" });
  const stop = watch(model, ["field", "subject"], () => {
    const { counts = [], title, detail } = model.get("field");
    const known = model.get("classes");
    const most = Math.max(1, ...counts.map(([, n]) => n));
    words.textContent = title ? (title === "Not sure" ? `Not sure: ${detail}` : [title, detail].filter(Boolean).join(" ")) : "";
    words.hidden = !title || model.get("subject").kind !== "cell";
    list.replaceChildren(
      ...counts.map(([index, n]) => {
        const c = known[index] ?? NOT_SURE;
        const bar = h("i", { style: { width: `${(100 * n) / most}%`, background: index < 0 ? "var(--ow-mute)" : c.color } });
        return h("li", { title: `${c.name}: ${n} cell${n === 1 ? "" : "s"}` }, h("span", { class: "ow-name" }, classDot(c), h("b", {}, c.code), h("span", {}, c.name)), h("span", { class: "ow-mini" }, bar), h("span", { class: "ow-value" }, n));
      }),
    );
  });
  return { element: [words, list], stop };
}

export default {
  render({ model, el }) {
    const pictures = crops(model);
    const parts = {
      answer: answer(model, pictures.main),
      bars: bars(model),
      measurements: measurements(model),
      counts: fieldCounts(model),
      checks: checks(model),
    };
    const head = h("h2");
    const back = h("button", { type: "button", class: "ow-link ow-back-link", title: "Let go of the cell and show the field (Esc)", onclick: () => model.send({ type: "deselect" }) }, icon("back"), "Back to field");
    const fieldHead = h("h2");
    const measured = h("h2", {}, "Measurements");
    const full = h(
      "div",
      { class: "ow-full-state" },
      parts.checks.element,
      h("section", { "aria-label": "Answer" }, h("div", { class: "ow-head" }, head, back), parts.answer.element, pictures.strip),
      h("section", { "aria-label": "Probabilities" }, h("h2", {}, "Probabilities"), parts.bars.element, h("div", { class: "ow-under" }, parts.bars.more, ...saveChart(model))),
      h("section", { "aria-label": "Measurements" }, measured, ...parts.measurements.element),
      h("section", { "aria-label": "Field" }, fieldHead, ...parts.counts.element),
    );
    const empty = h("div", { class: "ow-empty-state" }, icon("image"), h("b", {}, "No result yet"), h("span", {}, "Analyse a field. The answer for the field appears here; select a cell to see its own."));
    const waiting = h("div", { class: "ow-empty-state" }, h("span", { class: "ow-spinner" }), h("span", {}, "The answer appears here."));
    const panel = h("aside", { class: "ow ow-panel ow-cell-panel", "aria-label": "Answer" }, h("div", { class: "ow-body ow-scroll" }, full, empty, waiting));
    const off = watch(model, ["subject", "busy"], () => {
      const { kind } = model.get("subject");
      const busy = model.get("busy");
      full.hidden = !kind;
      empty.hidden = Boolean(kind) || busy;
      waiting.hidden = Boolean(kind) || !busy;
      panel.classList.toggle("ow-dim", busy);
      panel.setAttribute("aria-busy", String(busy));
      head.textContent = kind === "cell" ? "Selected cell" : "Field";
      measured.textContent = kind === "cell" ? "Measurements" : "Counts";
      fieldHead.textContent = kind === "cell" ? "Field" : "Cells per class";
      back.style.visibility = kind === "cell" ? "visible" : "hidden";
    });
    el.append(panel);
    return () => {
      off();
      pictures.stop();
      for (const part of Object.values(parts)) part.stop();
    };
  },
};
