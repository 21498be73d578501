// Diagrams (```mermaid and the macro graph): each is drawn in a frame without an origin, of /static/diagram, once it comes
// near to the window. Until then, without this script and where it cannot be drawn, its source is shown.
import { element, onContent } from "./page.js";

const FRAME = "/static/diagram";
const NEAR = "400px";

/** Frame window -> the box that it stands in. */
const boxes = new Map();
const drawn = new WeakMap(); // box -> the size of what was drawn in it
const sizes = new ResizeObserver((changed) => changed.forEach(({ target }) => fit(target)));
let near = null;

export function startDiagrams() {
  near = new IntersectionObserver((seen) => seen.filter((one) => one.isIntersecting).forEach((one) => open(one.target)), { rootMargin: NEAR });
  onContent((root) => root.querySelectorAll("[data-diagram]:not([data-state])").forEach((box) => {
    box.dataset.state = "waiting";
    near.observe(box);
  }));
  addEventListener("message", heard);
  new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
}

function open(box) {
  near.unobserve(box);
  const frame = element("iframe", { className: "diagram-frame", src: FRAME, title: box.dataset.title || "Diagram" });
  frame.setAttribute("sandbox", "allow-scripts");
  box.prepend(frame);
  boxes.set(frame.contentWindow, box);
}

function heard(event) {
  const box = boxes.get(event.source);
  if (!box) return;
  if (!box.isConnected) boxes.delete(event.source);
  else if (event.data.ready) draw(event.source, box);
  else if (typeof event.data.problem === "string") fail(box, event.data.problem);
  else if (event.data.width > 0 && event.data.height > 0) show(box, event.data);
}

function drawAll() {
  for (const [frame, box] of boxes) {
    if (box.isConnected) draw(frame, box);
    else boxes.delete(frame);
  }
}

function draw(frame, box) {
  const dark = document.documentElement.dataset.bsTheme === "dark";
  frame.postMessage({ source: box.querySelector("pre").textContent, look: look(), dark }, "*"); // a frame of no origin has no name
}

/** The portal's colours, as Mermaid names them. */
function look() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  return {
    fontFamily: colour("--bs-font-sans-serif"),
    fontSize: "13px",
    background: colour("--bs-body-bg"),
    primaryColor: colour("--bs-tertiary-bg"),
    primaryBorderColor: colour("--ui-line-strong"),
    primaryTextColor: colour("--bs-body-color"),
    secondaryColor: colour("--bs-primary-bg-subtle"),
    tertiaryColor: colour("--bs-secondary-bg"),
    tertiaryBorderColor: colour("--bs-border-color"),
    lineColor: colour("--bs-tertiary-color"),
    textColor: colour("--bs-body-color"),
    noteBkgColor: colour("--bs-warning-bg-subtle"),
    noteBorderColor: colour("--bs-warning-border-subtle"),
    noteTextColor: colour("--bs-warning-text-emphasis"),
    edgeLabelBackground: colour("--bs-body-bg"),
    clusterBkg: colour("--bs-tertiary-bg"),
    clusterBorder: colour("--bs-border-color"),
  };
}

/** A diagram is never larger than it was drawn, and no wider than the page. */
function fit(box) {
  const { width, height } = drawn.get(box) ?? {};
  const frame = box.querySelector("iframe");
  if (width) frame.setAttribute("height", String(Math.ceil(height * Math.min(1, frame.clientWidth / width)) + 1));
}

function show(box, size) {
  box.dataset.state = "drawn";
  drawn.set(box, size);
  fit(box);
  sizes.observe(box);
  box.querySelector(".diagram-problem")?.remove();
  if (box.querySelector("details")) return;
  const source = element("details", { className: "diagram-source" }, element("summary", { textContent: "Source" }));
  source.append(box.querySelector("pre"));
  box.append(source);
}

function fail(box, problem) {
  box.dataset.state = "failed";
  box.querySelector(".diagram-problem")?.remove();
  const said = element("p", { className: "diagram-problem", textContent: problem });
  said.setAttribute("role", "alert");
  box.prepend(said);
  box.querySelector("details")?.setAttribute("open", "");
}
