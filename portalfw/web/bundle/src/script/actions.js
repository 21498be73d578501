// Buttons that call a REST method: at once, or after a dialog has asked. What fails is said where it was asked.
import { fill, forget, inBackground, remember, tell as tellLater } from "./background.js";
import { begin } from "./calls.js";
import { check, clearError, showError, showFailure, values } from "./form.js";
import { element } from "./page.js";
import { isLive } from "./live.js";
import { attend } from "./progress.js";
import { refresh } from "./refresh.js";
import { endedSoon } from "./tasks.js";
import { toast, toastAfterwards } from "./toasts.js";
export { call, post } from "./calls.js";

export function startActions() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-action]");
    if (!button || button.disabled || button.hasAttribute("aria-busy")) return;
    button.closest("[popover]")?.hidePopover();
    const dialog = makeDialog(button);
    if (button.hasAttribute("data-asks")) show(dialog);
    else actAtOnce(button, dialog);
  });
}

/** The dialog is a copy at the end of the page, so that refreshing the macro of the button does not close it. */
function makeDialog(button) {
  const dialog = button.querySelector("template").content.firstElementChild.cloneNode(true);
  const action = actionOf(button, dialog);
  const form = dialog.querySelector("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(dialog, form, action);
  });
  form.addEventListener("input", (event) => edited(form, event.target));
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  return dialog;
}

function actionOf(button, dialog) {
  const { action, done, goto, show: shows } = button.dataset;
  return { address: action, done, goto, shows: shows !== undefined, label: dialog.getAttribute("aria-label") };
}

function show(dialog) {
  document.body.append(dialog);
  dialog.showModal();
  const fields = dialog.querySelectorAll(".field :is(input, select, textarea)");
  ([...fields].find((field) => !field.value) ?? fields[0] ?? dialog.querySelector("[data-close]")).focus();
}

function edited(form, field) {
  clearError(field);
  const wanted = form.querySelector("[data-confirm-name]");
  if (wanted) form.querySelector("[type=submit]").disabled = wanted.value !== wanted.dataset.confirmName;
}

async function submit(dialog, form, action) {
  const button = form.querySelector("[type=submit]");
  if (button.hasAttribute("aria-busy") || !check(form)) return;
  const settle = busy(button);
  const ended = await carryOut(action, values(form), (task) => (dialog.open ? attend(dialog, task) : null));
  settle();
  if (!ended) return;
  const { result, failure } = ended;
  if (failure && (failure.killed || !dialog.open)) {
    dialog.close();
    tellLater(action, ended);
  } else if (failure) tell(form, failure);
  else finish(action, result, dialog);
}

/**
 * Call the method, and let `watch` show one that takes a while; who looks away from it finds it again as a toast.
 * @returns {Promise<import("./calls.js").Ended | null>} null if it goes on in the background
 */
async function carryOut(action, body, watch) {
  const begun = await begin(action.address, body);
  if (!begun.task) return begun;
  remember(begun.task, action);
  const ended = (await endedSoon(begun.task)) ?? (await watch(begun.task));
  if (ended) forget(begun.task);
  else inBackground(begun.task, action);
  return ended;
}

function tell(form, failure) {
  if (showError(form, failure.detail?.argument, failure.message)) form.querySelector("[aria-invalid]").focus();
  else showFailure(form, failure.message, failure.id);
}

async function actAtOnce(button, dialog) {
  const settle = busy(button);
  const action = actionOf(button, dialog);
  const ended = await carryOut(action, values(dialog.querySelector("form")), () => null);
  settle();
  if (!ended) return;
  if (!ended.failure) finish(action, ended.result, dialog);
  else if (ended.failure.killed) tellLater(action, ended);
  else {
    show(dialog);
    showFailure(dialog.querySelector("form"), ended.failure.message, ended.failure.id);
  }
}

function finish(action, result, dialog) {
  if (action.shows) {
    showResult(dialog, result);
    return;
  }
  dialog.close();
  if (action.goto) {
    toastAfterwards(action.done);
    location.assign(fill(action.goto, result));
    return;
  }
  toast(action.done);
  if (!isLive()) refresh();
}

/** What the method answered, in the dialog that called it: it may be a secret, so it stands nowhere else. */
function showResult(dialog, result) {
  if (!dialog.open) show(dialog);
  const text = typeof result === "string" ? result : JSON.stringify(result, null, 2);
  const answer = element("pre", { className: "answer", textContent: text, tabIndex: 0 });
  const copy = element("button", { type: "button", className: "btn btn-primary", textContent: "Copy" });
  copy.dataset.copy = text;
  const close = dialog.querySelector("[data-close]");
  close.textContent = "Close";
  dialog.querySelector(".dialog-body").replaceChildren(element("p", { className: "fs-sm mute", textContent: "It answered" }), answer);
  dialog.querySelector("[type=submit]").replaceWith(copy);
  close.focus();
}

/** Show that a button works; @returns {() => void} what ends it */
export function busy(button) {
  const glyph = button.querySelector(".bi");
  const ring = element("span", { className: "ring" });
  button.setAttribute("aria-busy", "true");
  if (glyph) glyph.replaceWith(ring);
  else button.prepend(ring);
  return () => {
    button.removeAttribute("aria-busy");
    if (glyph) ring.replaceWith(glyph);
    else ring.remove();
  };
}
