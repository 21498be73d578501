// Calls that take a while, followed to their end: by the page's stream of events, and by asking where there is none.
import { call, promptly } from "./calls.js";
import { isLive, unwatch, watch } from "./live.js";

const ASK = 3000; // ms between two questions while there is no stream
const DOUBT = 3; // times that long without a word from a stream, it is asked too: words can be lost
const SOON = 0.4; // s in which a call may end before anybody is shown that it goes on
const NO_STEPS = 2 ** 31 - 1; // a revision that no step reaches: the answer comes at the end only

const GONE = new Set(["not-found", "forbidden"]);

const followed = new Map(); // guid -> {task, listeners, timer}

export function startTasks() {
  document.addEventListener("portal:task", (event) => heard(event.detail));
  document.addEventListener("portal:refused", (event) => lost(event.detail.topic.replace("task:", ""), event.detail.message));
}

/** @returns {Promise<import("./calls.js").Ended | null>} how a call ended, or null if that takes longer */
export async function endedSoon(guid) {
  const { result } = await promptly("system/task/status", { taskguid: guid, since: NO_STEPS, wait: SOON }, 10 * SOON * 1000);
  return result?.finished ? ended(result) : null;
}

/**
 * Tell `listener` whenever a task has moved on: with all its steps so far, and at last with `ended`.
 * @param {(task: {steps: object[], percent: number|null, killed_by: string|null, ended?: import("./calls.js").Ended}) => void} listener
 * @returns {() => void} what stops that
 */
export function follow(guid, listener) {
  const one = followed.get(guid) ?? begun(guid);
  one.listeners.add(listener);
  if (one.task.guid) listener(one.task);
  return () => {
    one.listeners.delete(listener);
    if (!one.listeners.size) forget(guid);
  };
}

/** End a call early. @returns {Promise<import("./calls.js").Ended>} whether that could be asked for */
export function cancel(guid) {
  return call("system/task/kill", { taskguid: guid });
}

function begun(guid) {
  const one = { task: { steps: [] }, listeners: new Set(), silent: 0 };
  one.timer = setInterval(() => {
    one.silent += 1;
    if (!isLive() || one.task.finished || one.silent % DOUBT === 0) ask(guid); // or its answer could not be had yet
  }, ASK);
  followed.set(guid, one);
  watch(`task:${guid}`);
  return one;
}

function forget(guid) {
  clearInterval(followed.get(guid)?.timer);
  followed.delete(guid);
  unwatch(`task:${guid}`);
}

/** News of a task: what is known of it, with the steps that changed. */
function heard(news) {
  const one = followed.get(news.guid);
  if (!one || one.task.ended) return;
  one.silent = 0;
  const steps = new Map([...one.task.steps, ...news.steps].map((step) => [step.number, step]));
  one.task = { ...one.task, ...news, steps: [...steps.values()].sort((a, b) => a.number - b.number) };
  if (news.finished && !("answer" in news)) ask(news.guid);
  else tell(news.guid, one, news.finished ? ended(news) : undefined);
}

async function ask(guid) {
  const { result, failure } = await promptly("system/task/status", { taskguid: guid });
  if (result) heard(result);
  else if (GONE.has(failure.error)) lost(guid, failure.message); // what else hinders passes
}

function lost(guid, message) {
  const one = followed.get(guid);
  if (one) tell(guid, one, { failure: { message, lost: true } });
}

function tell(guid, one, end) {
  if (end) one.task = { ...one.task, ended: end };
  for (const listener of [...one.listeners]) listener(one.task);
  if (end) forget(guid);
}

function ended(status) {
  if (status.outcome === "ok") return { result: status.answer };
  const failure = status.error ?? { message: "It has ended without saying why." };
  return { failure: { ...failure, killed: status.outcome === "killed" } };
}
