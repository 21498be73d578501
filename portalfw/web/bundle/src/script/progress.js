// What is shown of a call that takes a while: its steps in the dialog, and a toast once it goes on in the background.
import { element, icon } from "./page.js";
import { cancel, follow } from "./tasks.js";

const LINES = 3; // lines of a job beneath the step under way

/**
 * Turn a dialog from its form to the steps of a call, until that has ended or the dialog is closed.
 * @returns {Promise<import("./calls.js").Ended | null>} null if it was closed: the call goes on
 */
export function attend(dialog, guid) {
  const form = dialog.querySelector("form");
  const panel = makePanel(guid, () => dialog.close());
  form.classList.add("is-running");
  form.append(...panel.parts);
  panel.leave.focus();
  return new Promise((resolve) => {
    const settle = (end) => {
      stop();
      dialog.removeEventListener("close", closed);
      for (const part of panel.parts) part.remove();
      form.classList.remove("is-running");
      resolve(end);
    };
    const closed = () => settle(null);
    dialog.addEventListener("close", closed);
    const stop = follow(guid, (task) => (task.ended ? settle(task.ended) : panel.show(task)));
  });
}

function makePanel(guid, leaveIt) {
  const list = element("ol", { className: "steps", role: "log" });
  const bar = element("progress", { max: 100, hidden: true, className: "thin" });
  const body = element("div", { className: "dialog-body running-body" }, bar, list);
  const leave = element("button", { type: "button", className: "btn btn-default" }, "Continue in background");
  leave.addEventListener("click", leaveIt);
  const stop = cancelButton(guid, "btn btn-quiet");
  const foot = element("div", { className: "dialog-foot running-foot" }, stop, leave);
  list.append(...rows([{ number: 0, level: "step", text: "Working", done: null, total: null }]));
  return {
    parts: [body, foot],
    leave,
    show(task) {
      showPercent(bar, task.percent);
      if (task.steps.length) list.replaceChildren(...rows(task.steps));
      list.scrollTop = list.scrollHeight;
      if (task.killed_by) cancelling(stop);
    },
  };
}

export function showPercent(bar, percent) {
  bar.hidden = percent === null || percent === undefined;
  if (!bar.hidden) bar.value = percent;
}

/** A button that ends the call early. */
export function cancelButton(guid, className) {
  const button = element("button", { type: "button", className }, "Cancel");
  button.addEventListener("click", async () => {
    cancelling(button);
    const { failure } = await cancel(guid);
    if (!failure) return;
    button.disabled = false;
    button.textContent = "Cancel";
    button.title = failure.message;
  });
  return button;
}

function cancelling(button) {
  button.disabled = true;
  button.textContent = "Cancelling";
}

/** The named steps; beneath the last one what its job said last. */
function rows(all) {
  const steps = all.filter((step) => step.level === "step");
  const last = steps.at(-1);
  const lines = all.filter((step) => step.level !== "step" && step.number > (last?.number ?? -1)).slice(-LINES);
  const made = steps.map((step) => row(step, step === last));
  if (lines.length) (made.at(-1) ?? made[made.push(element("li")) - 1]).append(element("div", { className: "lines" }, ...lines.map(line)));
  return made;
}

function row(step, current) {
  const glyph = current ? element("span", { className: "ring" }) : icon("check-lg");
  const amount = step.total ? `${step.done} of ${step.total}` : (step.done ?? "");
  const shown = step.total === 100 || amount === "" ? [] : [element("span", { className: "when" }, String(amount))];
  return element("li", { className: current ? "current" : "" }, glyph, element("span", { className: "text" }, step.text), ...shown);
}

function line(step) {
  const look = { warning: "warn", error: "bad" }[step.level];
  const text = step.level === "percent" ? `${step.text} ${Math.round(step.done)} %`.trim() : step.text;
  return element("div", { className: look ? `s-${look} tint` : "" }, text);
}

/** @returns {string} what a call is at, in a few words */
export function summary(task) {
  const step = task.steps.filter((one) => one.level === "step").at(-1);
  const percent = task.percent === null || task.percent === undefined ? "" : ` ${Math.round(task.percent)}\u00a0%`;
  return step ? `${step.text}${percent}` : "";
}
