// Numbers of the cell panel: a few of the cell or the field, and what was measured of the selected cell.

const MEASURING_KEY = "organelle-widgets-measurements";

const squareMicrons = (value) => (typeof value === "number" && value > 0 ? `${value < 10 ? fixed(value, 1) : Math.round(value)} µm²` : "–");
const tile = ({ label, value, tip }) => h("div", { title: tip }, h("dt", {}, label), h("dd", {}, value));
const unsureInWords = (unusual) =>
  `Cells in which no class reaches the threshold${unusual ? `, and cells unlike any that the classifier knows (${unusual})` : ""}`;

/** Whether the measurements were open when last seen on this machine. */
function wasMeasuring() {
  try {
    return localStorage.getItem(MEASURING_KEY) === "open";
  } catch {
    return false; // a browser may forbid it
  }
}

function rememberMeasuring(open) {
  try {
    localStorage.setItem(MEASURING_KEY, open ? "open" : "closed");
  } catch {
    // it opens closed the next time
  }
}

/** What was measured of the selected cell: asked for when opened, drawn with empty places until it is here. */
function measuredRows(model) {
  const element = h("div", { class: "ow-measured", id: freshId("measured") });
  const more = h("button", { type: "button", class: "ow-link", "aria-controls": element.id, title: "Protein by compartment, correlation with the markers, spots and shape of this cell" });
  let open = wasMeasuring();
  let toggled = () => {};
  const label = () => {
    more.replaceChildren(open ? "Less" : "More", icon("chevron"));
    more.setAttribute("aria-expanded", String(open));
  };
  more.addEventListener("click", () => {
    open = !open;
    rememberMeasuring(open);
    model.send({ type: "measuring", open });
    label();
    toggled();
  });
  label();
  if (open) model.send({ type: "measuring", open });
  const paint = () => {
    const rows = model.get("measured");
    element.setAttribute("aria-busy", String(rows.some((row) => row.figures.some((figure) => !figure.value))));
    if (!rows.length) return; // what is drawn keeps its place
    element.replaceChildren(...rows.map((row) => h("div", { class: "ow-measured-row" }, h("h3", { title: row.tip }, row.title), h("dl", {}, row.figures.map(tile)))));
  };
  const stop = watch(model, ["measured"], paint);
  return { element, more, stop, isOpen: () => open, onToggle: (f) => (toggled = f) };
}

/** Four numbers in a row, of the cell or of the field, and the rest of what was measured of the cell on request. */
function measurements(model) {
  const rest = measuredRows(model);
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
      ["Not sure", unsure, unsureInWords(model.get("field").n_unusual ?? 0)],
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
    rest.more.hidden = !cell;
    rest.element.hidden = !cell || !rest.isOpen();
    place.classList.toggle("ow-cut", Boolean(s.fragment));
    const where = s.fragment ? "More than half out of view" : s.border ? "Touches the border" : "Wholly in view";
    place.replaceChildren(s.fragment ? icon("alert") : "", where);
    place.title = s.fragment ? "Judged by its size and its nucleus. Human Protein Atlas annotators don’t judge such cells" : s.border ? "Part of this cell may be out of view: judge it with care" : "The cell does not touch the border of the field";
  };
  rest.onToggle(paint);
  const off = watch(model, ["subject", "field"], paint);
  return { element: [list, place, rest.element], more: rest.more, stop: () => (off(), rest.stop()) };
}
