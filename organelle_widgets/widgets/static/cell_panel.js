// The right side: the answer for the selected cell or the field, with the bars of class_bars.js and the numbers of
// cell_measurements.js, and the field's counts.

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

/** Why a cell or a field has no answer although its probabilities may be high. */
function unusualInWords(s) {
  const what = s.kind === "cell" ? "This cell looks" : "Most cells of this field look";
  return `${what} unlike anything the classifier was trained on, so no class is named, however high its probability (here up to ${fixed(s.confidence ?? 0)}). Check the channels, the pixel size and the outline`;
}

/** The answer in words beside the picture. */
function answer(model, picture) {
  const caption = h("div", { class: "ow-mute ow-caption" });
  const title = h("div", { class: "ow-title" });
  const detail = h("div", { class: "ow-mute ow-detail" });
  const chip = h("span", { class: "ow-confidence" });
  const element = h("div", { class: "ow-who" }, picture, h("div", { class: "ow-words", "aria-live": "polite" }, caption, title, detail, chip));
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
    element.classList.toggle("ow-unusual", Boolean(s.unusual));
    const highest = fixed(s.confidence ?? 0);
    chip.textContent = s.sure ? `confidence ${highest}` : s.unusual ? `unlike known cells` : `highest ${highest}`;
    chip.hidden = !s.n_cells && s.kind === "field";
    chip.title = s.sure ? "Probability of the first class" : s.unusual ? unusualInWords(s) : `No class reaches the threshold of ${fixed(model.get("threshold"))}`;
  };
  return { element, stop: watch(model, ["subject", "threshold"], paint) };
}

function saveChart(model) {
  const button = h("button", { type: "button", class: "ow-small", title: "Save the chart of the 19 classes as a file" }, icon("download"), "Save chart");
  const items = FORMATS.map((format) =>
    menuItem(format, () => {
      drop.hidePopover();
      model.send({ type: "chart", format: format.key });
    }),
  );
  const drop = dropDown(button, items, { label: "Save chart" });
  return [button, drop];
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
      h("section", { "aria-label": "Probabilities" }, h("h2", {}, "Probabilities"), ...parts.bars.element, h("div", { class: "ow-under" }, parts.bars.more, ...saveChart(model))),
      h("section", { "aria-label": "Measurements" }, h("div", { class: "ow-head" }, measured, parts.measurements.more), ...parts.measurements.element),
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
