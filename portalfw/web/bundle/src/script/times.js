// Times are shown relative to now for seven days, then as a date; the exact time is in the title.
import { onContent } from "./page.js";

const DAY = 86400;
const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export function startTimes() {
  onContent(show);
  setInterval(() => show(document), 5000);
}

function show(root) {
  const now = Date.now() / 1000;
  for (const time of root.querySelectorAll("time[data-relative]")) {
    const at = time.dataset.at ? Number(time.dataset.at) : Date.parse(time.dateTime) / 1000;
    if (!Number.isFinite(at)) continue;
    const text = relative(now - at, at, time.dataset.relative === "short");
    if (time.textContent === text) continue;
    time.textContent = text;
    time.dateTime = new Date(at * 1000).toISOString();
    time.title = exact.format(at * 1000);
  }
}

/**
 * @param {number} age seconds, negative for times to come
 * @param {number} at epoch seconds
 * @param {boolean} short without "ago"
 */
export function relative(age, at, short) {
  const size = Math.abs(age);
  if (size >= 7 * DAY) return date.format(at * 1000);
  if (size < 1) return "now";
  const [count, unit] = size < 60 ? [size, "s"] : size < 3600 ? [size / 60, "min"] : size < DAY ? [size / 3600, "h"] : [size / DAY, "d"];
  const words = `${Math.floor(count)}\u00a0${unit}`;
  if (age < 0) return `in ${words}`;
  return short ? words : `${words} ago`;
}
