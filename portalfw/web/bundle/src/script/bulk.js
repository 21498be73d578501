// Actions on several rows of a table: rows are picked, one dialog asks for all, the calls go out one after another, and at
// the end it says which failed and why.
import { begin } from "./calls.js";
import { check, clearError, values } from "./form.js";
import { isLive } from "./live.js";
import { element, onContent, typing } from "./page.js";
import { refresh } from "./refresh.js";
import { endedSoon, follow } from "./tasks.js";
import { toast } from "./toasts.js";

/** Picked rows by macro id: key of the row -> {name, values of each action}. They outlive refreshes. */
const picked = new Map();

export function startBulk() {
  onContent((root) => root.querySelectorAll("[data-bulk-bar]").forEach((bar) => arrange(bar.closest("section"))));
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick]")) pick(event.target);
    else if (event.target.matches("[data-pick-all]")) pickAll(event.target);
  });
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", (event) => event.key === "Escape" && !typing() && !document.querySelector("dialog[open]") && document.querySelectorAll("[data-bulk-bar]:not([hidden])").forEach((bar) => clear(bar.closest("section"))));
}

function rowsOf(table) {
  const id = table.closest(".macro")?.id ?? "";
  if (!picked.has(id)) picked.set(id, new Map());
  return picked.get(id);
}

function arrange(table) {
  const rows = rowsOf(table);
  const boxes = [...table.querySelectorAll("[data-pick]")];
  for (const box of boxes) {
    const known = rows.has(box.value);
    box.checked = known;
    box.closest("tr").classList.toggle("selected", known);
    if (known) rows.set(box.value, rowOf(box)); // what may be done with it can have changed
  }
  const all = table.querySelector("[data-pick-all]");
  if (all) {
    const some = boxes.filter((box) => box.checked).length;
    all.checked = some > 0 && some === boxes.length;
    all.indeterminate = some > 0 && some < boxes.length;
  }
  const bar = table.querySelector("[data-bulk-bar]");
  bar.hidden = rows.size === 0;
  bar.querySelector("[data-bulk-count]").textContent = `${rows.size} selected`;
}

function rowOf(box) {
  return { name: box.dataset.name, values: JSON.parse(box.dataset.pick) };
}

function pick(box) {
  const table = box.closest("section");
  if (box.checked) rowsOf(table).set(box.value, rowOf(box));
  else rowsOf(table).delete(box.value);
  arrange(table);
}

function pickAll(all) {
  const table = all.closest("section");
  for (const box of table.querySelectorAll("tr:not([hidden]) [data-pick]")) {
    if (all.checked) rowsOf(table).set(box.value, rowOf(box));
    else rowsOf(table).delete(box.value);
  }
  arrange(table);
}

function clear(table) {
  rowsOf(table).clear();
  arrange(table);
}

function clicked(event) {
  const table = event.target.closest("section");
  if (event.target.closest("[data-bulk-clear]")) clear(table);
  const button = event.target.closest("[data-bulk]");
  if (button) ask(button, table);
}

function ask(button, table) {
  const number = Number(button.dataset.bulk);
  const rows = [...rowsOf(table)].map(([key, row]) => ({ key, name: row.name, values: row.values[number] }));
  const able = rows.filter((row) => row.values);
  const dialog = button.querySelector("template").content.firstElementChild.cloneNode(true);
  const form = dialog.querySelector("form");
  const label = button.dataset.label;
  dialog.querySelector("h2").textContent = `${label}: ${able.length} ${button.dataset.what}`;
  form.querySelector(".dialog-head").append(element("p", { className: "mute", textContent: told(able, rows.length - able.length) }));
  const submit = form.querySelector("[type=submit]");
  submit.disabled = !able.length;
  if (button.hasAttribute("data-typed") && able.length > 1) addTyped(form, submit, `${label.toLowerCase()} ${able.length}`);
  form.addEventListener("input", (changed) => clearError(changed.target));
  form.addEventListener("submit", (sent) => {
    sent.preventDefault();
    if (!submit.disabled && !submit.hasAttribute("aria-busy") && check(form)) carryOut(dialog, form, able, button.dataset.address, table);
  });
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function told(able, unable) {
  if (!able.length) return "Not possible for any of those selected.";
  const names = able.slice(0, 10).map((row) => row.name).join(", ");
  const more = able.length > 10 ? ` and ${able.length - 10} more` : "";
  return `${names}${more}${unable ? `. Not possible for ${unable} of those selected, which are left out` : ""}.`;
}

function addTyped(form, submit, words) {
  const field = element("input", { className: "form-control", spellcheck: false, autocapitalize: "none" });
  const label = element("span", { className: "form-label" }, "Type ", element("span", { className: "mono", textContent: words }), " to confirm");
  form.querySelector(".dialog-body").append(element("div", { className: "field" }, element("label", {}, label, field)));
  submit.disabled = true;
  field.addEventListener("input", () => (submit.disabled = field.value.trim() !== words));
}

async function carryOut(dialog, form, rows, address, table) {
  const given = values(form);
  const body = dialog.querySelector(".dialog-body");
  const bar = element("progress", { max: rows.length, value: 0 });
  const line = element("p", { className: "fs-sm mute" });
  line.setAttribute("aria-live", "polite");
  body.replaceChildren(bar, line);
  form.querySelector("[type=submit]").remove();
  const close = form.querySelector("[data-close]");
  close.textContent = "Stop after this one";
  let stopped = false;
  dialog.addEventListener("close", () => (stopped = true));
  const failed = [];
  let done = 0;
  for (const row of rows) {
    if (stopped) break;
    line.textContent = `${done + 1} of ${rows.length}: ${row.name}`;
    const { failure } = await one(address, { ...given, ...row.values });
    done += 1;
    bar.value = done;
    if (failure) failed.push({ row, failure });
    else rowsOf(table).delete(row.key);
  }
  const current = document.getElementById(table.closest(".macro")?.id)?.querySelector("section") ?? table;
  if (current.isConnected) arrange(current);
  if (!isLive()) refresh();
  summary(dialog, close, body, { done, failed, all: rows.length });
}

async function one(address, body) {
  const begun = await begin(address, body);
  if (!begun.task) return begun;
  return (await endedSoon(begun.task)) ?? new Promise((resolve) => {
    const end = follow(begun.task, (task) => {
      if (!task.ended) return;
      queueMicrotask(() => end());
      resolve(task.ended);
    });
  });
}

/** All went well: a toast. Else the dialog stays, with what failed; those rows stay picked. */
function summary(dialog, close, body, { done, failed, all }) {
  const well = `${done - failed.length} of ${all} done`;
  if (!failed.length) {
    dialog.close();
    toast(done < all ? `${well}, then stopped` : `${well}`);
    return;
  }
  const list = element("ul", { className: "bulk-failed" }, ...failed.map(({ row, failure }) => element("li", {}, element("b", { textContent: row.name }), ` ${failure.message}`)));
  const head = element("p", { textContent: `${well}, ${failed.length} failed:` });
  head.setAttribute("role", "alert");
  body.replaceChildren(head, list);
  close.textContent = "Close";
  if (dialog.open) close.focus();
  else toast(`${well}, ${failed.length} failed: ${failed[0].row.name}: ${failed[0].failure.message}`, { look: "bad", stays: true });
}
