// On narrow screens one pane at a time; the preview may be looked at as narrow as on a phone.

export function startTabs(editor) {
  for (const tab of document.querySelectorAll("[data-tab]")) tab.addEventListener("click", () => choose(editor, tab.dataset.tab));
  for (const button of document.querySelectorAll("[data-width]")) button.addEventListener("click", () => widen(button.dataset.width));
}

/** The narrow sidebar says its words when the pointer rests on an icon. */
export function nameIcons() {
  for (const link of document.querySelectorAll(".rail .side-link")) link.title = link.textContent.trim();
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
