// How the palette shows a thing to choose: icon, words with the matches marked, state and note.
import { element, icon } from "./page.js";

/** States that found objects have, as macros/templates/state.html shows them: word, icon, look. */
const STATES = {
  RUNNING: ["Running", "play-fill", "s-ok"],
  HALTED: ["Halted", "stop-fill", "s-idle"],
  PAUSED: ["Paused", "pause-fill", "s-warn"],
  ERROR: ["Error", "exclamation-octagon-fill", "s-bad"],
  DEPLOYED: ["Deployed", "check-circle-fill", "s-ok"],
  VIRTUAL: ["Not deployed", "circle", "s-idle"],
  CREATED: ["Ready", "check-circle-fill", "s-ok"],
  CONFIRMED: ["Active", "check-circle-fill", "s-ok"],
  ENABLED: ["Enabled", "check-circle-fill", "s-ok"],
  DISABLED: ["Disabled", "slash-circle", "s-idle"],
  PENDING: ["Waiting for approval", "hourglass-split", "s-warn"],
  MAINTENANCE: ["Maintenance", "wrench", "s-idle"],
  DECOMMISSIONED: ["Decommissioned", "archive", "s-idle"],
  QUEUED: ["Queued", "clock", "s-idle"],
  OK: ["Ok", "check-circle-fill", "s-ok"],
  TIMEOUT: ["Timed out", "x-circle-fill", "s-bad"],
  LOST: ["Lost", "x-circle-fill", "s-bad"],
  CANCELLED: ["Cancelled", "slash-circle", "s-idle"],
  EXPIRED: ["Expired", "clock-history", "s-idle"],
};

/**
 * @param {{parts: string[], below?: string[], icon: string, href?: string, state?: string, note?: string, keys?: string}} item
 * @param {number} number its place in the list
 */
export function itemOf(item, number) {
  const made = element(item.href ? "a" : "div", { className: "palette-item", id: `palette-item-${number}`, tabIndex: -1 });
  if (item.href) made.href = item.href;
  made.setAttribute("role", "option");
  const words = element("span", { className: "words" }, element("span", { className: "clip" }, ...marked(item.parts)));
  if (item.below?.length) words.append(element("span", { className: "below clip" }, ...marked(item.below)));
  const end = element("span", { className: "end" });
  if (item.state) end.append(stateOf(item.state));
  if (item.note) end.append(element("span", {}, item.note));
  if (item.keys) end.append(element("kbd", {}, item.keys));
  made.append(icon(item.icon), words, end);
  return made;
}

export function titleOf(text, id) {
  const made = element("div", { className: "palette-title", id }, text);
  made.setAttribute("role", "presentation");
  return made;
}

export function messageOf(text) {
  const made = element("div", { className: "palette-message" }, text);
  made.setAttribute("role", "option");
  made.setAttribute("aria-disabled", "true");
  made.setAttribute("aria-selected", "false");
  made.hidden = !text;
  return made;
}

/** Cut a text where words of it begin with one of `sought`: every second part does. */
export function pieces(text, sought) {
  if (!sought.length) return [text];
  const pattern = sought.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  return text.split(new RegExp(`((?<![^\\s:])(?:${pattern}))`, "i"));
}

/** Every second part of the text is a match. */
function marked(parts) {
  return parts.map((part, number) => (number % 2 ? element("mark", {}, part) : part));
}

function stateOf(value) {
  const raw = value.toUpperCase();
  const words = raw.charAt(0) + raw.slice(1).toLowerCase().replaceAll("_", " ");
  const [word, glyph, look] = STATES[raw] ?? (raw.endsWith("ING") ? [words, "", "s-busy"] : [words, "question-circle", "s-idle"]);
  const ring = element("span", { className: "ring" });
  return element("span", { className: `state ${look}` }, glyph ? icon(glyph) : ring, word);
}
