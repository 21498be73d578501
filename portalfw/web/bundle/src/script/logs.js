// A log follows its end until the user scrolls up, also through refreshes.
import { onContent } from "./page.js";

const NEAR = 24; // px from the end that still count as "at the end"
const positions = new Map();

export function startLogs() {
  onContent((root) => {
    for (const log of root.querySelectorAll("[data-follow]")) {
      const kept = positions.get(place(log));
      log.scrollTop = kept ?? log.scrollHeight;
      log.addEventListener("scroll", () => remember(log), { passive: true });
    }
  });
}

function remember(log) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  if (atEnd) positions.delete(place(log));
  else positions.set(place(log), log.scrollTop);
}

function place(log) {
  return log.closest(".macro")?.id ?? "page";
}
