// The bars of the cell panel: probabilities of the 19 classes with their threshold, or of the classifier's own classes.

const ROW = 22;
const FIRST_ROWS = 8;

const classDot = (c) => h("span", { class: c.index < 0 ? "ow-dot ow-dot-unsure" : "ow-dot", style: { background: c.color } });

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

/** Rows that keep their size and glide to their rank; the first few, or all of them. */
function rankedRows(rows) {
  const list = h("ul", { class: "ow-bars-list" }, rows.map((r) => r.row));
  const box = h("div", { class: "ow-bars" }, list);
  /** @param p probabilities by the rows' index; @param isBelow whether a value counts for little. */
  const paint = (p, open, isBelow) => {
    const first = Math.min(rows.length, FIRST_ROWS);
    const ranked = [...rows].sort((a, b) => (p[b.index] ?? 0) - (p[a.index] ?? 0) || a.index - b.index);
    ranked.forEach((r, rank) => {
      const value = p[r.index] ?? 0;
      const folded = !open && rank >= first;
      r.row.style.transform = `translateY(${rank * ROW}px)`;
      r.row.classList.toggle("ow-below", isBelow(value));
      r.row.classList.toggle("ow-folded", folded);
      r.row.setAttribute("aria-hidden", String(folded));
      r.row.title = `${r.name}: ${fixed(value, 3)}`;
      r.fill.style.width = `${100 * value}%`;
      r.value.textContent = fixed(value);
    });
    box.style.height = `${(open ? rows.length : first) * ROW}px`;
    return { hidden: rows.length - first, bound: fixed(Math.floor((p[ranked[first]?.index] ?? 0) * 100 + 1) / 100) };
  };
  return { element: box, paint };
}

function barRow(index, name, color, ...label) {
  const fill = h("i", { style: { background: color } });
  const value = h("span", { class: "ow-value" });
  const row = h("li", { class: "ow-row" }, h("span", { class: "ow-name" }, ...label, h("span", {}, name)), h("span", { class: "ow-track" }, fill), value);
  return { index, name, row, fill, value };
}

/** Which classes the bars show; there only where the classifier has classes of its own. */
function classSwitch(onchange) {
  const option = (own) => h("button", { type: "button", role: "radio", onclick: () => onchange(own) });
  const [ours, theirs] = [option(false), option(true)];
  ours.textContent = "19 classes";
  ours.title = "The classes of the Human Protein Atlas that the answer is given in";
  const element = h("div", { class: "ow-class-switch", role: "radiogroup", "aria-label": "Classes" }, ours, theirs);
  element.addEventListener("keydown", (event) => {
    if (!/^Arrow/.test(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const other = document.activeElement === ours ? theirs : ours;
    onchange(other === theirs);
    other.focus();
  });
  const update = (own, title) => {
    element.hidden = !title;
    theirs.textContent = title ?? "";
    theirs.title = `${title}: what the classifier says in its own words. The answer is given in the 19 classes that they stand for`;
    for (const [button, on] of [[ours, !own], [theirs, own]]) {
      button.setAttribute("aria-checked", String(on));
      button.tabIndex = on ? 0 : -1;
    }
  };
  return { element, update };
}

/** The bars with what stands around them. */
function bars(model) {
  const ours = rankedRows(model.get("classes").map((c) => barRow(c.index, c.name, c.color, classDot(c), h("b", {}, c.code))));
  const line = thresholdLine(model);
  ours.element.append(line.element);
  const place = h("div", { class: "ow-own-bars" });
  let theirs = null;
  let names = "";
  let open = false;
  let own = false;
  const more = h("button", { type: "button", class: "ow-link", onclick: () => ((open = !open), paint()) });
  const choice = classSwitch((wanted) => ((own = wanted), paint()));
  const ownRows = (wanted) => {
    if (names === wanted.join("\n")) return;
    names = wanted.join("\n");
    theirs = rankedRows(wanted.map((name, index) => barRow(index, name, "var(--ow-accent)")));
    place.replaceChildren(theirs.element);
  };
  const paint = () => {
    const subject = model.get("subject");
    const { title, names: wanted = [], p = [] } = model.get("own");
    const threshold = model.get("threshold");
    const showOwn = own && wanted.length > 0;
    choice.update(showOwn, title);
    if (wanted.length) ownRows(wanted);
    ours.element.hidden = showOwn;
    place.hidden = !showOwn;
    const rest = showOwn ? theirs.paint(p, open, () => false) : ours.paint(subject.p ?? [], open, (value) => value < threshold || subject.unusual);
    more.hidden = !rest.hidden;
    more.replaceChildren(open ? "Show fewer" : `${rest.hidden} more under ${rest.bound}`, icon("chevron"));
    more.setAttribute("aria-expanded", String(open));
  };
  const off = watch(model, ["subject", "own", "threshold"], paint);
  return { element: [choice.element, ours.element, place], more, stop: () => (off(), line.stop()) };
}
