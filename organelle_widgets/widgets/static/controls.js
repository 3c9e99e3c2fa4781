// Controls that the regions around the image views share: icons, menus, sliders, selects. Joined after dom.js.

const ICON_PATHS = {
  alert: "M8 2.2 14.4 13.4H1.6ZM8 6.4v3.2M8 11.5v.1",
  auto: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2ZM8 2v12a6 6 0 0 0 0-12Z",
  back: "M13 8H3.5M7 4 3 8l4 4",
  check: "m3 8.4 3.3 3.3L13 4.8",
  chevron: "m4 6.3 4 4 4-4",
  close: "m4 4 8 8M12 4l-8 8",
  download: "M8 2.2v7.6M4.8 6.8 8 10l3.2-3.2M2.6 13.4h10.8",
  file: "M4 1.8h5l3.4 3.4v9H4ZM9 1.8v3.4h3.4",
  folder: "M1.8 12.8V3.4h4.4l1.6 2h6.4v7.4Z",
  grid: "M2.4 2.4h4.4v4.4H2.4ZM9.2 2.4h4.4v4.4H9.2ZM2.4 9.2h4.4v4.4H2.4ZM9.2 9.2h4.4v4.4H9.2Z",
  help: "M5.6 6.1a2.4 2.4 0 1 1 3.5 2.1c-.8.4-1.1.8-1.1 1.6M8 12.2v.1",
  image: "M2 3h12v10H2ZM2 11l3.6-3.6 3 3 2-2L14 11.8M10.6 6v.1",
  left: "M10 3.5 5.5 8l4.5 4.5",
  moon: "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8Z",
  play: "M5 3v10l8-5Z",
  pause: "M5.5 3v10M10.5 3v10",
  plus: "M8 3v10M3 8h10",
  reset: "M3.2 8a4.8 4.8 0 1 0 1.4-3.4L3 6.2M3 2.6v3.6h3.6",
  right: "M6 3.5 10.5 8 6 12.5",
  sliders: "M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6M8 4.5a2 2 0 1 0 4 0 2 2 0 0 0-4 0ZM4 11.5a2 2 0 1 0 4 0 2 2 0 0 0-4 0Z",
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6ZM8 1.4v1.4M8 13.2v1.4M1.4 8h1.4M13.2 8h1.4M3.3 3.3l1 1M11.7 11.7l1 1M3.3 12.7l1-1M11.7 4.3l1-1",
  table: "M2.2 3h11.6v10H2.2ZM2.2 6.4h11.6M2.2 9.7h11.6M6.4 6.4V13",
  up: "M8 13V3.5M4 7l4-4 4 4",
};

/** A line icon of 16 px in the text's colour. */
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "ow-icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICON_PATHS[name]);
  svg.append(path);
  return svg;
}

let idCount = 0;
/** An id for aria attributes, unique on this page. */
const freshId = (word) => `ow-${word}-${Date.now().toString(36)}-${(idCount += 1)}`;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** Listen to custom messages: {type: handler(content, buffers)}; returns a function that stops it. */
function onMessages(model, handlers) {
  const listen = (content, buffers) => handlers[content?.type]?.(content, buffers ?? []);
  model.on("msg:custom", listen);
  return () => model.off("msg:custom", listen);
}

/** Call `f` at most once in `ms`, and always with the last arguments. */
function throttle(f, ms) {
  let timer = null;
  let waiting = null;
  const run = () => {
    timer = null;
    if (!waiting) return;
    const given = waiting;
    waiting = null;
    f(...given);
    timer = setTimeout(run, ms);
  };
  return (...given) => {
    waiting = given;
    if (timer === null) run();
  };
}

/** A size in bytes as people write it. */
function bytesInWords(size) {
  if (size >= 1e9) return `${(size / 1e9).toFixed(1)} GB`;
  if (size >= 1e6) return `${(size / 1e6).toFixed(size < 1e7 ? 1 : 0)} MB`;
  return `${Math.max(1, Math.round(size / 1000))} kB`;
}

/** Units as people write them: um2 becomes µm². */
const unitInWords = (unit) => (unit ?? "").replace(/^um/, "µm").replace(/2$/, "²").replace(/3$/, "³");

/** An element that opens over the page, anchored under a button; Escape and a click elsewhere close it. */
function dropDown(button, content, { align = "end", role = "menu", label = "" } = {}) {
  const panel = h("div", { class: "ow-drop", popover: "auto", role, "aria-label": label || null }, content);
  button.setAttribute("aria-haspopup", role === "menu" ? "menu" : "dialog");
  button.setAttribute("aria-expanded", "false");
  const place = () => {
    const box = button.getBoundingClientRect();
    const size = panel.getBoundingClientRect();
    const x = align === "end" ? box.right - size.width : box.left;
    const below = box.bottom + 6 + size.height <= innerHeight || box.top < size.height + 6;
    panel.style.left = `${clamp(x, 8, Math.max(8, innerWidth - size.width - 8))}px`;
    panel.style.top = `${below ? box.bottom + 6 : box.top - size.height - 6}px`;
  };
  panel.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    place();
    panel.querySelector("button:not(:disabled)")?.focus();
  });
  panel.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const items = [...panel.querySelectorAll("button:not(:disabled)")];
    if (!items.length) return;
    event.preventDefault();
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  });
  button.setAttribute("popovertarget", (panel.id = freshId("drop")));
  return panel;
}

/** One line of a menu. */
function menuItem({ title, detail, checked, lead }, onclick) {
  const role = checked === undefined ? "menuitem" : "menuitemradio";
  const attributes = { type: "button", class: "ow-item", role, onclick };
  if (checked !== undefined) attributes["aria-checked"] = String(checked);
  return h(
    "button",
    attributes,
    lead ?? null,
    h("span", { class: "ow-item-text" }, h("span", {}, title), detail ? h("small", {}, detail) : null),
    checked === undefined ? null : h("span", { class: "ow-item-check" }, checked ? icon("check") : ""),
  );
}

/** A select with its chevron; `options` are {value, title, disabled}. */
function selectBox(label, onchange) {
  const select = h("select", { "aria-label": label, onchange: () => onchange(select.value) });
  const element = h("div", { class: "ow-select" }, select, icon("chevron"));
  let drawn = "";
  const update = (options, value, tooltip = "") => {
    const wanted = JSON.stringify(options);
    if (wanted !== drawn) {
      drawn = wanted;
      select.replaceChildren(
        ...options.map((o) => h("option", { value: o.value, disabled: o.disabled }, o.title)),
      );
    }
    select.value = value;
    select.title = tooltip || label;
  };
  return { element, select, update };
}

/**
 * Lets a control that moves quickly and Python follow each other: the next value goes out when Python has taken the
 * last one (or after a second), and values from Python wait while a person moves the control.
 * @param show draws a value; @param isHeld tells whether a person holds the control; @param post sends a value.
 */
function liveValue({ show, isHeld, post }) {
  let known = null;
  let flying = null;
  let next = null;
  let lost = null;
  let late = null;
  const settle = () => {
    clearTimeout(late);
    if (flying !== null || isHeld()) late = setTimeout(settle, 150);
    else if (known !== null) show(known);
  };
  const flush = () => {
    clearTimeout(lost);
    flying = next === known ? null : next;
    next = null;
    if (flying === null) return settle();
    lost = setTimeout(flush, 1000);
    post(flying);
  };
  const queue = throttle(() => flying === null && flush(), 30);
  return {
    /** The person moved it. */
    send(value) {
      next = value;
      queue();
    },
    /** Python says what it is. */
    take(value) {
      known = value;
      if (flying !== null && Math.abs(value - flying) < 1e-9) flush();
      settle();
    },
  };
}

/**
 * A slider with its label on the left, value and unit on the right, and a button back to the default.
 * Values from Python are kept out while the person moves it.
 */
function slider({ label, unit = "", min, max, step, value, initial, help = "", onvalue }) {
  const digits = clamp((String(step).split(".")[1] ?? "").length, 0, 4);
  const id = freshId("slider");
  const words = unitInWords(unit);
  const output = h("output", { for: id });
  const back = h("button", {
    type: "button",
    class: "ow-back",
    title: `Back to ${fixed(initial, digits)}${words ? ` ${words}` : ""}`,
    "aria-label": `${label}: back to the default`,
    onclick: () => {
      show(initial);
      live.send(Number(initial));
      input.focus();
    },
  }, icon("reset"));
  const input = h("input", {
    type: "range", id, min, max, step,
    oninput: () => {
      paint();
      live.send(Number(input.value));
    },
  });
  const paint = () => {
    const now = Number(input.value);
    output.textContent = fixed(now, digits) + (words ? ` ${words}` : "");
    input.setAttribute("aria-valuetext", output.textContent);
    input.style.setProperty("--ow-part", `${max > min ? (100 * (now - min)) / (max - min) : 0}%`);
    back.style.visibility = Math.abs(now - initial) > step / 2 ? "visible" : "hidden";
  };
  const show = (v) => {
    input.value = v;
    paint();
  };
  const live = liveValue({ show, isHeld: () => input.matches(":active"), post: onvalue });
  const element = h(
    "div",
    { class: "ow-slider", title: help || null },
    h("label", { for: id }, label), back, output, input,
  );
  show(value);
  return { element, input, update: live.take };
}
