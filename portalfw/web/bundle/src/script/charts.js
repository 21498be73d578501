// Charts: the server draws the lines and tells the numbers; once a chart comes near to the window, the module chart.js puts
// one there that can be read at the pointer and zoomed.
import { onContent } from "./page.js";

const MODULE = document.currentScript?.dataset.chart;
const NEAR = "200px";

let near = null;
let htmx = null;

export function startCharts(given) {
  htmx = given;
  near = new IntersectionObserver((seen) => seen.filter((one) => one.isIntersecting).forEach((one) => draw(one.target)), { rootMargin: NEAR });
  onContent((root) => root.querySelectorAll("[data-chart]:not([data-drawn])").forEach((box) => {
    near.observe(box);
    follow(box);
  }));
}

async function draw(box) {
  near.unobserve(box);
  if (box.hasAttribute("data-drawn")) return;
  box.setAttribute("data-drawn", "");
  const chart = await import(MODULE);
  if (box.isConnected) chart.draw(box);
}

/** A chart whose numbers nobody tells of is asked for anew every few seconds, while somebody looks. */
function follow(box) {
  const every = Number(box.dataset.every);
  const macro = box.closest(".macro[hx-get]");
  if (!every || !macro) return;
  const timer = setInterval(() => {
    if (!box.isConnected) clearInterval(timer);
    else if (!document.hidden && box.checkVisibility?.() !== false && !box.matches(":hover")) htmx.trigger(macro, "portal:refresh");
  }, every * 1000);
}
