// "Edit macro": the call in which the cursor stands, as a form filled from it; what is changed there is written back.
import { element } from "../page.js";
import { argumentsOf } from "./call-arguments.js";
import { changesOf } from "./call-changes.js";
import { readCall } from "./call-words.js";
import { callsIn } from "./language.js";
import { complete, formOf, valuesOf } from "./macro-form.js";

/**
 * Offer the form where the cursor stands in a call.
 * @param {object[]} macros all that there are
 * @param {HTMLElement} pane that of the macro browser, whose place the form takes
 * @param {(pane: "source" | "macros") => void} turn brings a pane to sight where not all are
 * @returns {{edit: () => boolean, moved: () => void}}
 */
export function startMacroEditing(view, macros, pane, turn) {
  const buttons = document.querySelectorAll("[data-edit-macro]");
  for (const button of buttons) button.addEventListener("click", edit);

  function moved() {
    const here = callAt(view, macros);
    for (const button of buttons) {
      button.hidden = !here;
      button.title = here ? `Edit this call of ${here.macro.name} in a form (Ctrl Shift M)` : "";
    }
  }

  function edit() {
    const here = callAt(view, macros);
    if (!here) return false;
    pane.querySelector(".macro-call")?.remove();
    const form = callForm(here.macro, argumentsOf(here.macro, here.call, here.text), close);
    const before = valuesOf(form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (complete(form)) write(form, here.macro, before);
    });
    pane.append(form);
    turn("macros");
    form.querySelector("[name]").focus();
    return true;
  }

  /** The text may have changed since the form was opened: the call is read anew where the cursor stands. */
  function write(form, macro, before) {
    const here = callAt(view, macros);
    if (here?.macro !== macro) return refuse(form, `The cursor stands in no call of ${macro.name} any more.`);
    const wanted = new Map([...valuesOf(form)].filter(([name, value]) => value !== before.get(name)));
    const { changes, problem } = changesOf(macro, here.call, here.text, wanted);
    if (problem) return refuse(form, problem);
    view.dispatch({ changes, userEvent: "input.macro", scrollIntoView: true });
    return close(form);
  }

  function close(form) {
    form.remove();
    turn("source");
    view.focus();
  }

  moved();
  return { edit, moved };
}

function callForm(macro, given, close) {
  const cancel = element("button", { className: "btn btn-quiet", type: "button" }, "Cancel");
  const submit = element("button", { className: "btn btn-primary", type: "submit" }, "Change macro");
  const problem = element("p", { className: "field-error", hidden: true });
  problem.setAttribute("role", "alert");
  const form = element("form", { className: "macro-doc macro-call", noValidate: true, autocomplete: "off" });
  form.setAttribute("aria-label", `Call of ${macro.name}`);
  form.append(...formOf(macro, [problem, element("div", { className: "macro-acts" }, cancel, submit)], given));
  cancel.addEventListener("click", () => close(form));
  form.addEventListener("keydown", (event) => event.key === "Escape" && close(form));
  return form;
}

function refuse(form, why) {
  const problem = form.querySelector(".field-error");
  problem.textContent = why;
  problem.hidden = false;
}

/** @returns the macro and the call in which the cursor stands; null if there is none that a form could change */
function callAt(view, macros) {
  const at = view.state.selection.main.head;
  const found = callsIn(view.state).find(({ from, to }) => from <= at && at <= to);
  const macro = found && macros.find(({ name }) => name === found.name);
  if (!macro?.arguments.length) return null;
  const text = view.state.doc.toString();
  const call = readCall(text, found.from);
  return call && { macro, call, text };
}
