// On narrow screens one pane at a time; the preview may be looked at as narrow as on a phone.

export function startTabs(editor) {
  for (const tab of document.querySelectorAll("[data-tab]")) tab.addEventListener("click", () => choose(editor, tab.dataset.tab));
  for (const button of document.querySelectorAll("[data-width]")) button.addEventListener("click", () => widen(button.dataset.width));
}

/** @param {"source"|"look"|"macros"} name */
export function choose(editor, name) {
  editor.dataset.shown = name;
  for (const tab of document.querySelectorAll("[data-tab]")) tab.setAttribute("aria-selected", String(tab.dataset.tab === name));
}

function widen(width) {
  document.getElementById("preview").classList.toggle("phone", width === "phone");
  for (const button of document.querySelectorAll("[data-width]")) button.setAttribute("aria-pressed", String(button.dataset.width === width));
}
