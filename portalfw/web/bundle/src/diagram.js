// Draws diagrams, in a frame without an origin that can reach neither the page around it nor the portal. The page sends
// {source, look, dark}; this answers {width, height} or {problem}.
import mermaid from "mermaid";

const place = document.querySelector("main");
let count = 0;

addEventListener("message", async (event) => {
  if (event.source !== parent || typeof event.data?.source !== "string") return;
  const { source, look, dark } = event.data;
  document.documentElement.style.colorScheme = dark ? "dark" : "light"; // else the frame gets a ground of its own
  mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    suppressErrorRendering: true,
    maxTextSize: 50_000,
    theme: "base",
    darkMode: dark,
    themeVariables: look,
    fontFamily: look.fontFamily,
    flowchart: { htmlLabels: false },
    sequence: { actorFontSize: 13, messageFontSize: 13, noteFontSize: 13, height: 44, mirrorActors: false },
  });
  try {
    await document.fonts.load("14px Inter").catch(() => null);
    const drawn = await mermaid.render(`diagram-${++count}`, source);
    place.innerHTML = drawn.svg;
    const { width, height } = place.firstElementChild.viewBox.baseVal;
    answer({ width, height });
  } catch (error) {
    answer({ problem: String(error?.message ?? error).split("\n").slice(0, 4).join("\n").slice(0, 500) });
  }
});

function answer(words) {
  parent.postMessage(words, "*");
}

answer({ ready: true });
