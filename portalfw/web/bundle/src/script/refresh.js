// Renders macros afresh: `refresh(topics)` asks the server for every wrapper whose topics match, `bring` takes what the stream
// of changes brings by itself. It is swapped in without taking from the user what he is doing there (a focus, an open menu).
// Rows that changed light up for a moment.
import { toast } from "./toasts.js";

const GATHER = 60; // ms in which several changes become one request
const FRESH = 2000; // ms that a changed row is lit
/** What this page calls itself, so that the server knows what it shows. */
export const PAGE = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const RETRY = 1000; // ms after which a request that did not reach the server is sent again

/** Macros to be asked for, macros that are being asked for, and of those the ones that changed again meanwhile (ids). */
const waiting = new Set();
const running = new Set();
const again = new Set();
const kept = new Map();
const triggered = new Set(); // elements about to be asked for because of an event
let position = ""; // of the last event: what the server has rendered since then is new enough
let timer = 0;
let trigger = () => {};
let swap = () => {};

export function startRefresh(htmx) {
  trigger = (macro) => {
    triggered.add(macro);
    htmx.trigger(macro, "portal:refresh");
    triggered.delete(macro);
  };
  swap = (macro, html) => htmx.swap(macro, html, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 20 });
  document.addEventListener("htmx:configRequest", tellWhatIsShown);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-retry]");
    if (button) schedule(button.closest(".macro")?.id);
  });
  document.addEventListener("htmx:beforeRequest", (event) => isMacro(event.target) && begun(event.target.id, event.detail.xhr));
  document.addEventListener("htmx:beforeSwap", beforeSwap);
  document.addEventListener("htmx:load", (event) => isMacro(event.target) && afterSwap(event.target));
  document.addEventListener("focusout", () => waiting.size && plan());
  document.addEventListener("toggle", () => waiting.size && plan(), true);
}

/** Other viewers may be given the same answer, and none is needed if nothing has changed. */
function tellWhatIsShown({ target, detail }) {
  if (isMacro(target)) detail.headers["Portal-Page"] = PAGE;
  if (!triggered.has(target)) return;
  if (position) detail.headers["Portal-Since"] = position;
  if (target.dataset.version && target.dataset.asked === undefined) detail.headers["Portal-Version"] = target.dataset.version;
}

/**
 * Ask afresh for every macro that shows one of `topics`, at `since` of the stream, but for those that were `brought`; for all
 * macros without arguments.
 */
export function refresh(topics, since = "", brought = []) {
  position = since;
  for (const macro of document.querySelectorAll("[data-topics][id]")) {
    const within = macro.parentElement.closest("[data-topics][id]"); // is drawn anew with what it stands in
    if (!brought.includes(macro.id) && (topics ? shows(macro, topics) : !within)) schedule(macro.id);
  }
}

/** Show a macro as the stream brings it; if it shows something else by now, or is in use, it is asked for as usual. */
export async function bring({ id, gzip }) {
  const macro = document.getElementById(id);
  const html = macro && (await unpacked(gzip).catch(() => ""));
  if (!macro?.isConnected || running.has(id) || inUse(macro) || addressIn(html) !== macro.getAttribute("hx-get")) {
    schedule(id);
    return;
  }
  waiting.delete(id);
  remember(macro);
  swap(macro, html);
}

async function unpacked(gzip) {
  const packed = Uint8Array.from(atob(gzip), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

function addressIn(html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  return made.content.firstElementChild?.getAttribute("hx-get");
}

/** "machine" shows every machine, "machine:3" only that one. */
function shows(macro, topics) {
  const watched = macro.dataset.topics.split(/\s+/);
  return topics.some((topic) => watched.includes(topic) || watched.includes(topic.split(":", 1)[0]));
}

function schedule(id) {
  if (!id) return;
  (running.has(id) ? again : waiting).add(id);
  plan();
}

function plan() {
  clearTimeout(timer);
  timer = setTimeout(ask, GATHER);
}

function ask() {
  for (const id of [...waiting]) {
    const macro = document.getElementById(id);
    if (macro && inUse(macro)) continue;
    waiting.delete(id);
    if (macro) trigger(macro);
  }
}

/** A macro in which a menu is open or a field other than a filter is being filled in is left alone until that ends. */
function inUse(macro) {
  const focused = macro.querySelector("input:focus, textarea:focus, select:focus");
  return Boolean(macro.querySelector(":popover-open") || (focused && !focused.matches("[data-filter], [data-where], [data-pick], [data-pick-all]")));
}

function isMacro(target) {
  return target instanceof Element && target.matches("[data-topics][id]");
}

/** The request itself tells its end: events of a macro that has left the page meanwhile would reach nobody. */
function begun(id, xhr) {
  running.add(id);
  for (const name of ["error", "timeout"]) xhr.addEventListener(name, () => setTimeout(() => schedule(id), RETRY));
  xhr.addEventListener("loadend", () => ended(id));
}

function ended(id) {
  running.delete(id);
  if (again.delete(id)) schedule(id);
}

function beforeSwap(event) {
  const { xhr, target, serverResponse } = event.detail;
  if (!isMacro(target)) return;
  if (xhr.status === 401 || new URL(xhr.responseURL, location.href).pathname === "/login") {
    event.detail.shouldSwap = false;
    signedOut();
  } else if (xhr.status >= 400 || !serverResponse.includes(`id="${target.id}"`)) {
    event.detail.shouldSwap = false; // the values stay; better old than blank
  } else {
    remember(target);
  }
}

function remember(macro) {
  kept.set(macro.id, { focus: focusIn(macro), rows: macro.dataset.asked === undefined && rowsOf(macro), left: scrollOf(macro) });
}

function focusIn(macro) {
  const field = macro.querySelector("[data-filter]:focus, [data-where]:focus");
  return field && { name: field.name, value: field.value, start: field.selectionStart, end: field.selectionEnd };
}

function scrollOf(macro) {
  return macro.querySelector(".bleed, .table-responsive")?.scrollLeft ?? 0;
}

function rowsOf(macro) {
  return new Map([...macro.querySelectorAll("tr[data-key]")].map((row) => [row.dataset.key, wording(row)]));
}

/** What a row says, without relative times, which change by themselves. */
function wording(row) {
  const copy = row.cloneNode(true);
  for (const part of copy.querySelectorAll("time, template")) part.remove();
  return copy.textContent;
}

function afterSwap(macro) {
  const before = kept.get(macro.id);
  kept.delete(macro.id);
  if (!before) return;
  const scrolled = macro.querySelector(".bleed, .table-responsive");
  if (scrolled && before.left) scrolled.scrollLeft = before.left;
  if (before.focus) focusAgain(macro.querySelector(fieldOf(before.focus)), before.focus);
  if (before.rows) light(macro, before.rows);
}

function fieldOf({ name }) {
  return name ? `[name="${CSS.escape(name)}"]` : "[data-filter]";
}

/** What was typed while the server was asked stays; the answer to it is on its way. */
function focusAgain(field, { name, value, start, end }) {
  if (field && name) field.value = value;
  field?.focus({ preventScroll: true });
  field?.setSelectionRange(start, end);
}

function light(macro, before) {
  const changed = [...macro.querySelectorAll("tr[data-key]")].filter((row) => before.get(row.dataset.key) !== wording(row));
  for (const row of changed) row.classList.add("fresh");
  setTimeout(() => changed.forEach((row) => row.classList.remove("fresh")), FRESH);
}

let told = false;

function signedOut() {
  if (told) return;
  told = true;
  const next = encodeURIComponent(location.pathname + location.search);
  toast("Your session has ended.", { look: "warn", stays: true, link: { label: "Sign in", href: `/login?next=${next}` } });
}
