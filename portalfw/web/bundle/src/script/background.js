// Calls that go on in the background: a toast each, which ends in success or the reason. They survive a reload.
import { isLive } from "./live.js";
import { cancelButton, summary } from "./progress.js";
import { refresh } from "./refresh.js";
import { follow } from "./tasks.js";
import { runningToast, toast } from "./toasts.js";

const KEPT = "portal-running"; // in this tab's storage: {guid: {label, done, goto}}

export function startBackground() {
  for (const [guid, action] of Object.entries(kept())) inBackground(guid, action);
}

/** Keep a call, so that a reload does not lose it. */
export function remember(guid, action) {
  keep({ ...kept(), [guid]: action });
}

/** The call has ended before the person's eyes, or nobody waits for it any more. */
export function forget(guid) {
  const { [guid]: _, ...others } = kept();
  keep(others);
}

/** Show a call as a toast from now on. */
export function inBackground(guid, action) {
  const line = runningToast(action.label, cancelButton(guid, "btn btn-quiet btn-sm"));
  follow(guid, (task) => {
    if (!task.ended) return line.say(summary(task));
    forget(guid);
    line.remove();
    return tell(action, task.ended);
  });
}

/** Say how a call ended that nobody was looking at. */
export function tell(action, { result, failure }) {
  if (!failure) {
    const href = action.goto && fill(action.goto, result);
    toast(action.done, href ? { link: { label: "Open", href } } : {});
    if (!isLive()) refresh();
  } else if (failure.killed) toast(`${action.label}: cancelled`, { look: "idle" });
  else if (!failure.lost) toast(`${action.label}: ${failure.message}`, { look: "bad", stays: true });
}

/** "machine?id={result}" or "machine?id={result.id}" with the method's answer. */
export function fill(target, result) {
  return target.replace(/\{result(?:\.(\w+))?\}/g, (_, key) => encodeURIComponent(key ? (result?.[key] ?? "") : String(result)));
}

function kept() {
  return JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
}

function keep(calls) {
  if (Object.keys(calls).length) sessionStorage.setItem(KEPT, JSON.stringify(calls));
  else sessionStorage.removeItem(KEPT);
}
