// The film strip: all cells as thumbnails out of one sprite; only those in view are in the document.

const THUMB = 76;
const GAP = 6;
const ITEM = { width: 86, height: 106 };
const SORT_TITLES = {
  "confidence-low": "Sort: confidence, low first",
  "confidence-high": "Sort: confidence, high first",
  class: "Sort: class",
  size: "Sort: size, large first",
  id: "Sort: cell number",
};
const byId = (a, b) => a.id - b.id;
const ORDERS = {
  "confidence-low": (a, b) => a.confidence - b.confidence || byId(a, b),
  "confidence-high": (a, b) => b.confidence - a.confidence || byId(a, b),
  class: (a, b) => Number(b.sure) - Number(a.sure) || a.top - b.top || b.confidence - a.confidence || byId(a, b),
  size: (a, b) => b.area_um2 - a.area_um2 || byId(a, b),
  id: byId,
};

/** The cells that the strip shows, in its order. */
function orderedCells(model) {
  const shown = model.get("shown");
  const wanted = (cell) => shown === "all" || (shown === "unsure" ? !cell.sure : cell.sure && String(cell.top) === shown);
  return model.get("cells").filter(wanted).sort(ORDERS[model.get("sort")] ?? byId);
}

/** Choices of the class filter with their counts; one that is chosen stays even without cells. */
function filterOptions(model) {
  const cells = model.get("cells");
  const shown = model.get("shown");
  const count = (index) => cells.filter((cell) => cell.sure && cell.top === index).length;
  const unsure = cells.filter((cell) => !cell.sure).length;
  const classes = model.get("classes").map((c) => ({ value: String(c.index), title: `${c.code} ${c.name} (${count(c.index)})`, n: count(c.index) }));
  const options = [...classes, { value: "unsure", title: `Not sure (${unsure})`, n: unsure }];
  const kept = options.filter((o) => o.n || o.value === shown).map(({ value, title }) => ({ value, title }));
  return [{ value: "all", title: "Class: all" }, ...kept];
}

/** A scrolling list of thumbnails: one row, or a gallery of rows. */
function film(model, { gallery }) {
  const spacer = h("div", { class: "ow-spacer" });
  const element = h("div", { class: `ow-film ow-scroll${gallery ? " ow-gallery" : ""}`, role: "listbox", tabindex: 0, "aria-label": "Cells" }, spacer);
  const prefix = freshId("cell");
  const items = new Map();
  let cells = [];
  let sprite = null;
  let columns = Infinity;

  const placeOf = (i) => (gallery ? { x: (i % columns) * (ITEM.width + GAP), y: Math.floor(i / columns) * (ITEM.height + GAP) } : { x: i * (ITEM.width + GAP), y: 0 });
  const known = () => model.get("classes");

  const fillItem = (item, cell, i) => {
    const c = known()[cell.top];
    const at = sprite?.places.get(cell.id);
    const selected = cell.id === model.get("selected");
    const { x, y } = placeOf(i);
    item.style.transform = `translate(${x}px, ${y}px)`;
    item.style.setProperty("--ow-class", cell.sure ? (c?.color ?? "#888") : "var(--ow-mute)");
    item.setAttribute("aria-selected", String(selected));
    item.setAttribute("aria-posinset", i + 1);
    item.setAttribute("aria-setsize", cells.length);
    const doubt = cell.unusual ? "not sure, unlike known cells" : "not sure";
    const words = cell.sure ? `${c?.name} ${fixed(cell.confidence)}` : `${doubt}, highest ${c?.name} ${fixed(cell.confidence)}`;
    item.title = `Cell ${cell.id}: ${words}${cell.fragment ? " · more than half out of view" : cell.border ? " · touches the border" : ""}`;
    item.setAttribute("aria-label", item.title);
    const [picture, caption] = item.children;
    picture.classList.toggle("ow-unsure", !cell.sure);
    picture.style.backgroundImage = at === undefined ? "" : `url(${sprite.url})`;
    if (at !== undefined) {
      picture.style.backgroundSize = `${sprite.columns * THUMB}px auto`;
      picture.style.backgroundPosition = `${-(at % sprite.columns) * THUMB}px ${-Math.floor(at / sprite.columns) * THUMB}px`;
    }
    caption.firstChild.textContent = cell.sure ? cell.code : `${cell.code}?`;
    caption.lastChild.textContent = fixed(cell.confidence);
  };
  const newItem = (id) => {
    const caption = h("span", { class: "ow-item-caption" }, h("b"), " ", h("span"));
    return h("div", { class: "ow-cell", role: "option", id: `${prefix}-${id}`, "data-cell": id, onclick: () => choose(id) }, h("div", { class: "ow-picture" }), caption);
  };
  const draw = () => {
    const step = ITEM.width + GAP;
    let first = Math.floor(element.scrollLeft / step) - 4;
    let last = Math.ceil((element.scrollLeft + element.clientWidth) / step) + 4;
    if (gallery) {
      const row = ITEM.height + GAP;
      first = (Math.floor(element.scrollTop / row) - 2) * columns;
      last = (Math.ceil((element.scrollTop + element.clientHeight) / row) + 2) * columns;
    }
    const wanted = new Set();
    for (let i = Math.max(0, first); i < Math.min(cells.length, last); i += 1) {
      const cell = cells[i];
      wanted.add(cell.id);
      if (!items.has(cell.id)) {
        items.set(cell.id, newItem(cell.id));
        spacer.append(items.get(cell.id));
      }
      fillItem(items.get(cell.id), cell, i);
    }
    for (const [id, item] of items) {
      if (wanted.has(id)) continue;
      item.remove();
      items.delete(id);
    }
    const selected = model.get("selected");
    if (items.has(selected)) element.setAttribute("aria-activedescendant", `${prefix}-${selected}`);
    else element.removeAttribute("aria-activedescendant");
  };
  const measure = () => {
    columns = gallery ? Math.max(1, Math.floor((spacer.clientWidth + GAP) / (ITEM.width + GAP))) : Infinity;
    const end = placeOf(Math.max(0, cells.length - 1));
    spacer.style.width = gallery ? "" : `${cells.length ? end.x + ITEM.width : 0}px`;
    spacer.style.height = `${cells.length ? end.y + ITEM.height : 0}px`;
    draw();
  };
  const reveal = (smooth = true) => {
    const i = cells.findIndex((cell) => cell.id === model.get("selected"));
    if (i < 0 || !element.clientWidth) return;
    const { x, y } = placeOf(i);
    const near = (start, size, from, room) => (start < from ? start - size / 2 : start + size > from + room ? start + 1.5 * size - room : null);
    const left = gallery ? null : near(x, ITEM.width, element.scrollLeft, element.clientWidth);
    const top = gallery ? near(y, ITEM.height, element.scrollTop, element.clientHeight) : null;
    if (left === null && top === null) return;
    const way = gallery ? Math.abs(top - element.scrollTop) : Math.abs(left - element.scrollLeft);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const behavior = smooth && !calm && way < 2 * element.clientWidth ? "smooth" : "instant";
    element.scrollTo({ left: left ?? element.scrollLeft, top: top ?? element.scrollTop, behavior });
  };
  const choose = (id) => {
    put(model, "selected", id);
    reveal();
  };
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && !gallery && model.get("selected")) {
      event.preventDefault();
      return choose(0);
    }
    const page = gallery ? columns * Math.max(1, Math.floor(element.clientHeight / ITEM.height)) : Math.max(1, Math.floor(element.clientWidth / ITEM.width));
    const down = gallery ? columns : 1;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: down, ArrowUp: -down, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || !cells.length) return;
    event.preventDefault();
    event.stopPropagation();
    const now = cells.findIndex((cell) => cell.id === model.get("selected"));
    choose(cells[now < 0 ? (step < 0 && step !== -Infinity ? cells.length - 1 : step === Infinity ? cells.length - 1 : 0) : clamp(now + step, 0, cells.length - 1)].id);
  });
  element.addEventListener("scroll", draw, { passive: true });
  if (!gallery) {
    const wheel = (event) => {
      if (Math.abs(event.deltaY) <= Math.abs(event.deltaX) || event.ctrlKey) return;
      if (element.scrollWidth <= element.clientWidth) return;
      event.preventDefault();
      element.scrollLeft += event.deltaY;
    };
    element.addEventListener("wheel", wheel, { passive: false });
  }
  const observer = new ResizeObserver(measure);
  observer.observe(element);
  return {
    element,
    reveal,
    redraw: draw,
    setCells: (next) => ((cells = next), measure()),
    setSprite: (next) => ((sprite = next), draw()),
    stop: () => observer.disconnect(),
  };
}

/** The sprite of thumbnails; the object URL is let go when another comes. */
function thumbnails(model, show) {
  let sprite = null;
  const off = onMessages(model, {
    thumbnails: (content, [buffer]) => {
      const old = sprite;
      const places = new Map((content.ids ?? []).map((id, i) => [id, i]));
      sprite = buffer ? { url: URL.createObjectURL(new Blob([buffer])), columns: content.columns, places } : null;
      if (!sprite) show(null);
      else {
        const next = sprite;
        const image = new Image();
        image.onload = image.onerror = () => next === sprite && show(next);
        image.src = next.url;
      }
      if (old) setTimeout(() => URL.revokeObjectURL(old.url), 2000);
    },
  });
  model.send({ type: "ready" });
  return () => {
    off();
    if (sprite) URL.revokeObjectURL(sprite.url);
  };
}

export default {
  render({ model, el }) {
    const strip = film(model, { gallery: false });
    const gallery = film(model, { gallery: true });
    const films = [strip, gallery];
    const sort = selectBox("Order of the cells", (value) => put(model, "sort", value));
    const filter = selectBox("Class of the cells", (value) => put(model, "shown", value));
    const count = h("span", { class: "ow-count" });
    const empty = h("div", { class: "ow-empty-state" });
    const open = h("button", { type: "button", class: "ow-iconbutton ow-plain ow-open-gallery", title: "Show all cells as a gallery", "aria-label": "Show all cells as a gallery", onclick: () => (dialog.showModal(), gallery.reveal(false)) }, icon("grid"));
    const close = h("button", { type: "button", class: "ow-iconbutton ow-plain", title: "Close (Esc)", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"));
    const dialogCount = h("span", { class: "ow-mute" });
    const dialog = h(
      "dialog",
      { class: "ow-gallery-dialog", "aria-label": "All cells", onclick: (event) => event.target === dialog && dialog.close() },
      h("div", { class: "ow-gallery-head" }, h("strong", {}, "Cells"), dialogCount, h("span", { class: "ow-space" }), close),
      gallery.element,
    );
    gallery.element.addEventListener("dblclick", (event) => event.target.closest(".ow-cell") && dialog.close());
    gallery.element.addEventListener("keydown", (event) => event.key === "Enter" && dialog.close());
    const panel = h(
      "section",
      { class: "ow ow-panel ow-film-strip", "aria-label": "Cells" },
      h("div", { class: "ow-control" }, h("div", { class: "ow-head" }, h("h2", {}, "Cells"), count, h("span", { class: "ow-space" }), open), sort.element, filter.element),
      h("div", { class: "ow-stage" }, strip.element, empty),
      dialog,
    );
    const stops = [
      watch(model, ["cells", "sort", "shown", "busy"], () => {
        const all = model.get("cells");
        const cells = orderedCells(model);
        const words = cells.length === all.length ? `${all.length}` : `${cells.length} of ${all.length}`;
        for (const one of films) one.setCells(cells);
        sort.update(Object.entries(SORT_TITLES).map(([value, title]) => ({ value, title })), model.get("sort"));
        filter.update(filterOptions(model), model.get("shown"));
        sort.select.disabled = filter.select.disabled = open.disabled = !all.length;
        count.textContent = all.length ? words : "";
        dialogCount.textContent = words;
        const busy = model.get("busy");
        empty.hidden = cells.length > 0;
        empty.textContent = all.length ? "No cell of this class." : busy ? "Looking for cells…" : "No cells to show.";
        panel.classList.toggle("ow-dim", busy);
        panel.setAttribute("aria-busy", String(busy));
      }),
      watch(model, ["selected"], () => {
        for (const one of films) {
          one.redraw();
          one.reveal();
        }
      }),
      thumbnails(model, (sprite) => films.forEach((one) => one.setSprite(sprite))),
      ...films.map((one) => one.stop),
    ];
    el.append(panel);
    return () => stops.forEach((stop) => stop());
  },
};
