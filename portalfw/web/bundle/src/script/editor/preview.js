// How the page will look, rendered by the server a moment after each change; what is wrong is marked in the text.
import { element, icon } from "../page.js";
import { toast } from "../toasts.js";
import { ask } from "./desk.js";

const PAUSE = 300; // ms without typing

/**
 * Keep `place` as `view` says.
 * @param {(mistakes: {line: number, message: string, part?: string}[]) => void} tell
 * @returns {{changed: () => void}}
 */
export function startPreview(desk, view, place, tell) {
  let timer = 0;
  let asked = 0;
  guard(place);

  async function render() {
    const mine = ++asked;
    const { result, failure } = await ask(desk, "preview", { text: view.state.doc.toString(), params: params() });
    if (mine !== asked) return; // the text has changed since
    place.querySelector(":scope > .preview-problem")?.remove();
    if (result) show(place, result);
    else place.prepend(problem(failure.message));
    const line = failure?.detail?.line; // what data or arguments lack is at no line
    tell(result ? failedMacros(place) : line ? [{ line, message: failure.message }] : []);
    place.classList.toggle("stale", !result);
    place.dispatchEvent(new CustomEvent("editor:rendered"));
  }

  render();
  return {
    changed() {
      clearTimeout(timer);
      timer = setTimeout(render, PAUSE);
    },
  };
}

/** Pages that need arguments are previewed with those of the editor's own address. */
function params() {
  const query = Object.fromEntries(new URLSearchParams(location.search));
  delete query.template;
  return query;
}

function show(place, { title, layout, html, sub, state, actions }) {
  const top = place.scrollTop;
  const article = element("article", { className: `page ${layout}`, innerHTML: html });
  const parts = [article];
  if (sub || state || actions || !article.querySelector("h1")) parts.unshift(head(title, sub, state, actions));
  place.replaceChildren(...parts);
  place.scrollTop = top;
  article.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true })); // times, menus and tables come to life
}

function problem(message) {
  return element("div", { className: "preview-problem note s-warn" }, icon("exclamation-triangle-fill"), element("div", {}, message));
}

function head(title, sub, state, actions) {
  const line = element("div", { className: "row-flex wrap" }, element("h1", {}, title));
  line.insertAdjacentHTML("beforeend", state);
  const made = element("header", { className: "page-head" }, element("div", { className: "grow" }, line));
  if (sub) made.firstChild.append(element("p", { className: "sub", innerHTML: sub }));
  if (actions) made.append(element("div", { className: "page-actions", innerHTML: actions }));
  return made;
}

/** What failed says so in its box; the line stands there, too. */
function failedMacros(place) {
  return [...place.querySelectorAll(".macro-error")].map((box) => {
    const message = box.querySelector(".top").textContent.trim();
    const line = Number(box.textContent.match(/line (\d+)/)?.[1] ?? 1);
    const part = message.match(/'([^']+)'/)?.[1];
    return { line, message, part };
  });
}

/** A preview is to be looked at: links open elsewhere, and what acts does not. */
function guard(place) {
  place.addEventListener("click", stop, true);
  place.addEventListener("submit", stop, true);
}

function stop(event) {
  const link = event.target.closest("a[href]");
  if (link) {
    event.preventDefault();
    if (link.hash && link.pathname === location.pathname) document.getElementById(decodeURIComponent(link.hash.slice(1)))?.scrollIntoView();
    else window.open(link.href, "_blank", "noopener");
  } else if (event.type === "submit" || event.target.closest("[data-action], [data-retry], [type=submit]")) {
    event.preventDefault();
    event.stopImmediatePropagation();
    toast("Buttons work once the page is saved and opened.", { look: "idle" });
  }
}
