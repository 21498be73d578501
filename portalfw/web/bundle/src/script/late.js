// Macros that the page did not wait for: each is asked for alone and takes its place once it has answered. A few at a time,
// since browsers allow six connections to a server.

const MOST = 3;

const asked = new Set(); // elements; one that the page has replaced meanwhile counts no more

export function startLate(htmx) {
  const next = () => {
    for (const macro of asked) if (!macro.isConnected) asked.delete(macro);
    for (const macro of document.querySelectorAll(".macro[data-late]")) {
      if (asked.size >= MOST) return;
      if (asked.has(macro)) continue;
      asked.add(macro);
      htmx.trigger(macro, "portal:refresh");
    }
  };
  document.addEventListener("htmx:afterRequest", (event) => {
    const macro = event.detail.requestConfig.elt;
    if (event.detail.successful && asked.delete(macro)) next(); // of a failed request the script of refreshes takes care
  });
  document.addEventListener("htmx:load", next);
}
