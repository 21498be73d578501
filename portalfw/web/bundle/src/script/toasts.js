// One line at the bottom right, for 6 s; it waits under the pointer. A toast may outlive the page that caused it.
import { element, icon } from "./page.js";

const SHOWN = 6000; // ms
const KEPT = "portal-toast";
const GLYPHS = { ok: "check-lg", bad: "exclamation-triangle-fill", idle: "slash-circle" };

export function startToasts() {
  const kept = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  if (kept) toast(kept);
}

/** Show `text` on the next page. */
export function toastAfterwards(text) {
  sessionStorage.setItem(KEPT, text);
}

/**
 * @param {string} text
 * @param {{look?: "ok"|"bad"|"idle", link?: {label: string, href: string}, stays?: boolean}} options
 */
export function toast(text, { look = "ok", link, stays = false } = {}) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const line = makeLine(look, icon(GLYPHS[look]), element("span", {}, text));
  if (link) line.lastChild.before(element("a", { href: link.href, className: "btn btn-default btn-sm" }, link.label));
  place.append(line);
  if (!stays) leaveLater(line);
}

/**
 * A line for what goes on in the background, which stays until it is removed; closing it only takes it out of sight.
 * @returns {{say: (text: string) => void, remove: () => void}}
 */
export function runningToast(label, ...buttons) {
  const now = element("small", { className: "clip" });
  const line = makeLine("busy", element("span", { className: "ring" }), element("span", { className: "what" }, element("b", {}, label), now), ...buttons);
  document.getElementById("toasts")?.append(line);
  return { say: (text) => (now.textContent = text), remove: () => line.remove() };
}

function makeLine(look, glyph, ...parts) {
  const close = element("button", { type: "button", className: "btn btn-quiet btn-sm btn-icon", title: "Close" }, icon("x-lg"));
  close.setAttribute("aria-label", "Close");
  const line = element("div", { className: `toast-line s-${look}` });
  glyph.classList.add("glyph");
  line.append(glyph, ...parts, close);
  close.addEventListener("click", () => line.remove());
  return line;
}

function leaveLater(line) {
  let timer = setTimeout(() => line.remove(), SHOWN);
  line.addEventListener("mouseenter", () => clearTimeout(timer));
  line.addEventListener("mouseleave", () => (timer = setTimeout(() => line.remove(), SHOWN / 2)));
}
