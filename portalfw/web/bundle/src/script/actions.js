// Buttons that call a REST method: at once, or after a dialog has asked. What fails is said where it was asked.
import { check, clearError, showError, showFailure, values } from "./form.js";
import { element } from "./page.js";
import { isLive } from "./live.js";
import { refresh } from "./refresh.js";
import { toast, toastAfterwards } from "./toasts.js";

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
  const action = { address: button.dataset.action, done: button.dataset.done, goto: button.dataset.goto };
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
  const { result, failure } = await call(action.address, values(form));
  settle();
  if (failure && !dialog.open) toast(failure.message, { look: "bad", stays: true });
  else if (failure) tell(form, failure);
  else finish(action, result, dialog);
}

function tell(form, failure) {
  if (showError(form, failure.detail?.argument, failure.message)) form.querySelector("[aria-invalid]").focus();
  else showFailure(form, failure.message, failure.id);
}

async function actAtOnce(button, dialog) {
  const settle = busy(button);
  const { result, failure } = await call(button.dataset.action, values(dialog.querySelector("form")));
  settle();
  if (!failure) return finish(button.dataset, result);
  show(dialog);
  return showFailure(dialog.querySelector("form"), failure.message, failure.id);
}

/**
 * Call a REST method with the user's own rights.
 * @returns {Promise<{result?: unknown, failure?: {message: string, detail?: {argument?: string}, id?: string}}>}
 */
async function call(address, body) {
  try {
    const response = await fetch(`/restmachine/${address}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    const answer = parse(text);
    if (response.ok) return { result: answer };
    if (response.status === 401) return { failure: { message: "Your session has ended. Sign in again in another tab, then try once more." } };
    return { failure: answer?.message ? answer : { message: `The portal answered ${response.status} ${response.statusText}.` } };
  } catch {
    return { failure: { message: "The portal does not answer. Check the connection, then try again." } };
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function finish(action, result, dialog) {
  dialog?.close();
  if (action.goto) {
    toastAfterwards(action.done);
    location.assign(fill(action.goto, result));
    return;
  }
  toast(action.done);
  if (!isLive()) refresh();
}

/** "machine?id={result}" or "machine?id={result.id}" with the method's answer. */
function fill(target, result) {
  return target.replace(/\{result(?:\.(\w+))?\}/g, (_, key) => encodeURIComponent(key ? (result?.[key] ?? "") : String(result)));
}

/** Show that a button works; @returns {() => void} what ends it */
function busy(button) {
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
