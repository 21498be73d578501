// One line at the bottom right, for 6 s; it waits under the pointer. A toast may outlive the page that caused it.
import { element, icon } from "./page.js";

const SHOWN = 6000; // ms
const KEPT = "portal-toast";

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
 * @param {{look?: "ok"|"bad", link?: {label: string, href: string}, stays?: boolean}} options
 */
export function toast(text, { look = "ok", link, stays = false } = {}) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const close = element("button", { type: "button", className: "btn btn-quiet btn-sm btn-icon", title: "Close" }, icon("x-lg"));
  close.setAttribute("aria-label", "Close");
  const line = element("div", { className: `toast-line s-${look}` });
  const glyph = icon(look === "ok" ? "check-lg" : "exclamation-triangle-fill");
  glyph.classList.add("glyph");
  line.append(glyph, element("span", {}, text));
  if (link) line.append(element("a", { href: link.href, className: "btn btn-default btn-sm" }, link.label));
  line.append(close);
  close.addEventListener("click", () => line.remove());
  place.append(line);
  if (!stays) leaveLater(line);
}

function leaveLater(line) {
  let timer = setTimeout(() => line.remove(), SHOWN);
  line.addEventListener("mouseenter", () => clearTimeout(timer));
  line.addEventListener("mouseleave", () => (timer = setTimeout(() => line.remove(), SHOWN / 2)));
}
