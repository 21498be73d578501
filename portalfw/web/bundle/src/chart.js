// Draws a chart with uPlot over the lines that the server drew: `draw(box)`, whose data-chart holds
// {series: [label], times: [epoch s], values: [[number | null]], unit, format, low, high, span: [from, to] | null}.
import uPlot from "uplot";

const GAP = { left: 8, right: 8 };
const zooms = new Map(); // macro id -> the part of the time that the user looks at, through refreshes
const drawn = new Set();

export function draw(box) {
  const told = JSON.parse(box.dataset.chart);
  const plot = new uPlot(options(box, told), [told.times, ...told.values], (made, begin) => {
    box.querySelector("svg")?.remove();
    box.prepend(made.root);
    begin();
  });
  const one = { box, plot };
  drawn.add(one);
  sizes.observe(box);
  plot.setScale("x", zooms.get(nameOf(box)) ?? whole(told));
}

const sizes = new ResizeObserver((changed) => {
  for (const { target } of changed) {
    for (const one of drawn) {
      if (!one.box.isConnected) forget(one);
      else if (one.box === target && target.clientWidth !== one.plot.width) one.plot.setSize({ width: target.clientWidth, height: heightOf(target) });
    }
  }
});

function forget(one) {
  sizes.unobserve(one.box);
  one.plot.destroy();
  drawn.delete(one);
}

/** The colours are variables of the page, which change with the theme. */
new MutationObserver(() => drawn.forEach((one) => one.box.isConnected && one.plot.redraw(true, true))).observe(document.documentElement, {
  attributeFilter: ["data-bs-theme"],
});

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(box, told) {
  const font = `11px ${colour("--bs-font-sans-serif")}`;
  const look = { font, stroke: () => colour("--bs-tertiary-color"), ticks: { show: false } };
  return {
    width: box.clientWidth,
    height: heightOf(box),
    padding: [8, GAP.right, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: true, y: false, setScale: true } },
    scales: { x: { time: true }, y: { range: (plot, low, high) => bounds(told, low, high) } },
    axes: [
      { ...look, size: 28, space: 72, grid: { show: false }, values: (plot, ticks, axis, space, step) => ticks.map((at) => timeText(at, step)) },
      { ...look, size: 60, space: 32, incrs: told.format in SIZES ? POWERS : undefined, grid: { stroke: () => colour("--ui-grid"), width: 1 }, values: (plot, ticks) => ticks.map((value) => valueText(value, told)), splits: splitsOf(told) },
    ],
    series: [{}, ...told.series.map((label, index) => line(label, index))],
    hooks: { setCursor: [(plot) => tell(box, plot, told)], setScale: [(plot, key) => key === "x" && remember(box, plot, told)] },
  };
}

function line(label, index) {
  return {
    label,
    width: 1.5,
    stroke: () => colour(`--ui-c${index + 1}`),
    fill: index === 0 ? () => colour("--ui-area") : undefined,
    points: { show: false },
    spanGaps: false,
  };
}

function bounds(told, low, high) {
  const bottom = told.low ?? Math.min(0, low ?? 0);
  const top = told.high ?? (high > bottom ? high + (high - bottom) * 0.1 : bottom + 1);
  return [bottom, Math.max(top, bottom + 1e-9)];
}

/** Where the bounds are known, the lines across stand at fixed shares. */
function splitsOf({ low, high }) {
  if (high === null || high === undefined) return undefined;
  const bottom = low ?? 0;
  return (plot) => {
    const steps = plot.height > 150 ? 4 : 2;
    return Array.from({ length: steps + 1 }, (_, step) => bottom + ((high - bottom) * step) / steps);
  };
}

/** What the lines show at the pointer, or at last, in the words above the chart. */
function tell(box, plot, told) {
  const index = plot.cursor.idx ?? null;
  const chart = box.closest(".chart");
  chart.querySelectorAll("[data-key]").forEach((key, series) => {
    const values = told.values[series];
    const value = index === null ? values.findLast((one) => one !== null) : values[index];
    key.querySelector("[data-now]").textContent = value === null || value === undefined ? "–" : valueText(value, told);
  });
  const when = chart.querySelector("[data-when]");
  if (when) when.textContent = index === null ? "" : new Date(told.times[index] * 1000).toLocaleString();
}

function remember(box, plot, told) {
  const { min, max } = plot.scales.x;
  const { min: first, max: last } = whole(told);
  const all = min <= Math.max(first, told.times[0]) && max >= Math.min(last, told.times.at(-1));
  if (all) zooms.delete(nameOf(box));
  else zooms.set(nameOf(box), { min, max });
  const button = box.closest(".chart").querySelector("[data-unzoom]");
  button.hidden = all;
  button.onclick = () => plot.setScale("x", whole(told));
}

/** The time that was asked for, else that of the points. */
function whole({ span, times }) {
  return span ? { min: span[0], max: span[1] } : { min: times[0], max: times.at(-1) };
}

function nameOf(box) {
  return `${box.closest(".macro")?.id ?? ""} ${box.dataset.range ?? ""}`;
}

function heightOf(box) {
  return Number(box.dataset.height) || 176;
}

const HOUR = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
const SECOND = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

function timeText(at, step) {
  const when = new Date(at * 1000);
  if (step >= 86400 || (step >= 3600 && when.getHours() === 0 && when.getMinutes() === 0)) return DAY.format(when);
  return (step < 60 ? SECOND : HOUR).format(when);
}

const POWERS = Array.from({ length: 56 }, (_, power) => 2 ** (power - 4)); // steps between the lines across, where sizes are shown
const SIZES = { bytes: 0, kib: 1, mib: 2 };
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const SHORT = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const SHARE = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const PLAIN = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

/** The same words as the server's for a value. */
function valueText(value, { format, unit }) {
  if (value === null || value === undefined) return "";
  if (format in SIZES) return `${binary(value, SIZES[format])}${unit}`;
  const number = format === "percent" ? SHARE.format(value) : (Math.abs(value) >= 10000 ? SHORT : PLAIN).format(value);
  return unit ? `${number}\u00a0${unit}` : number;
}

function binary(value, from) {
  let step = from;
  let rest = value;
  while (Math.abs(rest) >= 1024 && step < BINARY.length - 1) [rest, step] = [rest / 1024, step + 1];
  return `${PLAIN.format(Number(rest.toFixed(1)))}\u00a0${BINARY[step]}`;
}
