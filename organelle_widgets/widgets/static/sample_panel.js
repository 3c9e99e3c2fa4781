// The left side: sample, segmentation, classification, and the button that starts the analysis.

const TABS = [
  ["samples", "Samples"],
  ["files", "Files"],
  ["folder", "Folder"],
];
const FIRST_SETTINGS = 2;
const ENTRY_ICONS = { folder: "folder", field: "image", run: "table" };
const isPicture = (url) => typeof url === "string" && url.startsWith("data:image/");

/** A small square picture, or what stands for it. */
function thumbnail(url, empty = icon("image")) {
  if (!isPicture(url)) return h("span", { class: "ow-thumb ow-thumb-empty" }, empty);
  return h("span", { class: "ow-thumb" }, h("img", { src: url, alt: "" }));
}

/** A line with a picture, a title and a detail that can be pressed. */
function pickLine({ title, detail, lead, current, tooltip }, onclick) {
  return h(
    "button",
    { type: "button", class: "ow-line", title: tooltip ?? title, "aria-current": current ? "true" : null, onclick },
    lead,
    h("span", { class: "ow-line-text" }, h("b", {}, title), h("small", {}, detail ?? "")),
    current ? icon("check") : null,
  );
}

const emptyNote = (text) => h("p", { class: "ow-empty" }, text);

function samplesTab(model) {
  const list = h("div", { class: "ow-lines" });
  const stop = watch(model, ["samples", "sample"], () => {
    const lines = model.get("samples").map((s) =>
      pickLine({ ...s, lead: thumbnail(s.thumb), current: s.key === model.get("sample") }, () =>
        model.send({ type: "sample", key: s.key }),
      ),
    );
    const focused = [...list.children].indexOf(document.activeElement);
    list.replaceChildren(...(lines.length ? lines : [emptyNote("No samples are installed. Give your own files instead.")]));
    list.children[focused]?.focus({ preventScroll: true });
  });
  return { element: list, stop };
}

function folderTab(model, say) {
  const up = h(
    "button",
    { type: "button", class: "ow-iconbutton ow-plain", title: "Up one folder", "aria-label": "Up one folder", onclick: () => model.send({ type: "up-folder" }) },
    icon("up"),
  );
  const path = h("span", { class: "ow-path" }, h("bdi"));
  const list = h("div", { class: "ow-lines" });
  const size = pixelSize(model, say);
  const bar = h("div", { class: "ow-path-bar" }, up, path, size.element);
  const offer = h("button", { type: "button", class: "ow-offer-run", onclick: () => offer.getAttribute("aria-disabled") !== "true" && model.send({ type: "offer-run" }) }, icon("grid"), "Analyse whole folder…");
  const foot = h("div", { class: "ow-folder-foot" }, offer);
  const line = (entry, base) => {
    const current = entry.kind === "field" && model.get("folder_field") === (base ? `${base}/${entry.name}` : entry.name);
    const lead = h("span", { class: "ow-kind" }, icon(ENTRY_ICONS[entry.kind]));
    return pickLine({ title: entry.name, detail: entry.detail, lead, current }, () => model.send({ type: `open-${entry.kind}`, name: entry.name }));
  };
  const stop = watch(model, ["folder_path", "folder_entries", "folder_field", "folder_available"], () => {
    const here = model.get("folder_path");
    bar.hidden = !model.get("folder_available");
    up.disabled = !here;
    path.firstChild.textContent = here || "Top folder";
    path.title = here || "Top folder";
    const entries = model.get("folder_entries");
    const lines = entries.map((entry) => line(entry, here));
    const nothing = !entries.some((entry) => entry.kind !== "run");
    foot.hidden = bar.hidden;
    offer.setAttribute("aria-disabled", String(nothing));
    offer.title = nothing ? "There is no field and no folder here to analyse" : "Analyse all fields of this folder and of the folders in it, also while this page is closed";
    const note = bar.hidden ? "This server shares no folder. Give your own files instead." : "No fields in this folder.";
    list.replaceChildren(...(lines.length && !bar.hidden ? lines : [emptyNote(note)]));
  });
  return { element: h("div", { class: "ow-folder" }, bar, list, foot), stop: () => (stop(), size.stop()) };
}

/** One row of the Files tab. */
function slotRow(spec, { browse, remove }) {
  const lead = h("span", { class: "ow-slot-lead" });
  const name = h("small", {}, h("bdi"));
  const fill = h("i");
  const bar = h("span", { class: "ow-bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": `${spec.title}: upload` }, fill);
  const input = h("input", { type: "file", class: "ow-file", tabindex: -1, "aria-hidden": "true", "data-slot": spec.slot, onchange: () => browse(input) });
  const pick = h(
    "button",
    { type: "button", class: "ow-line", onclick: () => input.click() },
    lead,
    h("span", { class: "ow-line-text" }, h("b", {}, spec.color ? h("span", { class: "ow-dot", style: { background: spec.color } }) : null, spec.title), name, bar),
  );
  const drop = h("button", { type: "button", class: "ow-iconbutton ow-plain", onclick: remove }, icon("close"));
  const element = h("div", { class: "ow-slot", "data-slot": spec.slot }, pick, drop, input);
  const update = (file, job) => {
    const failed = job?.error;
    element.classList.toggle("ow-failed", Boolean(failed));
    lead.replaceChildren(thumbnail(job ? "" : file?.thumb, icon(file || job ? "file" : "plus")));
    lead.firstChild.classList.toggle("ow-thumb-file", Boolean(file || job));
    const wanted = spec.slot === "all" ? "" : `name ends in _${spec.slot}`;
    name.firstChild.textContent = failed ? `Not taken: ${job.name}` : (job?.name ?? file?.name ?? wanted);
    name.classList.toggle("ow-end", Boolean(file || job) && !failed);
    name.title = failed ? `${failed.message} ${failed.hint ?? ""}` : name.textContent;
    const size = job?.size ?? file?.size;
    pick.title = file || job ? `${job?.name ?? file.name} · ${bytesInWords(size)}. Press to replace it.` : `Choose the ${spec.title} image, or drop it here`;
    bar.style.visibility = job && !failed ? "visible" : "hidden";
    const percent = job ? (100 * job.sent) / Math.max(job.size, 1) : 0;
    fill.style.width = `${percent}%`;
    bar.setAttribute("aria-valuenow", Math.round(percent));
    drop.style.visibility = file || job ? "visible" : "hidden";
    drop.title = failed ? "Dismiss" : job ? "Cancel the upload" : "Remove this file";
    drop.setAttribute("aria-label", `${spec.title}: ${drop.title.toLowerCase()}`);
  };
  return { element, update, input };
}

function filesTab(model, say) {
  const slots = model.get("slots");
  const keys = slots.map((s) => s.slot);
  const accept = model.get("suffixes").map((s) => s.replace(/^.*(?=\.)/, "")).join(",");
  const take = (files, dropped = null) => {
    const { jobs, problem } = assignFiles([...files], keys, dropped);
    for (const [slot, file] of jobs) uploads.add(slot, file);
    say(problem || otherChannel(jobs));
  };
  const otherChannel = ([[slot, file]] = [[]]) => {
    const named = file && slot !== "all" && channelOfName(file.name, keys);
    const title = (key) => slots.find((spec) => spec.slot === key).title;
    return named && named !== slot ? `“${file.name}” is named like ${title(named)}, and is taken as ${title(slot)}.` : "";
  };
  const takeFrom = (slot) => (input) => {
    take(input.files, slot);
    input.value = "";
  };
  const remove = (slot) => () => {
    if (uploads.slots.has(slot)) uploads.cancel(slot);
    else model.send({ type: "remove-file", slot });
  };
  const all = { slot: "all", title: "All channels" };
  const rows = new Map([...slots, all].map((spec) => [spec.slot, slotRow(spec, { browse: takeFrom(spec.slot), remove: remove(spec.slot) })]));
  const several = h("input", { type: "file", multiple: true, class: "ow-file ow-file-several", tabindex: -1, "aria-hidden": "true", onchange: () => takeFrom(null)(several) });
  for (const input of [several, ...[...rows.values()].map((row) => row.input)]) input.accept = accept;
  const choose = h(
    "button",
    { type: "button", class: "ow-choose", title: "Choose the four images at once (told apart by _blue, _red, _yellow, _green), or one file with all channels", onclick: () => several.click() },
    "Choose files…",
  );
  const size = pixelSize(model, say);
  const single = h("p", { class: "ow-empty" }, "One file with all channels. Remove it to give one file for each channel.");
  const paint = () => {
    const files = new Map(model.get("files").map((f) => [f.slot, f]));
    single.hidden = !files.has("all") && !uploads.slots.has("all");
    for (const [slot, row] of rows) {
      row.element.hidden = single.hidden === (slot === "all");
      row.update(files.get(slot), uploads.slots.get(slot));
    }
  };
  const failed = ({ slot, name, error }) => {
    const title = [...slots, all].find((spec) => spec.slot === slot).title;
    say(`${title}, “${name}”: ${error.message} ${error.hint ?? ""}`.trim());
  };
  const uploads = new Uploads(model, paint, failed);
  const off = watch(model, ["files"], paint);
  const element = h(
    "div",
    { class: "ow-files" },
    h("div", { class: "ow-slots" }, [...rows.values()].map((row) => row.element), single),
    h("div", { class: "ow-files-foot" }, choose, several, size.element),
  );
  return { element, take, drop: () => keys.concat("all").forEach((slot) => uploads.cancel(slot)), stop: () => (off(), uploads.stop(), size.stop()) };
}

/** The input for micrometres per pixel; empty takes them from the file. */
function pixelSize(model, say) {
  const input = h("input", {
    type: "text",
    inputmode: "decimal",
    placeholder: "from file",
    "aria-label": "Pixel size in micrometres per pixel; empty: from the file",
    onchange: () => {
      const text = input.value.trim().replace(",", ".");
      const value = text ? Number(text) : null;
      const wrong = value !== null && !(value >= 0.001 && value <= 100);
      input.setAttribute("aria-invalid", String(wrong));
      say(wrong ? `Expected a pixel size from 0.001 to 100 µm; found “${input.value}”.` : "");
      if (!wrong) model.send({ type: "pixel-size", value });
    },
  });
  const stop = watch(model, ["pixel_size_um"], () => {
    const value = model.get("pixel_size_um");
    input.value = value ?? "";
    input.setAttribute("aria-invalid", "false");
  });
  const element = h("label", { class: "ow-pixel", title: "Pixel size. Leave it empty to take it from the file; Human Protein Atlas fields have 0.08 µm/px" }, input, h("span", {}, "µm/px"));
  return { element, stop };
}

function tabs(model, panes) {
  const buttons = TABS.map(([key, title]) => {
    const choose = () => put(model, "tab", key);
    return h("button", { type: "button", role: "tab", id: freshId("tab"), class: "ow-tab", "data-tab": key, onclick: choose }, title);
  });
  const list = h("div", { class: "ow-tabs", role: "tablist", "aria-label": "Where the sample comes from" }, buttons);
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const now = TABS.findIndex(([key]) => key === model.get("tab"));
    const next = (now + step + TABS.length) % TABS.length;
    put(model, "tab", TABS[next][0]);
    buttons[next].focus();
  });
  const bodies = TABS.map(([key], index) => h("div", { class: "ow-pane ow-scroll", role: "tabpanel", "aria-labelledby": buttons[index].id, "data-pane": key }, panes[key].element));
  const stop = watch(model, ["tab"], () => {
    TABS.forEach(([key], index) => {
      const on = key === model.get("tab");
      buttons[index].setAttribute("aria-selected", String(on));
      buttons[index].tabIndex = on ? 0 : -1;
      bodies[index].hidden = !on;
    });
  });
  return { element: [list, ...bodies], stop };
}

/** A control for one setting: slider, choice, yes-no, number or text. */
function settingControl(model, entry) {
  const send = (value) => model.send({ type: "setting", name: entry.name, value });
  const unit = unitInWords(entry.unit);
  if (entry.kind === "yes-no") {
    const box = h("input", { type: "checkbox", onchange: () => send(box.checked) });
    const element = h("label", { class: "ow-check", title: entry.help || null }, box, entry.label);
    const update = (value) => (box.checked = Boolean(value));
    update(entry.value);
    return { element, update };
  }
  if (entry.kind === "choice") {
    const choice = selectBox(entry.label, send);
    const options = entry.choices.map((word) => ({ value: word, title: word }));
    const update = (value) => choice.update(options, value, entry.help);
    update(entry.value);
    return { element: h("div", { class: "ow-choice", title: entry.help || null }, h("span", {}, entry.label), choice.element), update };
  }
  const bounded = entry.minimum !== null && entry.maximum !== null;
  if (bounded) {
    const whole = entry.kind === "whole";
    const step = entry.step ?? (whole ? 1 : (entry.maximum - entry.minimum) / 100);
    return slider({ ...entry, unit: entry.unit, min: entry.minimum, max: entry.maximum, step, initial: entry.default, onvalue: send });
  }
  const input =
    entry.kind === "text"
      ? h("input", { type: "text", spellcheck: "false", maxlength: 500, onchange: () => send(input.value) })
      : h("input", { type: "number", min: entry.minimum, max: entry.maximum, step: entry.step ?? "any", onchange: () => input.value && send(input.valueAsNumber) });
  const update = (value) => (input.value = value);
  update(entry.value);
  return { element: h("label", { class: "ow-choice", title: entry.help || null }, h("span", {}, unit ? `${entry.label}, ${unit}` : entry.label), input), update };
}

function settingsList(model) {
  const list = h("div");
  const more = h("details", { class: "ow-more" });
  let drawn = "";
  let controls = new Map();
  const stop = watch(model, ["settings"], () => {
    const settings = model.get("settings");
    const shape = JSON.stringify(settings.map(({ value, ...spec }) => spec));
    if (shape === drawn) {
      for (const entry of settings) controls.get(entry.name).update(entry.value);
      return;
    }
    drawn = shape;
    controls = new Map(settings.map((entry) => [entry.name, settingControl(model, entry)]));
    const elements = [...controls.values()].map((control) => control.element);
    const rest = elements.slice(FIRST_SETTINGS);
    list.replaceChildren(...elements.slice(0, FIRST_SETTINGS));
    more.replaceChildren(h("summary", {}, icon("chevron"), `${rest.length} more setting${rest.length === 1 ? "" : "s"}`), ...rest);
    more.hidden = !rest.length;
  });
  return { element: [list, more], stop };
}

/** A select for one kind of backend; those that are not installed say how to get them. */
function backendChoice(model, what, label) {
  const choice = selectBox(label, (name) => model.send({ type: what, name }));
  const stop = watch(model, [`${what}s`, what], () => {
    const known = model.get(`${what}s`);
    const options = known.map((b) => ({ value: b.name, title: b.installed === false ? `${b.title} (not installed)` : b.title, disabled: b.installed === false }));
    choice.update(options, model.get(what), known.find((b) => b.name === model.get(what))?.hint || label);
    choice.select.disabled = !known.length;
  });
  const hints = h("p", { class: "ow-hint" });
  const offHints = watch(model, [`${what}s`], () => {
    const missing = model.get(`${what}s`).filter((b) => b.installed === false && b.hint);
    choice.element.title = missing.map((b) => `${b.title}: ${b.hint}`).join("\n");
  });
  return { element: [choice.element, hints], stop: () => (stop(), offHints()) };
}

const LEAVE_OUT = [
  { value: "nothing", title: "Border cells: keep all" },
  { value: "fragments", title: "Border cells: leave out fragments" },
  { value: "border", title: "Border cells: leave out all" },
];

/** Which cells at the field's edge are left out. */
function leaveOutChoice(model) {
  const choice = selectBox("Cells at the border of the field", (value) => model.send({ type: "leave-out", value }));
  const help = "Cells cut by the edge of the field. Fragments are those of which more than half is probably out of view: Human Protein Atlas annotators don’t judge them.";
  choice.element.classList.add("ow-leave-out");
  return { element: choice.element, stop: watch(model, ["leave_out"], () => choice.update(LEAVE_OUT, model.get("leave_out"), help)) };
}

/** A small sign that the result is following a change of settings; it stays away where that is quick. */
function followingSign(model) {
  const element = h("span", { class: "ow-following", role: "status" }, h("span", { class: "ow-spinner" }), "updating");
  return { element, stop: watch(model, ["adjusting"], () => (element.hidden = !model.get("adjusting"))) };
}

function thresholdSlider(model) {
  const control = slider({
    label: "Confidence threshold",
    min: 0,
    max: 1,
    step: 0.01,
    value: model.get("threshold"),
    initial: 0.5,
    help: "A class is named where its probability reaches this. Higher: fewer names, and more cells “not sure”. Works at once.",
    onvalue: (value) => model.send({ type: "threshold", value }),
  });
  return { element: control.element, stop: watch(model, ["threshold"], () => control.update(model.get("threshold"))) };
}

/** Analyse, its progress in the same place, and New sample, which is Cancel meanwhile. */
function runButtons(model, forget) {
  const hint = h("span", { class: "ow-hidden", id: freshId("hint") });
  const label = h("span");
  const note = h("small", { "aria-hidden": "true" });
  const start = h("button", { type: "button", class: "ow-primary ow-analyse", "aria-describedby": hint.id, onclick: () => model.get("can_analyse") && model.send({ type: "analyse" }) }, label, note);
  const fill = h("i");
  const words = h("span");
  const bar = h("div", { class: "ow-busy", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, fill, words);
  const reset = h("button", { type: "button", class: "ow-reset", title: "Put this sample and its result away", onclick: () => (forget(), model.send({ type: "reset" })) }, "New sample");
  const cancel = h("button", { type: "button", class: "ow-cancel", title: "Stop the analysis; the result before stays", onclick: () => (model.send({ type: "cancel" }), (cancel.disabled = true)) }, "Cancel");
  const element = h("div", { class: "ow-run" }, start, bar, reset, cancel, hint);
  const stop = watch(model, ["can_analyse", "analyse_hint", "outdated", "progress", "sample", "files", "folder_field"], () => {
    const { step, fraction } = model.get("progress");
    const busy = step !== undefined;
    const held = document.activeElement === start || document.activeElement === cancel;
    start.hidden = reset.hidden = busy;
    element.classList.toggle("ow-running", busy);
    bar.hidden = cancel.hidden = !busy;
    if (!busy) cancel.disabled = false;
    if (held && busy) cancel.focus();
    else if (held) start.focus();
    start.setAttribute("aria-disabled", String(!model.get("can_analyse")));
    const ready = model.get("can_analyse");
    const again = ready && model.get("outdated");
    label.textContent = again ? "Analyse again" : "Analyse";
    hint.textContent = note.textContent = again ? "settings changed" : ready ? "" : model.get("analyse_hint");
    start.title = again ? "The result was made with other settings: find and name the cells with these" : ready ? "Find the cells and name the organelles" : model.get("analyse_hint");
    reset.disabled = !model.get("sample") && !model.get("files").length && !model.get("folder_field");
    const known = typeof fraction === "number";
    const percent = Math.round(100 * clamp(known ? fraction : 0, 0, 1));
    bar.classList.toggle("ow-endless", !known);
    fill.style.width = known ? `${percent}%` : "";
    const told = known && !/\d of \d/.test(step ?? ""); // a step that counts by itself needs no share
    words.textContent = busy ? `${step}${told ? ` · ${percent} %` : ""}` : "";
    bar.title = busy ? `${step}${known ? ` · ${percent} %` : ""}` : "";
    bar.setAttribute("aria-label", step ?? "");
    if (known) bar.setAttribute("aria-valuenow", percent);
    else bar.removeAttribute("aria-valuenow");
  });
  return { element, stop };
}

/** Missing weights: what they are, under which terms, and the button that fetches them. */
function downloadOffer(model, downloads, otherwise) {
  const link = (url, text) => (/^https?:\/\//.test(url) ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text) : text);
  const terms = (one) => [one.licence || one.licence_url ? h("div", {}, "Licence: ", link(one.licence_url, one.licence || "see its page")) : null, one.source ? h("div", {}, `Made by ${one.source}`) : null];
  const about = (one) => (one.size_is_exact ? "" : "about ");
  const same = downloads.every((one) => one.licence === downloads[0].licence && one.source === downloads[0].source);
  const items = downloads.map((one) => h("li", {}, h("b", {}, one.title), one.size_bytes ? ` ${about(one)}${bytesInWords(one.size_bytes)}` : null, same ? null : terms(one)));
  const total = downloads.every((one) => one.size_bytes) ? downloads.reduce((sum, one) => sum + one.size_bytes, 0) : 0;
  const button = h(
    "button",
    { type: "button", class: "ow-primary ow-download", title: "Fetch it once; it is kept on this machine. Then the field is analysed", onclick: () => model.send({ type: "download" }) },
    icon("download"),
    total ? `Download (${bytesInWords(total)})` : "Download",
  );
  const byHand = otherwise ? h("details", { class: "ow-more" }, h("summary", {}, icon("chevron"), "Without a network"), h("p", {}, otherwise)) : null;
  return h("div", { class: "ow-offer" }, h("ul", {}, items), same ? h("div", { class: "ow-terms" }, terms(downloads[0])) : null, button, byHand);
}

/** What went wrong: from Python, or a word on files that did not fit. */
function notices(model) {
  const box = h("div", { class: "ow-notices", "aria-live": "polite" });
  let word = "";
  const notice = (kind, message, hint, dismiss, more = null) =>
    h(
      "div",
      { class: `${kind} ow-notice`, role: kind === "ow-error" ? "alert" : "status" },
      h("div", { class: "ow-notice-text ow-scroll" }, h("span", {}, message), hint ? h("small", {}, hint) : null, more),
      h("button", { type: "button", class: "ow-iconbutton ow-plain", title: "Dismiss", "aria-label": "Dismiss", onclick: dismiss }, icon("close")),
    );
  const paint = () => {
    const { message, hint, downloads = [], otherwise } = model.get("error");
    box.replaceChildren();
    if (word) box.append(notice("ow-warning", word, "", () => say("")));
    const dismiss = () => model.send({ type: "dismiss-error" });
    if (message && downloads.length) box.append(notice("ow-warning", message, hint, dismiss, downloadOffer(model, downloads, otherwise)));
    else if (message) box.append(notice("ow-error", message, hint, dismiss));
  };
  const say = (text) => {
    word = text;
    paint();
  };
  return { element: box, say, stop: watch(model, ["error"], paint) };
}

/** Files may be dropped anywhere on the page, or on one channel. Elsewhere a browser would leave the page for the file. */
function acceptDrops(panel, take) {
  const controller = new AbortController();
  const on = (name, f) => document.addEventListener(name, (event) => (panel.closest(".ow-page") ?? panel).contains(event.target) && f(event), { signal: controller.signal });
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const slotOf = (event) => event.target.closest?.(".ow-slot");
  const mark = (event) => {
    panel.classList.toggle("ow-dropping", Boolean(event));
    for (const row of panel.querySelectorAll(".ow-slot.ow-target")) row.classList.remove("ow-target");
    if (event) slotOf(event)?.classList.add("ow-target");
  };
  on("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(event);
  });
  on("dragleave", (event) => (panel.closest(".ow-page") ?? panel).contains(event.relatedTarget) || mark(null));
  on("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(null);
    take(event.dataTransfer.files, slotOf(event)?.dataset.slot ?? null);
  });
  return () => controller.abort();
}

const NARROW_PX = 1100;

/**
 * On a narrow page the panel is a rail; its button opens the panel over the views.
 * What counts is the page's own width, not the window's: in JupyterLab it shares the window with side bars.
 */
function foldAway(model, panel, el) {
  const open = h("button", { type: "button", class: "ow-rail-button", title: "Sample and settings", "aria-expanded": "false" }, icon("sliders"), h("span", {}, "Sample and settings"));
  const rail = h("div", { class: "ow ow-sample-rail" }, open);
  const stop = watch(model, ["progress"], () => {
    const busy = model.get("progress").step !== undefined;
    open.firstChild.replaceWith(busy ? h("span", { class: "ow-spinner" }) : icon("sliders"));
  });
  let narrow = false;
  panel.id = freshId("panel");
  const place = () => {
    const box = rail.getBoundingClientRect();
    const top = clamp(box.top, 8, innerHeight / 2);
    Object.assign(panel.style, { left: `${box.left}px`, top: `${top}px`, height: `${Math.max(320, Math.min(box.height, innerHeight - top - 8))}px` });
  };
  const fold = () => {
    rail.hidden = !narrow;
    if (narrow) {
      panel.setAttribute("popover", "auto");
      open.setAttribute("popovertarget", panel.id);
    } else {
      panel.removeAttribute("popover");
      Object.assign(panel.style, { left: "", top: "", height: "" });
    }
  };
  panel.addEventListener("beforetoggle", (event) => event.newState === "open" && place());
  panel.addEventListener("toggle", (event) => open.setAttribute("aria-expanded", String(event.newState === "open")));
  let page = null; // known once the panel stands in its page
  const sizes = new ResizeObserver(() => {
    if (!page) {
      page = el.closest(".ow-page");
      if (page) sizes.observe(page);
    }
    const now = (page?.clientWidth ?? innerWidth) < NARROW_PX;
    if (now === narrow) return;
    narrow = now;
    page?.classList.toggle("ow-narrow", narrow);
    fold();
  });
  sizes.observe(el);
  el.append(rail);
  fold();
  return () => (stop(), sizes.disconnect());
}

export default {
  render({ model, el }) {
    const note = notices(model);
    const files = filesTab(model, note.say);
    const panes = { samples: samplesTab(model), files, folder: folderTab(model, note.say) };
    const parts = {
      tabs: tabs(model, panes),
      segmenter: backendChoice(model, "segmenter", "How cells are found"),
      settings: settingsList(model),
      leaveOut: leaveOutChoice(model),
      following: followingSign(model),
      classifier: backendChoice(model, "classifier", "How organelles are named"),
      threshold: thresholdSlider(model),
      run: runButtons(model, () => (files.drop(), note.say(""))),
    };
    const section = (title, ...content) => h("section", { "aria-label": title }, h("h2", {}, title), ...content.flat());
    const segmentation = section("Segmentation", parts.segmenter.element, parts.settings.element, parts.leaveOut.element);
    segmentation.firstChild.append(parts.following.element);
    const panel = h(
      "aside",
      { class: "ow ow-panel ow-sample-panel", "aria-label": "Sample and settings" },
      h(
        "div",
        { class: "ow-body ow-scroll" },
        section("Sample", parts.tabs.element),
        segmentation,
        section("Classification", parts.classifier.element, parts.threshold.element),
      ),
      h("footer", { class: "ow-foot" }, note.element, parts.run.element),
    );
    const refuseDrops = acceptDrops(panel, (dropped, slot) => {
      put(model, "tab", "files");
      files.take(dropped, slot);
    });
    const unfold = foldAway(model, panel, el);
    el.append(panel);
    return () => {
      unfold();
      refuseDrops();
      for (const part of [note, ...Object.values(panes), ...Object.values(parts)]) part.stop();
    };
  },
};
