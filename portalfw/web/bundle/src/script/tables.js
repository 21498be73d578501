// Filter and sorting of a table that the server rendered; both outlive a refresh of the macro around it.
import { onContent } from "./page.js";

const compare = new Intl.Collator("en", { numeric: true, sensitivity: "base" }).compare;

/** What the user chose, by table: {filter: text, column: number, down: boolean}. */
const choices = new Map();

export function startTables() {
  onContent((root) => root.querySelectorAll("[data-table]").forEach(arrange));
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-table] [data-filter]")) choose(event.target, { filter: event.target.value });
  });
  document.addEventListener("click", (event) => {
    const clear = event.target.closest("[data-clear]");
    if (clear) choose(clear, { filter: "" });
    const sort = event.target.closest("[data-sort]");
    if (sort) sortBy(sort);
  });
}

function sortBy(button) {
  const column = button.closest("th").cellIndex;
  const chosen = choices.get(nameOf(button.closest("[data-table]")));
  choose(button, { column, down: chosen?.column === column && !chosen.down });
}

function choose(inside, change) {
  const table = inside.closest("[data-table]");
  choices.set(nameOf(table), { ...choices.get(nameOf(table)), ...change });
  arrange(table);
}

/** A table is known by its macro and its place in it. */
function nameOf(table) {
  const macro = table.closest(".macro");
  const among = [...(macro ?? document).querySelectorAll("[data-table]")];
  return `${macro?.id ?? "page"}/${among.indexOf(table)}`;
}

function arrange(table) {
  const chosen = choices.get(nameOf(table));
  if (!chosen || !table.querySelector("tbody")) return;
  if (chosen.column !== undefined) sort(table, chosen.column, chosen.down);
  if (chosen.filter !== undefined) filter(table, chosen.filter);
}

function sort(table, column, down) {
  const body = table.querySelector("tbody");
  const rows = [...body.rows].sort((a, b) => compareCells(a.cells[column], b.cells[column]) * (down ? -1 : 1));
  body.append(...rows);
  for (const head of table.querySelectorAll("thead th")) {
    if (head.cellIndex === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

function compareCells(a, b) {
  const [first, second] = [a, b].map((cell) => cell?.dataset.value ?? cell?.textContent.trim() ?? "");
  const numbers = [Number(first), Number(second)];
  return first && second && numbers.every(Number.isFinite) ? numbers[0] - numbers[1] : compare(first, second);
}

function filter(table, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [...table.querySelectorAll("tbody tr")];
  for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
  const shown = rows.filter((row) => !row.hidden).length;
  const field = table.querySelector("[data-filter]");
  if (field && field.value !== text) field.value = text;
  count(table, shown, rows.length);
}

function count(table, shown, all) {
  const text = table.querySelector("[data-shown]");
  if (text) {
    text.dataset.all ??= text.textContent;
    text.textContent = shown === all ? text.dataset.all : `${shown} of ${all}`;
  }
  table.querySelector("[data-none]").hidden = shown > 0;
  table.querySelector("table").parentElement.hidden = shown === 0;
}
