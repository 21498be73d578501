// Single keys: C for the page's primary create button, / for the filter or else the palette, Escape to clear the filter.
// Off while a field has focus.
import { typing } from "./page.js";
import { openPalette } from "./palette.js";

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.matches("[data-filter]")) return leaveFilter(event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || typing() || document.querySelector("dialog[open]")) return undefined;
    const target = event.key === "/" ? visible("[data-filter]") : visible(`[data-shortcut="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!target) return event.key === "/" && openPalette() ? event.preventDefault() : undefined;
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
