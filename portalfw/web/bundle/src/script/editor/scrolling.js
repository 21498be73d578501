// Text and preview scroll together: headings are where both can be laid beside each other; between them it is by share.
import { ensureSyntaxTree } from "@codemirror/language";

const HEADINGS = ".page-head h1, .page > :is(h1, h2, h3, h4, h5, h6)";
const PATIENCE = 50; // ms for reading the rest of a long text
const REST = 150; // ms in which the pane that follows is not taken for the one that leads

export function startScrolling(view, place) {
  const source = view.scrollDOM;
  const brought = new Map(); // where a pane was brought by the other one
  let leader = null;
  let timer = 0;

  function lead(who, from, other) {
    const late = brought.get(who) === who.scrollTop; // the word of it can come long after it was brought there
    if (late || (leader && leader !== who)) return;
    leader = who;
    clearTimeout(timer);
    timer = setTimeout(() => (leader = null), REST);
    other.scrollTop = along(marks(view, place), who.scrollTop, from);
    brought.set(other, other.scrollTop);
  }

  source.addEventListener("scroll", () => lead(source, 0, place), { passive: true });
  place.addEventListener("scroll", () => lead(place, 1, source), { passive: true });
}

/** @returns {[number, number][]} heights of the same things in text and preview, px, from top to end */
function marks(view, place) {
  const lines = [];
  ensureSyntaxTree(view.state, view.state.doc.length, PATIENCE)?.iterate({
    enter(node) {
      if (/^(ATX|Setext)Heading/.test(node.name)) lines.push(view.lineBlockAt(node.from).top);
    },
  });
  const top = place.getBoundingClientRect().top - place.scrollTop;
  const heads = [...place.querySelectorAll(HEADINGS)].map((head) => head.getBoundingClientRect().top - top);
  if (heads.length === lines.length + 1) heads.shift(); // the title comes from the front matter
  const pairs = lines.length === heads.length ? lines.map((line, index) => [line, heads[index]]) : [];
  return [[0, 0], ...pairs, [view.scrollDOM.scrollHeight - view.scrollDOM.clientHeight, place.scrollHeight - place.clientHeight]];
}

/** Where the other side stands when side `from` stands at `height`. */
function along(pairs, height, from) {
  const sorted = pairs.filter((pair, index) => index === 0 || pair[from] >= pairs[index - 1][from]);
  const after = sorted.findIndex((pair) => pair[from] > height);
  if (after < 1) return sorted.at(-1)[1 - from];
  const [low, high] = [sorted[after - 1], sorted[after]];
  return low[1 - from] + ((height - low[from]) / (high[from] - low[from])) * (high[1 - from] - low[1 - from]);
}
