// Tables whose rows the server pages, sorts, searches and filters. What the user wishes lies in the page's address, so
// that it outlives a reload, can be sent to others, and works without this script by links and forms.
import { onContent } from "./page.js";

const PAUSE = 250; // ms after the last key until the server is asked
const HIDDEN = "portal-hidden-columns";

/** Tables whose row of filters is open, through refreshes. */
const open = new Set();
let htmx = null;
let timer = 0;

export function startLiveTables(given) {
  htmx = given;
  onContent((root) => root.querySelectorAll("[data-table-live]").forEach(arrange));
  document.addEventListener("click", clicked);
  document.addEventListener("submit", submitted);
  document.addEventListener("input", typed);
  document.addEventListener("change", chosen);
  addEventListener("popstate", (event) => event.state?.table && location.reload());
}

function clicked(event) {
  const link = event.target.closest("a[data-table-link]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && link.closest(".macro")) {
    event.preventDefault();
    show(link.href, link.closest(".macro"), true);
  }
  const opener = event.target.closest("[data-filters]");
  if (opener) openFilters(opener);
}

function arrange(table) {
  hideColumns(table);
  if (open.has(nameOf(table))) setFilters(table, true);
}

function openFilters(opener) {
  const table = opener.closest("[data-table-live]");
  const row = setFilters(table, table.querySelector("[data-filter-row]").hidden);
  if (row.hidden) open.delete(nameOf(table));
  else open.add(nameOf(table));
  if (!row.hidden) row.querySelector("input")?.focus();
}

function setFilters(table, shown) {
  const row = table.querySelector("[data-filter-row]");
  row.hidden = !shown;
  table.querySelector("[data-filters]").setAttribute("aria-expanded", String(shown));
  return row;
}

function submitted(event) {
  if (!event.target.matches("[data-table-form]")) return;
  event.preventDefault();
  ask(event.target.closest("[data-table-live]"));
}

function typed(event) {
  const table = event.target.closest("[data-table-live]");
  if (!table || !event.target.matches("[data-filter], [data-where]")) return;
  clearTimeout(timer);
  const id = table.closest(".macro")?.id; // by then a refresh may have put another table in this one's place
  timer = setTimeout(() => id && ask(document.querySelector(`#${CSS.escape(id)} [data-table-live]`)), PAUSE);
}

/** Ask for the rows that the fields of a table wish, from the first page on. */
function ask(table) {
  clearTimeout(timer);
  const macro = table?.closest(".macro");
  if (!macro) return;
  const url = new URL(location.href);
  const key = macro.id.replace(/^macro-/, "");
  url.searchParams.delete(`page-${key}`);
  for (const field of table.querySelectorAll("[data-filter], [data-where]")) {
    if (field.value.trim()) url.searchParams.set(field.name, field.value.trim());
    else url.searchParams.delete(field.name);
  }
  show(url.href, macro, false);
}

/** Show a macro as the page of `address` has it, and let the window's address say so. */
function show(address, macro, step) {
  const url = new URL(address);
  if (step) history.pushState({ table: true }, "", url);
  else history.replaceState({ table: true }, "", url);
  url.hash = "";
  url.searchParams.set("_macro", macro.id.replace(/^macro-/, ""));
  macro.dataset.asked = ""; // rows that the user asked for are no news to be lit
  macro.setAttribute("hx-sync", "this:replace"); // what was asked for before no longer matters
  htmx.ajax("GET", url.pathname + url.search, { source: macro, target: macro, swap: "outerHTML" });
}

/** Columns that the user does not want are remembered by page and macro. */
function chosen(event) {
  if (!event.target.matches("[data-column]")) return;
  const table = event.target.closest("[data-table-live]");
  const hidden = [...table.querySelectorAll("[data-column]")].filter((box) => !box.checked).map((box) => box.dataset.column);
  const all = remembered();
  all[nameOf(table)] = hidden;
  localStorage.setItem(HIDDEN, JSON.stringify(all));
  hideColumns(table);
}

function hideColumns(table) {
  const hidden = remembered()[nameOf(table)] ?? [];
  for (const box of table.querySelectorAll("[data-column]")) box.checked = !hidden.includes(box.dataset.column);
  for (const row of table.querySelectorAll("tr")) {
    [...row.cells].forEach((cell, index) => cell.classList.toggle("not-wanted", hidden.includes(String(index))));
  }
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(HIDDEN)) ?? {};
  } catch {
    return {};
  }
}

function nameOf(table) {
  return `${location.pathname}#${table.closest(".macro")?.id ?? ""}`;
}
