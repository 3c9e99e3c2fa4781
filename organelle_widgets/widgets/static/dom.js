// Small functions that every region shares; joined in front of each region's own module.

/** Make an element: h("button", {class: "ow-primary", onclick: f, "aria-label": "Run"}, "Run"). */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style" && typeof value === "object") Object.assign(element.style, value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Listen to traits of a model and call `f` now and on each change; returns a function that stops it. */
function watch(model, names, f) {
  const events = names.map((name) => `change:${name}`).join(" ");
  model.on(events, f);
  f();
  return () => model.off(events, f);
}

/** Set one trait and tell Python. */
function put(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

/** A number with a fixed count of decimals. */
const fixed = (value, digits = 2) => Number(value).toFixed(digits);
