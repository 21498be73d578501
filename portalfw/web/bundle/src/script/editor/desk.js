// What the editor works on: the page, the revision that the text was made from, and what the server has of it.
import { call } from "../calls.js";

/**
 * @typedef {{space: string, page: string, address: string, template: string, base: string, saved: string, fresh: boolean}} Desk
 * `base`: revision that the text was made from; `saved`: the text as it was saved last; `fresh`: there is no such page yet
 */

/** @returns {Desk} what the page says of itself */
export function readDesk(sheet) {
  const { space, page, address, template } = sheet.dataset;
  return { space, page, address, template, base: "", saved: "", fresh: false };
}

/** Call a method of pages for the page of the desk. */
export function ask(desk, method, more = {}) {
  return call(`system/pages/${method}`, { space: desk.space, page: desk.page, ...more });
}

/** The same where the answer comes too late for anybody: the browser sends it while it leaves the page. */
export function tellLast(desk, method, more = {}) {
  const body = JSON.stringify({ space: desk.space, page: desk.page, ...more });
  const headers = { "Content-Type": "application/json" };
  fetch(`/restmachine/system/pages/${method}`, { method: "POST", headers, body, keepalive: true }).catch(() => {});
}

/** Read the text to begin with. @returns {Promise<{text?: string, failure?: {message: string}}>} */
export async function load(desk) {
  const { result, failure } = await ask(desk, "get");
  if (result) {
    Object.assign(desk, { page: result.page, base: result.revision, saved: result.text });
    return { text: result.text };
  }
  if (failure.error !== "not-found") return { failure };
  desk.fresh = true;
  return desk.template ? beginAs(desk) : { text: `# ${desk.page}\n\n` };
}

async function beginAs(desk) {
  const { result, failure } = await call("system/editor/template", { space: desk.space, name: desk.template });
  return { text: result, failure };
}

/** Put a text in place of another, changing only what differs, so that the cursor stays where it was. */
export function replaceText(view, text) {
  const before = view.state.doc.toString();
  if (before === text) return;
  let from = 0;
  while (from < before.length && from < text.length && before[from] === text[from]) from += 1;
  let end = 0;
  const most = Math.min(before.length, text.length) - from;
  while (end < most && before[before.length - 1 - end] === text[text.length - 1 - end]) end += 1;
  view.dispatch({ changes: { from, to: before.length - end, insert: text.slice(from, text.length - end) } });
}
