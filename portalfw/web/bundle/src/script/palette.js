// The command palette: pages, objects and actions by a few letters. Ctrl K opens it, and "/" where no table has a filter.
// Nothing is asked of the server before it is opened.
import { deedsOf, pageActions, pressAfterwards, viewerActions } from "./palette-actions.js";
import { remember, recent } from "./palette-recent.js";
import { itemOf, messageOf, pieces, titleOf } from "./palette-view.js";
import { element, icon } from "./page.js";

const PAUSE = 80; // ms without a key before the server is asked
const MOST = 6; // hits of a kind
const PAGE = 5; // items that Page Up and Page Down go
const FIND = "/restmachine/system/search/find";
const SEARCH_PAGE = "/system/Search";
const ACTIONS_ONLY = ">";

let palette; // what is open: {dialog, field, list, status, items, active, groups, moved}
let deeds; // what the viewer may make from anywhere; asked once a page
let question; // the AbortController of the question under way
let timer = 0;

export function startPalette() {
  if (!document.querySelector("[data-palette]")) return;
  remember();
  pressAfterwards();
  if (/Mac|iPhone|iPad/.test(navigator.platform)) for (const key of document.querySelectorAll("[data-palette] kbd")) key.textContent = "⌘ K";
  document.addEventListener("click", (event) => event.target.closest("[data-palette]") && openPalette());
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    if (palette) palette.dialog.close();
    else openPalette();
  });
}

/** @returns {boolean} whether there is a palette to open */
export function openPalette() {
  if (palette || !document.querySelector("[data-palette]") || document.querySelector("dialog[open]")) return false;
  palette = make();
  document.body.append(palette.dialog);
  palette.dialog.showModal();
  palette.field.focus();
  update();
  askDeeds();
  return true;
}

function make() {
  const field = element("input", { type: "text", className: "palette-field", placeholder: "Search or run", autocomplete: "off", spellcheck: false, autocapitalize: "none", enterKeyHint: "go" });
  const list = element("div", { className: "palette-body", id: "palette-list" });
  const status = element("div", { className: "visually-hidden" });
  const close = element("button", { type: "button", className: "palette-close" }, element("kbd", {}, "Esc"));
  const dialog = element("dialog", { className: "palette" }, element("div", { className: "palette-in" }, icon("search"), field, close), list, foot(), status);
  set(dialog, { "aria-label": "Search or run" });
  set(field, { role: "combobox", "aria-label": "Search or run", "aria-expanded": "true", "aria-controls": list.id, "aria-autocomplete": "list", "aria-haspopup": "listbox" });
  set(list, { role: "listbox", "aria-label": "Found" });
  set(status, { role: "status", "aria-live": "polite" });
  set(close, { "aria-label": "Esc: close" });
  field.addEventListener("input", typed);
  dialog.addEventListener("keydown", key);
  dialog.addEventListener("close", closed);
  dialog.addEventListener("click", (event) => clicked(event));
  list.addEventListener("mousemove", (event) => point(event.target.closest("[role=option]")));
  close.addEventListener("click", () => dialog.close());
  return { dialog, field, list, status, items: [], active: 0, found: [], moved: false, failure: "" };
}

function foot() {
  const hint = (keys, words) => element("span", {}, ...keys.flatMap((one) => [element("kbd", {}, one), " "]), words);
  const made = element("div", { className: "palette-foot" }, hint(["↑", "↓"], "move"), hint(["Enter"], "open"), hint(["Ctrl Enter"], "new tab"));
  made.append(element("span", { className: "ms-auto" }, ...[[">", "actions"], ["@", "people"], ["#", "pages"]].flatMap(([sign, words]) => [element("kbd", {}, sign), ` ${words} \u00a0`])));
  made.setAttribute("aria-hidden", "true");
  return made;
}

function closed() {
  clearTimeout(timer);
  question?.abort();
  palette.dialog.remove();
  palette = undefined;
}

function typed() {
  palette.moved = false;
  palette.active = 0;
  clearTimeout(timer);
  question?.abort();
  if (asks(text())) timer = setTimeout(ask, PAUSE);
  else palette.found = [];
  update();
}

function text() {
  return palette.field.value.trim();
}

function asks(words) {
  return words !== "" && !words.startsWith(ACTIONS_ONLY);
}

async function ask() {
  const mine = (question = new AbortController());
  const words = text();
  try {
    const address = `${FIND}?${new URLSearchParams({ text: words, limit: MOST })}`;
    const response = await fetch(address, { signal: mine.signal, headers: { Accept: "application/json" } });
    const answer = await response.json();
    if (mine.signal.aborted) return;
    palette.found = response.ok ? answer.groups : [];
    palette.failure = response.ok ? "" : (answer.message ?? `The portal answered ${response.status}.`);
    palette.complete = answer.complete ?? true;
  } catch (error) {
    if (error.name === "AbortError" || mine.signal.aborted) return;
    palette.found = [];
    palette.failure = "The portal does not answer. Check the connection, then try again.";
  }
  palette.answered = words;
  update();
}

async function askDeeds() {
  deeds ??= await deedsOf();
  if (palette) update();
}

/** Show what there is to choose now; what the viewer has gone to stays chosen. */
function update() {
  const chosen = palette.moved && palette.items[palette.active]?.key;
  const groups = contents();
  palette.items = groups.flatMap((group) => group.items);
  palette.active = Math.max(0, chosen ? palette.items.findIndex((item) => item.key === chosen) : 0);
  let number = 0;
  palette.list.replaceChildren(...groups.map((group, index) => part(group, index, () => number++)));
  if (!palette.items.length) palette.list.append(messageOf(waiting() ? "" : emptyWords()));
  show();
  if (!waiting()) palette.status.textContent = palette.failure || `${palette.items.length} found`;
}

function waiting() {
  return asks(text()) && palette.answered !== text() && !palette.failure;
}

function emptyWords() {
  if (palette.failure) return palette.failure;
  if (palette.complete === false) return "Nothing yet: the portal has just started and is still reading its pages.";
  return text() ? `Nothing is called “${text()}”, or you may not see it.` : "Type to find pages, machines, people.";
}

function contents() {
  const words = text();
  const only = words.startsWith(ACTIONS_ONLY);
  const sought = (only ? words.slice(1) : words).toLowerCase().split(/\s+/).filter(Boolean);
  const here = { title: "On this page", items: matching(pageActions(), sought) };
  const elsewhere = (deeds ?? []).filter((deed) => !here.items.some((item) => item.label === deed.label));
  const anywhere = { title: "Anywhere", items: matching([...elsewhere, ...viewerActions()], sought) };
  const found = only ? [] : palette.found.map((group) => ({ title: group.title, items: group.hits.filter((hit) => hit.href).map(hitItem) }));
  if (!only && palette.found.some((group) => group.more)) found.push({ title: "More", items: [everything(words)] });
  const before = words ? [] : [{ title: "Recently visited", items: recent() }];
  return [...before, here, ...found, anywhere].filter((group) => group.items.length);
}

function everything(words) {
  const href = `${SEARCH_PAGE}?${new URLSearchParams({ q: words })}`;
  return { key: href, parts: [`All that is found for “${words}”`], icon: "search", href };
}

function hitItem(hit) {
  return { key: hit.href, parts: hit.marked, below: hit.snippet, icon: hit.icon, href: hit.href, state: hit.state, note: hit.note };
}

/** Actions whose words begin with all that was typed, with these beginnings marked. */
function matching(actions, sought) {
  const found = actions.filter((action) => sought.every((word) => action.label.toLowerCase().split(/[\s:]+/).some((one) => one.startsWith(word))));
  return found.map((action) => ({ ...action, key: action.label, parts: pieces(action.label, sought) }));
}

function part(group, index, next) {
  const title = titleOf(group.title, `palette-title-${index}`);
  const made = element("div", {}, title, ...group.items.map((item) => itemOf(item, next())));
  set(made, { role: "group", "aria-labelledby": title.id });
  return made;
}

function options() {
  return [...palette.list.querySelectorAll("[role=option]")];
}

function show() {
  const all = options();
  all.forEach((option, number) => option.setAttribute("aria-selected", String(number === palette.active)));
  const active = all[palette.active];
  if (active) palette.field.setAttribute("aria-activedescendant", active.id);
  else palette.field.removeAttribute("aria-activedescendant");
  if (palette.active === 0) palette.list.scrollTop = 0;
  else active?.scrollIntoView({ block: "nearest" });
}

function point(option) {
  const number = option ? options().indexOf(option) : -1;
  if (number < 0 || number === palette.active) return;
  palette.active = number;
  palette.moved = true;
  show();
}

function go(steps, wraps = true) {
  const last = palette.items.length - 1;
  if (last < 0) return;
  const wanted = palette.active + steps;
  palette.active = wraps ? (wanted + last + 1) % (last + 1) : Math.min(last, Math.max(0, wanted));
  palette.moved = true;
  show();
}

const KEYS = {
  ArrowDown: () => go(1),
  ArrowUp: () => go(-1),
  PageDown: () => go(PAGE, false),
  PageUp: () => go(-PAGE, false),
  Enter: (event) => run(palette.items[palette.active], event.ctrlKey || event.metaKey),
};

function key(event) {
  if (event.isComposing || !(event.key in KEYS) || (event.key === "Enter" && event.target !== palette.field)) return;
  event.preventDefault();
  KEYS[event.key](event);
}

function clicked(event) {
  if (event.target === palette.dialog) return palette.dialog.close(); // the ground around it
  const option = event.target.closest("[role=option]");
  if (!option || (option.href && (event.ctrlKey || event.metaKey || event.shiftKey))) return undefined;
  event.preventDefault();
  return run(palette.items[options().indexOf(option)], false);
}

function run(item, apart) {
  if (!item) return;
  if (item.href && apart) {
    window.open(item.href, "_blank", "noopener");
    return;
  }
  palette.dialog.close();
  if (item.act) item.act();
  else location.assign(item.href);
}

function set(made, attributes) {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
}
