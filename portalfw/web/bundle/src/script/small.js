// Things that are a line each.
import { onContent } from "./page.js";

/** What a click on an element with this attribute does. */
const CLICKS = {
  "[data-reload]": () => location.reload(),
  "[data-reveal]": (button) => reveal(button),
  "[data-source]": (button) => showSource(button),
};

export function startSmallThings() {
  document.addEventListener("click", (event) => {
    for (const [selector, act] of Object.entries(CLICKS)) {
      const found = event.target.closest(selector);
      if (found) act(found);
    }
  });
  onContent(reachable);
}

/** Code that is wider than the page can be scrolled by the keyboard, too. */
function reachable(root) {
  for (const code of root.querySelectorAll(".page pre")) {
    if (code.scrollWidth > code.clientWidth) code.tabIndex = 0;
  }
}

function reveal(button) {
  const field = button.parentElement.querySelector("input");
  const hidden = field.type === "password";
  field.type = hidden ? "text" : "password";
  button.querySelector(".bi").className = hidden ? "bi bi-eye-slash" : "bi bi-eye";
  button.title = hidden ? "Hide password" : "Show password";
  button.setAttribute("aria-label", button.title);
}

function showSource(button) {
  const source = button.closest(".macro-error").querySelector(".macro-source");
  source.hidden = !source.hidden;
  button.textContent = source.hidden ? "Show source" : "Hide source";
  button.setAttribute("aria-expanded", String(!source.hidden));
}
