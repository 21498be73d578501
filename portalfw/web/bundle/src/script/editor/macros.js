// The macro browser: a list to search, what each is for, and a form that writes the call.
import { element, icon } from "../page.js";
import { callOf } from "./macro-call.js";
import { ownLines } from "./toolbar.js";

/** @param {ReturnType<typeof import("./knowledge.js").startKnowledge>} known */
export async function startMacros(view, known, place, inserted) {
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
    about.replaceChildren(...(macro ? describe(macro) : []));
    about.hidden = !macro;
  }

  function insert() {
    if (!chosen || !complete(about)) return;
    ownLines(view, `${callOf(chosen, new FormData(about))}\n`);
    inserted();
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
  return { find: () => field.focus() };
}

function head() {
  const hint = element("span", { className: "ms-auto row-flex" }, "insert", element("kbd", {}, "{{"));
  return element("div", { className: "pane-head" }, element("span", {}, "Macros"), hint);
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

function describe(macro) {
  const doc = element("p", { className: "macro-words", tabIndex: 0 }, macro.doc.replaceAll("``", ""));
  const fields = element("div", { className: "macro-fields" }, ...macro.arguments.map(fieldOf));
  const submit = element("button", { className: "btn btn-default w-100", type: "submit" }, `Insert ${macro.name}`);
  return [element("h2", { className: "mono" }, macro.name), doc, fields, submit];
}

function fieldOf(argument) {
  const label = element("label", {}, element("span", { className: "mono" }, argument.name), inputOf(argument));
  label.title = `${argument.type}${argument.required ? ", needed" : ""}`;
  return label;
}

function inputOf(argument) {
  const { name, type, options, required } = argument;
  const choices = type === "true or false" ? ["true", "false"] : options;
  if (choices.length) {
    const select = element("select", { className: "form-select", name, required }, element("option", { value: "" }, hint(argument)));
    select.append(...choices.map((value) => element("option", { value }, value)));
    return select;
  }
  const large = name === "body" || /an object|a list/.test(type);
  return element(large ? "textarea" : "input", { className: `form-control${large ? " mono" : ""}`, name, required, placeholder: hint(argument), ...(large ? { rows: 1 } : {}) });
}

function hint({ type, required, default: value }) {
  if (required) return `${type}, needed`;
  return value === null || value === "" ? type : `${typeof value === "object" ? JSON.stringify(value) : value}`;
}

function complete(form) {
  const missing = [...form.elements].find((one) => one.required && !one.value.trim());
  for (const one of form.elements) one.classList?.toggle("is-invalid", one === missing);
  missing?.focus();
  return !missing;
}
