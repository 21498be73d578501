/**
 * Call `prepare(root)` for the page now and for every part that is swapped in later.
 * @param {(root: ParentNode) => void} prepare
 */
export function onContent(prepare) {
  prepare(document);
  document.addEventListener("htmx:load", (event) => prepare(event.target.parentNode ?? event.target));
}

/** @returns {boolean} whether the keys that a user presses now are meant for a field */
export function typing() {
  const focused = document.activeElement;
  return Boolean(focused?.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]"));
}

/** Make an element: `element("i", { className: "bi bi-x" }, child, "text")`. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function icon(name) {
  const made = element("i", { className: `bi bi-${name}` });
  made.setAttribute("aria-hidden", "true");
  return made;
}
