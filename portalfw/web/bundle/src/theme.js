// Runs in <head> before anything is drawn: "auto" follows the system, so that a dark room never sees a white flash.
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

function apply() {
  const choice = root.dataset.theme;
  root.dataset.bsTheme = choice === "auto" ? (system.matches ? "dark" : "light") : choice;
}

apply();
system.addEventListener("change", apply);
new MutationObserver(apply).observe(root, { attributeFilter: ["data-theme"] });
