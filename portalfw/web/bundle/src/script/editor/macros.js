// The macro browser: a list to search, what each is for, and a form that writes the call.
import { element, icon } from "../page.js";
import { callOf } from "./macro-call.js";
import { startMacroEditing } from "./macro-editing.js";
import { complete, formOf, valuesOf } from "./macro-form.js";
import { ownLines } from "./toolbar.js";

/**
 * @param {ReturnType<typeof import("./knowledge.js").startKnowledge>} known
 * @param {(pane: "source" | "macros") => void} turn brings a pane to sight where not all are
 * @returns what opens the form for the call in which the cursor stands, and wants to know when the cursor has moved
 */
export async function startMacros(view, known, place, turn) {
  const field = element("input", { className: "form-control", type: "search", placeholder: "Search macros" });
  field.setAttribute("aria-label", "Search macros");
  const list = element("div", { className: "macro-list", role: "listbox" });
  list.setAttribute("aria-label", "Macros");
  const about = element("form", { className: "macro-doc", noValidate: true, autocomplete: "off" });
  place.append(head(), element("div", { className: "macro-search" }, element("div", { className: "field-icon" }, icon("search"), field)), list, about);

  const macros = await known.macros();
  let chosen = null;

  function search() {
    const wanted = field.value.trim().toLowerCase();
    const found = macros.filter((one) => !wanted || one.name.includes(wanted) || one.summary.toLowerCase().includes(wanted));
    const first = found.sort((one, other) => rank(one, wanted) - rank(other, wanted) || (one.name < other.name ? -1 : 1));
    list.replaceChildren(...first.map((one) => item(one, wanted, () => choose(one))));
    if (!found.length) list.append(element("p", { className: "empty" }, `No macro matches “${field.value}”.`));
    if (wanted && found.length) choose(first[0]);
    else if (!wanted) choose(null);
  }

  function choose(macro) {
    chosen = macro;
    for (const one of list.querySelectorAll("[role=option]")) one.setAttribute("aria-selected", String(one.dataset.name === macro?.name));
    about.replaceChildren(...(macro ? formOf(macro, [insertButton(macro)]) : []));
    about.hidden = !macro;
  }

  function insert() {
    if (!chosen || !complete(about)) return;
    ownLines(view, `${callOf(chosen, valuesOf(about))}\n`);
    turn("source");
    view.focus();
  }

  field.addEventListener("input", search);
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event, macros, list, choose, chosen);
    if (event.key === "Enter" && chosen) {
      event.preventDefault();
      (about.querySelector(":is(input, select, textarea)[required]") ?? about.querySelector("[type=submit]")).focus();
    }
  });
  about.addEventListener("submit", (event) => {
    event.preventDefault();
    insert();
  });
  search();
  return startMacroEditing(view, macros, place, turn);
}

function head() {
  const hint = element("span", { className: "ms-auto row-flex" }, "insert", element("kbd", {}, "{{"));
  const edit = element("button", { type: "button", className: "btn btn-quiet btn-sm", hidden: true }, icon("ui-checks"), "Edit macro");
  edit.dataset.editMacro = "";
  return element("div", { className: "pane-head" }, element("span", {}, "Macros"), hint, edit);
}

const rank = (macro, wanted) => (macro.name.startsWith(wanted) ? 0 : macro.name.includes(wanted) ? 1 : 2);

function step(event, macros, list, choose, chosen) {
  event.preventDefault();
  const shown = [...list.querySelectorAll("[role=option]")];
  const at = shown.findIndex((one) => one.dataset.name === chosen?.name);
  const next = shown[Math.min(shown.length - 1, Math.max(0, at + (event.key === "ArrowDown" ? 1 : -1)))];
  if (!next) return;
  choose(macros.find(({ name }) => name === next.dataset.name));
  next.scrollIntoView({ block: "nearest" });
}

function item(macro, wanted, run) {
  const name = element("b", { className: "mono" });
  const at = wanted ? macro.name.indexOf(wanted) : -1;
  if (at < 0) name.append(macro.name);
  else name.append(macro.name.slice(0, at), element("mark", {}, wanted), macro.name.slice(at + wanted.length));
  const button = element("button", { type: "button", className: "macro-item" }, name, element("span", { className: "two" }, macro.summary.replaceAll("``", "")));
  button.setAttribute("role", "option");
  button.dataset.name = macro.name;
  button.addEventListener("click", run);
  return button;
}

function insertButton(macro) {
  return element("button", { className: "btn btn-default w-100", type: "submit" }, `Insert ${macro.name}`);
}
