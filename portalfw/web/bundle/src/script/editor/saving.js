// Saving: each save is a commit. What others saved meanwhile is merged in; where both changed the same lines, one chooses.
import { busy } from "../actions.js";
import { toast } from "../toasts.js";
import { ask, replaceText } from "./desk.js";

/**
 * @param {(failure: {message: string, detail?: object}) => void} refused
 * @param {() => void} settled called when the server has the text
 * @returns {{save: () => Promise<boolean>}}
 */
export function startSaving(desk, view, form, refused, settled) {
  const button = form.querySelector("[type=submit]");
  let running = false;

  async function save() {
    if (running) return false;
    running = true;
    const free = busy(button);
    const done = await send(form.elements.message.value.trim());
    free();
    running = false;
    return done;
  }

  async function send(message) {
    const text = view.state.doc.toString();
    const { result, failure } = await (desk.fresh ? ask(desk, "create", { text, message }) : ask(desk, "save", { text, message, base: desk.base }));
    if (!failure) return accepted(text, result);
    if (failure.error === "conflict" && failure.detail?.mine !== undefined) return conflict(failure.detail);
    refused(failure);
    return false;
  }

  function accepted(sent, { page, text, revision, changed, merged }) {
    const typed = view.state.doc.toString() !== sent; // while the server worked
    Object.assign(desk, { page, base: revision, saved: text, fresh: false });
    if (!typed) replaceText(view, text);
    form.reset();
    settled();
    toast(merged ? "Saved, with what others changed meanwhile" : changed ? "Page saved" : "Nothing had changed");
    return true;
  }

  async function conflict(detail) {
    const { resolve } = await import("./merge.js");
    const chosen = await resolve(desk, detail);
    if (chosen === null) return false;
    replaceText(view, chosen);
    if (detail.revision === null) desk.fresh = true;
    else desk.base = detail.revision;
    return send(form.elements.message.value.trim());
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
  return { save };
}
