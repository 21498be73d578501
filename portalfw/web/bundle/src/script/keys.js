// Single keys: C for the page's primary create button, / for the filter, Escape to clear it. Off while a field has focus.
import { typing } from "./page.js";

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.matches("[data-filter]")) return leaveFilter(event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || typing() || document.querySelector("dialog[open]")) return undefined;
    const target = event.key === "/" ? visible("[data-filter]") : visible(`[data-shortcut="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!target) return undefined;
    event.preventDefault();
    return event.key === "/" ? target.focus() : target.click();
  });
}

function visible(selector) {
  return [...document.querySelectorAll(selector)].find((found) => found.checkVisibility() && !found.disabled);
}

function leaveFilter(field) {
  if (!field.value) return field.blur();
  field.value = "";
  return field.dispatchEvent(new Event("input", { bubbles: true }));
}
