// The header: what is loaded and what came out on the left; export, theme and help on the right.

const THEMES = [
  { key: "auto", title: "As the system", icon: "auto" },
  { key: "light", title: "Light", icon: "sun" },
  { key: "dark", title: "Dark", icon: "moon" },
];
const THEME_KEY = "organelle-widgets-theme";
const CLIENT = crypto.randomUUID?.() ?? String(Math.random());
const RETRY_MS = 15_000;

function rememberedTheme() {
  try {
    const theme = localStorage.getItem(THEME_KEY);
    return THEMES.some((t) => t.key === theme) ? theme : null;
  } catch {
    return null; // storage may be forbidden
  }
}

function applyTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.owTheme;
  else document.documentElement.dataset.owTheme = theme;
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // storage may be forbidden; the theme then lasts as long as the page
  }
}

/** Fetch an offered file chunk by chunk and let the browser save it. */
function download(model, { offer, name, mime, size }) {
  const parts = [];
  let received = 0;
  let timer = null;
  const ask = () => {
    clearTimeout(timer);
    model.send({ type: "pull", offer, offset: received });
    timer = setTimeout(ask, RETRY_MS);
  };
  const stop = onMessages(model, {
    part: (content, [buffer]) => {
      if (content.offer !== offer || content.offset !== received) return;
      parts.push(buffer);
      received += buffer.byteLength;
      if (received < size && buffer.byteLength) return ask();
      clearTimeout(timer);
      stop();
      model.send({ type: "received", offer });
      const url = URL.createObjectURL(new Blob(parts, { type: mime }));
      h("a", { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    },
  });
  ask();
}

function exportMenu(model) {
  const label = h("span", {}, "Export");
  const lead = h("span", { class: "ow-lead" });
  const button = h("button", { type: "button", class: "ow-menu-button" }, lead, label, icon("chevron"));
  const list = h("div");
  const drop = dropDown(button, list, { label: "Export" });
  const stop = watch(model, ["exports", "exporting"], () => {
    const busy = model.get("exporting");
    const entries = model.get("exports");
    list.replaceChildren(
      ...entries.map((entry) =>
        menuItem(entry, () => {
          drop.hidePopover();
          model.send({ type: "export", key: entry.key, client: CLIENT });
        }),
      ),
    );
    if ((busy || !entries.length) && drop.matches(":popover-open")) drop.hidePopover();
    button.disabled = Boolean(busy) || !entries.length;
    button.setAttribute("aria-busy", String(Boolean(busy)));
    lead.replaceChildren(busy ? h("span", { class: "ow-spinner" }) : icon("download"));
    const what = entries.find((entry) => entry.key === busy)?.title ?? "";
    button.title = busy ? `Preparing: ${what}` : entries.length ? "Save results as files" : "Nothing to save yet: analyse a field first";
  });
  return { element: [button, drop], stop };
}

function themeMenu(model) {
  const button = h("button", { type: "button", class: "ow-iconbutton" });
  const list = h("div");
  const drop = dropDown(button, list, { label: "Theme" });
  const remembered = rememberedTheme();
  if (remembered && remembered !== model.get("theme")) put(model, "theme", remembered);
  const stop = watch(model, ["theme"], () => {
    const theme = THEMES.find((t) => t.key === model.get("theme")) ?? THEMES[0];
    applyTheme(theme.key);
    button.replaceChildren(icon(theme.icon));
    button.title = `Theme: ${theme.title.toLowerCase()}`;
    button.setAttribute("aria-label", button.title);
    list.replaceChildren(
      ...THEMES.map((t) =>
        menuItem({ title: t.title, checked: t === theme, lead: icon(t.icon) }, () => {
          drop.hidePopover();
          put(model, "theme", t.key);
        }),
      ),
    );
  });
  return { element: [button, drop], stop };
}

function shortcutTable(shortcuts) {
  const groups = [...new Set(shortcuts.map((s) => s.group ?? ""))];
  const keys = (text) => (/^[A-Z][a-z]+ [a-z]/.test(text) ? [text] : text.split(" "));
  return groups.map((group) =>
    h(
      "section",
      {},
      h("h2", {}, group),
      h(
        "dl",
        {},
        ...shortcuts
          .filter((s) => (s.group ?? "") === group)
          .flatMap((s) => [h("dt", {}, keys(s.keys).map((key) => h("kbd", {}, key))), h("dd", {}, s.text)]),
      ),
    ),
  );
}

function helpDialog(model) {
  const body = h("div", { class: "ow-help-body ow-scroll" });
  const close = h(
    "button",
    { type: "button", class: "ow-iconbutton ow-plain", "aria-label": "Close", title: "Close (Esc)", onclick: () => dialog.close() },
    icon("close"),
  );
  const dialog = h(
    "dialog",
    { class: "ow-help", "aria-label": "Keyboard and pointer", onclick: (event) => event.target === dialog && dialog.close() },
    h("div", { class: "ow-help-head" }, h("strong", {}, "Keyboard and pointer"), close),
    body,
  );
  const button = h(
    "button",
    {
      type: "button",
      class: "ow-iconbutton",
      title: "Keyboard and pointer (?)",
      "aria-label": "Help: keyboard and pointer",
      "aria-haspopup": "dialog",
      onclick: () => dialog.showModal(),
    },
    icon("help"),
  );
  const onKey = (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable=true], .jp-Notebook .cm-editor");
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey || typing || dialog.open) return;
    event.preventDefault();
    dialog.showModal();
  };
  document.addEventListener("keydown", onKey);
  const off = watch(model, ["shortcuts"], () => body.replaceChildren(...shortcutTable(model.get("shortcuts"))));
  const stop = () => {
    off();
    document.removeEventListener("keydown", onKey);
  };
  return { element: [button, dialog], stop };
}

/** Notes on the result; on a narrow page, where the cell panel is out of sight, also what looks wrong with the field. */
function warningList(model) {
  const wide = h("span", { class: "ow-count-wide" });
  const narrow = h("span", { class: "ow-count-narrow" });
  const button = h("button", { type: "button", class: "ow-warn-button" }, icon("alert"), wide, narrow);
  const list = h("ul", { class: "ow-warn-list" });
  const drop = dropDown(button, list, { align: "start", role: "note", label: "Warnings" });
  const stop = watch(model, ["warnings", "checks"], () => {
    const [notes, checks] = [model.get("warnings"), model.get("checks")];
    const all = [...checks, ...notes];
    button.hidden = !all.length;
    button.classList.toggle("ow-narrow-only", !notes.length);
    if (button.hidden && drop.matches(":popover-open")) drop.hidePopover();
    wide.textContent = notes.length > 1 ? notes.length : "";
    narrow.textContent = all.length > 1 ? all.length : "";
    button.title = "What to know of this result";
    button.setAttribute("aria-label", button.title);
    list.replaceChildren(...all.map((text, i) => h("li", { class: i < checks.length ? "ow-check-line" : null }, text)));
  });
  return { element: [button, drop], stop };
}

/** A run over many fields in two words, while its dialog is closed. */
function runChip(model) {
  const ring = h("span", { class: "ow-run-ring", "aria-hidden": "true" });
  const text = h("span");
  const button = h("button", { type: "button", class: "ow-run-chip", onclick: () => model.send({ type: "run" }) }, ring, text);
  const stop = watch(model, ["run"], () => {
    const run = model.get("run");
    button.hidden = !run.kind;
    button.dataset.kind = run.kind ?? "";
    const endless = run.kind === "running" && typeof run.fraction !== "number";
    ring.classList.toggle("ow-spinner", endless);
    ring.style.setProperty("--ow-part", `${100 * (run.fraction ?? 0)}%`);
    text.textContent = run.text ?? "";
    button.title = run.title ?? "";
  });
  return { element: [button], stop };
}

export default {
  initialize({ model }) {
    return onMessages(model, {
      offer: (content) => (!content.client || content.client === CLIENT) && download(model, content),
    });
  },
  render({ model, el }) {
    const chip = h("span", { class: "ow-chip" });
    const summary = h("span", { class: "ow-summary ow-mute", role: "status" });
    const warnings = warningList(model);
    const menus = [runChip(model), exportMenu(model), themeMenu(model), helpDialog(model)];
    const off = watch(model, ["chip", "chip_title", "summary"], () => {
      chip.hidden = !model.get("chip");
      chip.textContent = model.get("chip");
      chip.title = model.get("chip_title");
      summary.textContent = model.get("summary");
      summary.title = model.get("summary");
    });
    el.append(
      h(
        "header",
        { class: "ow ow-header" },
        h("h1", {}, "Organelle Explorer"),
        chip,
        summary,
        ...warnings.element,
        h("span", { class: "ow-space" }),
        ...menus.flatMap((menu) => menu.element),
      ),
    );
    return () => {
      off();
      warnings.stop();
      for (const menu of menus) menu.stop();
    };
  },
};
