// The dialog of a run over many fields: prepare and start it, watch and stop it, see what came of it and save it.

const UNDER_WAY = ["starting", "running"];
const STAGE_PANES = { counting: "plan", ready: "plan", starting: "course", running: "course", ended: "outcome" };

/** Show or hide, and tell whether it is shown. */
function showIf(element, wanted) {
  element.hidden = !wanted;
  return wanted;
}

/** What the run is done with. */
function choiceList(model) {
  const list = h("dl", { class: "ow-run-choices" });
  const element = h("section", { "aria-label": "Choices" }, h("h2", {}, "With these choices"), list);
  const stop = watch(model, ["choices"], () => {
    const choices = model.get("choices");
    element.hidden = !choices.length;
    list.replaceChildren(...choices.flatMap(({ label, value }) => [h("dt", {}, label), h("dd", {}, value)]));
  });
  return { element, stop };
}

/** What is to be done: the fields, the choices, the results folder. */
function planPane(model, start) {
  const spinner = h("span", { class: "ow-spinner" });
  const found = h("span", { role: "status" });
  const problems = h("details", { class: "ow-run-problems" });
  const choices = choiceList(model);
  const input = h("input", {
    type: "text",
    id: freshId("results"),
    spellcheck: "false",
    autocomplete: "off",
    maxlength: 500,
    onchange: () => model.send({ type: "results", name: input.value }),
    onkeydown: (event) => event.key === "Enter" && (event.preventDefault(), start()),
  });
  const note = h("p", { class: "ow-run-note", id: freshId("note") });
  input.setAttribute("aria-describedby", note.id);
  const stops = [
    watch(model, ["stage", "found"], () => {
      const counting = model.get("stage") === "counting";
      const { text = "", problems: told = [], n_problems = 0, more = 0 } = model.get("found");
      spinner.hidden = !counting;
      found.textContent = counting ? "Looking for fields" : text;
      const lines = told.map((line) => h("li", {}, line));
      if (more > 0) lines.push(h("li", {}, `and ${more.toLocaleString("en")} more`));
      if (!showIf(problems, !counting && n_problems > 0)) return;
      const title = `${n_problems.toLocaleString("en")} can’t be used`;
      problems.replaceChildren(h("summary", {}, icon("alert"), title, icon("chevron")), h("ul", { class: "ow-scroll" }, lines));
    }),
    watch(model, ["results", "stage"], () => {
      const { name = "", problem = "", note: word = "" } = model.get("results");
      if (document.activeElement !== input || model.get("stage") === "counting") input.value = name;
      input.setAttribute("aria-invalid", String(Boolean(problem)));
      note.classList.toggle("ow-run-wrong", Boolean(problem));
      note.textContent = problem || word;
    }),
  ];
  const element = h(
    "div",
    { class: "ow-run-pane" },
    h("div", { class: "ow-run-found" }, spinner, found, problems),
    choices.element,
    h("section", { "aria-label": "Results" }, h("h2", {}, h("label", { for: input.id }, "Results folder")), input, note),
  );
  return { element, input, stop: () => [choices.stop, ...stops].forEach((stop) => stop()) };
}

/** How far the run is. */
function coursePane(model) {
  const fill = h("i");
  const bar = h("div", { class: "ow-run-bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": "Fields done" }, fill);
  const percent = h("b");
  const counts = h("span");
  const rate = h("span", { class: "ow-mute" });
  const now = h("p", { class: "ow-run-now" });
  const choices = choiceList(model);
  const stop = watch(model, ["progress"], () => {
    const progress = model.get("progress");
    if (progress.now === undefined) return;
    const known = typeof progress.fraction === "number";
    const share = known ? 100 * progress.fraction : 0;
    bar.classList.toggle("ow-endless", !known);
    fill.style.width = known ? `${share}%` : "";
    if (known) bar.setAttribute("aria-valuenow", Math.round(share));
    else bar.removeAttribute("aria-valuenow");
    bar.setAttribute("aria-valuetext", progress.counts || progress.now);
    percent.textContent = known ? `${Math.floor(share)} %` : "";
    counts.textContent = progress.counts;
    rate.textContent = progress.rate;
    now.textContent = now.title = progress.now;
  });
  const words = h("div", { class: "ow-run-words" }, percent, h("div", {}, counts, rate));
  const note = h("p", { class: "ow-run-note" }, "The run goes on when this window or the page is closed. The Folder tab lists its results folder, where it can be watched again.");
  return { element: h("div", { class: "ow-run-pane" }, words, bar, now, note, choices.element), stop: () => (stop(), choices.stop()) };
}

/** Save the results in another format, and what was saved. */
function savingPart(model) {
  const choice = selectBox("Format", () => paint());
  const save = h("button", { type: "button", class: "ow-run-save", onclick: () => model.send({ type: "save", key: choice.select.value }) }, icon("download"), "Save");
  const cancel = h("button", { type: "button", class: "ow-run-save", title: "Stop writing; nothing is left behind", onclick: () => model.send({ type: "cancel-save" }) }, "Cancel");
  const hint = h("p", { class: "ow-run-note" });
  const fill = h("i");
  const bar = h("div", { class: "ow-run-bar ow-run-thin", role: "progressbar", "aria-label": "Saving", "aria-valuemin": 0, "aria-valuemax": 100 }, fill);
  const place = h("span", { class: "ow-run-place" });
  const download = h("button", { type: "button", title: "Save this file with the browser", onclick: () => model.send({ type: "download" }) }, icon("download"), "Download");
  const notes = h("ul", { class: "ow-run-notes ow-scroll" });
  const saved = h("div", { class: "ow-run-saved", role: "status" }, h("div", {}, icon("check"), place, download), notes);
  const paint = () => {
    const formats = model.get("stage") === "ended" ? model.get("formats") : [];
    const saving = model.get("saving");
    const busy = saving.key !== undefined;
    const key = busy ? saving.key : choice.select.value || formats[0]?.key;
    choice.update(formats.map((f) => ({ value: f.key, title: f.title })), key, "What the results are saved as");
    choice.select.disabled = busy;
    const held = document.activeElement === save || document.activeElement === cancel;
    save.hidden = busy;
    cancel.hidden = !busy;
    if (held) (busy ? cancel : save).focus();
    const share = Math.round(100 * (saving.fraction ?? 0));
    bar.style.visibility = busy ? "visible" : "hidden";
    fill.style.width = `${share}%`;
    bar.setAttribute("aria-valuenow", share);
    hint.textContent = busy ? saving.step || "Starting" : (formats.find((f) => f.key === key)?.detail ?? "");
    const made = model.get("saved");
    if (!showIf(saved, made.place !== undefined)) return;
    place.textContent = `${made.place} · ${bytesInWords(made.size)}`;
    place.title = made.place;
    download.hidden = !made.download;
    notes.replaceChildren(...[...made.notes, made.more].filter(Boolean).map((note) => h("li", {}, note)));
    notes.hidden = !notes.children.length;
  };
  const stop = watch(model, ["stage", "formats", "saving", "saved"], paint);
  const line = h("div", { class: "ow-run-format" }, choice.element, save, cancel);
  const element = h("section", { "aria-label": "Save the results" }, h("h2", {}, "Save as"), line, bar, hint, saved);
  return { element, stop };
}

const OUTCOME_ICONS = { done: "check", stopped: "pause", failed: "alert" };

/** What came of the run. */
function outcomePane(model) {
  const mark = h("span", { class: "ow-run-mark" });
  const title = h("b");
  const counts = h("span", { class: "ow-mute" });
  const head = h("div", { class: "ow-run-head", role: "status" }, mark, h("div", {}, title, counts));
  const message = h("span");
  const hint = h("small");
  const wrong = h("div", { class: "ow-error ow-run-error" }, message, hint);
  const note = h("p", { class: "ow-run-note" });
  const list = h("ul", { class: "ow-run-failures ow-scroll" });
  const failures = h("section", { "aria-label": "Fields that failed" }, h("h2", {}, "Could not be analysed"), list);
  const saving = savingPart(model);
  const stop = watch(model, ["outcome"], () => {
    const outcome = model.get("outcome");
    if (!outcome.kind) return;
    head.dataset.kind = outcome.kind;
    mark.replaceChildren(icon(OUTCOME_ICONS[outcome.kind]));
    title.textContent = outcome.title;
    counts.textContent = outcome.counts;
    message.textContent = outcome.message;
    hint.textContent = outcome.hint;
    wrong.hidden = !outcome.message;
    note.textContent = outcome.note;
    note.hidden = !outcome.note;
    failures.hidden = !outcome.n_failed;
    list.style.minHeight = `${Math.min(outcome.n_failed, 5) * 22}px`; // nothing jumps when they arrive
    const lines = outcome.failures.map((one) => h("li", { title: `${one.name}: ${one.message}` }, h("b", {}, one.name), " ", one.message));
    if (outcome.more) lines.push(h("li", { class: "ow-mute" }, outcome.more));
    list.replaceChildren(...lines);
    saving.element.hidden = !outcome.counts;
  });
  return { element: h("div", { class: "ow-run-pane" }, head, wrong, note, failures, saving.element), stop: () => (stop(), saving.stop()) };
}

/** The buttons below, which differ from stage to stage. */
function actions(model, close, input) {
  const button = (text, title, onclick, primary) => h("button", { type: "button", class: primary ? "ow-primary" : null, title, onclick }, text);
  const can = () => model.get("can_start");
  const start = button("Start", "", () => can() && model.send({ type: "start", name: input().value }), true);
  const stop = button("Stop run", "Stop at the next field; what is done stays, and the run can go on later", () => model.send({ type: "stop" }));
  const again = button("Continue", "Go on with the fields that are left; nothing is repeated", () => model.send({ type: "continue" }), true);
  const retry = button("Try failed fields again", "Analyse the fields again that could not be analysed; nothing else is repeated", () => model.send({ type: "retry" }));
  const leave = button("Close", "Close (Esc)", close);
  const off = watch(model, ["stage", "can_start", "results", "progress", "outcome", "saving"], () => {
    const stage = model.get("stage");
    const planning = stage === "counting" || stage === "ready";
    start.hidden = !planning;
    start.textContent = model.get("results").continues ? "Continue" : "Start";
    start.setAttribute("aria-disabled", String(!can()));
    start.title = can() ? "Analyse all these fields" : stage === "counting" ? "Fields are being counted" : model.get("results").problem || "There are no fields to analyse";
    stop.hidden = !UNDER_WAY.includes(stage);
    stop.disabled = Boolean(model.get("progress").stopping);
    again.hidden = stage !== "ended" || !model.get("outcome").continues;
    retry.hidden = stage !== "ended" || !model.get("outcome").retries;
    again.disabled = retry.disabled = model.get("saving").key !== undefined;
    leave.textContent = planning ? "Cancel" : "Close";
  });
  return { element: h("footer", { class: "ow-run-foot" }, stop, retry, leave, again, start), start, leave, stop: off };
}

export default {
  render({ model, el }) {
    const title = h("strong", { id: freshId("title") });
    const where = h("span", { class: "ow-mute ow-run-where" });
    const close = () => dialog.close();
    const start = () => foot.start.click();
    const panes = { plan: planPane(model, start), course: coursePane(model), outcome: outcomePane(model) };
    const foot = actions(model, close, () => panes.plan.input);
    const message = h("span");
    const hint = h("small");
    const error = h("div", { class: "ow-error ow-run-error", role: "alert" }, message, hint);
    const dialog = h(
      "dialog",
      { class: "ow ow-run-dialog", "aria-labelledby": title.id, onclose: () => model.get("opened") && model.send({ type: "close" }) },
      h("div", { class: "ow-run-top" }, h("div", {}, title, where), h("button", { type: "button", class: "ow-iconbutton ow-plain", title: "Close (Esc)", "aria-label": "Close", onclick: close }, icon("close"))),
      h("div", { class: "ow-run-body ow-scroll" }, ...Object.values(panes).map((pane) => pane.element), error),
      foot.element,
    );
    const stops = [
      watch(model, ["stage", "source", "results"], () => {
        const stage = model.get("stage");
        if (!stage) return; // it closes: what it showed stays until it is gone
        const source = model.get("source");
        const planning = STAGE_PANES[stage] === "plan";
        title.textContent = planning ? "Analyse a whole folder" : "Run over a folder";
        where.textContent = where.title = planning ? source : [source, model.get("results").name].filter(Boolean).join(" → ");
        const held = dialog.open && document.activeElement;
        for (const [name, pane] of Object.entries(panes)) pane.element.hidden = STAGE_PANES[stage] !== name;
        if (held && (!dialog.contains(held) || !held.checkVisibility())) foot.leave.focus();
      }),
      watch(model, ["error"], () => {
        message.textContent = model.get("error").message ?? "";
        hint.textContent = model.get("error").hint ?? "";
        error.hidden = !message.textContent;
      }),
      watch(model, ["opened"], () => {
        if (model.get("opened") && !dialog.open) {
          dialog.showModal();
          const planning = STAGE_PANES[model.get("stage")] === "plan";
          (planning ? foot.start : foot.leave).focus();
        } else if (!model.get("opened") && dialog.open) dialog.close();
      }),
    ];
    dialog.addEventListener("keydown", (event) => event.stopPropagation()); // no key of the page's
    el.append(dialog);
    if (model.get("opened")) requestAnimationFrame(() => dialog.isConnected && !dialog.open && model.get("opened") && dialog.showModal());
    return () => {
      for (const part of [...Object.values(panes), foot]) part.stop();
      stops.forEach((stop) => stop());
    };
  },
};
