// One stream of changes for the whole page: /events?topics=..., the topics of all macros together. What the page has asked
// for under its own name comes by itself, the rest is asked for when the stream says that it has changed. A hidden page lets go
// of its stream (browsers allow six connections to a server), and asks for everything afresh when it is seen again.
import { bring, PAGE, refresh } from "./refresh.js";

const SETTLE = 80; // ms in which a changing set of topics settles
const REST = 5000; // ms that a page may be hidden before it lets go
const PAUSES = [1, 2, 4, 8, 15, 30]; // s between attempts to connect again
const SILENT = 45_000; // ms after which a stream is dead that nobody has closed: it says every 15 s that it lives
const MOST = 200; // topics in one address; beyond, whole collections are watched

const followed = new Set(); // topics that no macro shows

let source = null;
let topics = "";
let since = ""; // the server's position up to which this page knows of all changes
let lostAt = 0;
let heardAt = 0;
let attempt = 0;
let settleTimer = 0;
let retryTimer = 0;
let restTimer = 0;

export function startLive() {
  const line = document.getElementById("live");
  if (!line) return; // guests get no stream
  since = line.dataset.since ?? "";
  follow();
  document.addEventListener("htmx:load", settle);
  document.addEventListener("visibilitychange", rest);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && reopen());
  setInterval(look, 1000);
}

/** @returns {boolean} whether changes arrive by themselves */
export function isLive() {
  return source?.readyState === EventSource.OPEN;
}

/** Follow a topic that no macro of the page shows, until `unwatch`; news of a task come as events of the document. */
export function watch(topic) {
  followed.add(topic);
  settle();
}

export function unwatch(topic) {
  followed.delete(topic);
  settle();
}

function settle() {
  clearTimeout(settleTimer);
  settleTimer = setTimeout(follow, SETTLE);
}

/** Watch what the page shows now; nothing happens while that stays the same. */
function follow() {
  if (!document.getElementById("live")) return;
  const wanted = watched().join(",");
  if (wanted === topics && source) return;
  topics = wanted;
  close();
  if (topics && !document.hidden) open();
  show();
}

function watched() {
  const all = [...document.querySelectorAll("[data-topics]")].flatMap((macro) => macro.dataset.topics.split(/\s+/));
  const unique = [...new Set(all.filter(Boolean))];
  const few = unique.length <= MOST ? unique : [...new Set(unique.map((topic) => topic.split(":", 1)[0]))];
  return [...few, ...followed].sort();
}

function open() {
  const wanted = encodeURIComponent(topics).replaceAll("%2C", ",").replaceAll("%3A", ":");
  source = new EventSource(`/events?topics=${wanted}&page=${PAGE}${since ? `&since=${since}` : ""}`);
  source.addEventListener("open", opened);
  source.addEventListener("change", changed);
  source.addEventListener("macro", (event) => bring(JSON.parse(event.data)));
  source.addEventListener("error", lost);
  for (const name of ["open", "change", "macro", "task", "alive"]) source.addEventListener(name, hear);
  hear();
  for (const name of ["task", "refused"]) source.addEventListener(name, passOn);
}

function hear() {
  heardAt = Date.now();
}

/** A connection can be cut where neither side sees it: behind a router that forgot it, or while the computer slept. */
function look() {
  if (isLive() && Date.now() - heardAt > SILENT) lost();
  else show();
}

function changed(event) {
  since = event.lastEventId || since;
  const { topics: told, brought } = JSON.parse(event.data);
  refresh(told, since, brought);
}

function passOn(event) {
  document.dispatchEvent(new CustomEvent(`portal:${event.type}`, { detail: JSON.parse(event.data) }));
}

function opened() {
  if (lostAt) refresh(); // what changed meanwhile is not told
  lostAt = 0;
  attempt = 0;
  show();
}

function lost() {
  lostAt ||= Date.now();
  close();
  const pause = PAUSES[Math.min(attempt, PAUSES.length - 1)] * (0.75 + Math.random() / 2);
  attempt += 1;
  retryTimer = setTimeout(() => !document.hidden && open(), pause * 1000);
  show();
}

function close() {
  clearTimeout(retryTimer);
  source?.close();
  source = null;
}

function reopen() {
  if (source || !topics) return;
  lostAt ||= Date.now();
  close();
  open();
}

function rest() {
  clearTimeout(restTimer);
  if (document.hidden) restTimer = setTimeout(close, REST);
  else reopen();
}

function show() {
  const line = document.getElementById("live");
  line.hidden = !topics;
  const off = lostAt > 0 && !isLive();
  line.classList.toggle("off", off);
  line.classList.toggle("wait", !off && !isLive());
  const text = isLive() ? "Live" : off ? `Lost the connection ${age()} ago, trying again` : "Connecting";
  if (line.textContent !== text) line.textContent = text;
}

function age() {
  const seconds = Math.max(1, Math.round((Date.now() - lostAt) / 1000));
  return seconds < 60 ? `${seconds}\u00a0s` : `${Math.floor(seconds / 60)}\u00a0min`;
}
