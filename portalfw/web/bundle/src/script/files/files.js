// The page of files: others are picked or dropped, go up one after another, and what cannot be kept says why and what to do.
import { element, icon } from "../page.js";
import { attach, nameOf } from "./attaching.js";

const TRIES = 20; // other names

function start() {
  const place = document.getElementById("drop");
  const button = document.getElementById("pick");
  if (!place || !button) return;
  const { space, page } = place.dataset;
  const uploads = startUploads(document.getElementById("uploads"), page ? { space, page } : { space });
  button.addEventListener("click", () => pick(uploads.take));
  button.hidden = false;
  takeDrops(uploads.take);
}

function pick(take) {
  const field = element("input", { type: "file", multiple: true });
  field.addEventListener("change", () => take([...field.files]));
  field.click();
}

/** Files may be dropped anywhere in the window; the page says so while they are over it. */
function takeDrops(take) {
  let depth = 0;
  const over = (by) => document.body.classList.toggle("dropping", (depth = Math.max(0, depth + by)) > 0);
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => carries(event) && over(1));
  addEventListener("dragleave", (event) => carries(event) && over(-1));
  addEventListener("dragover", (event) => carries(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    over(-depth);
    take([...event.dataTransfer.files]);
  });
}

/** @returns {{take: (files: File[]) => void}} */
function startUploads(list, desk) {
  const waiting = [];
  let busy = false;

  function take(files) {
    for (const file of files) waiting.push({ file, line: makeLine(list, file) });
    work();
  }

  async function work() {
    if (busy) return;
    busy = true;
    while (waiting.length) await upload(waiting.shift());
    busy = false;
    document.getElementById("files").dispatchEvent(new CustomEvent("portal:refresh"));
  }

  async function upload({ file, line, name, replace }) {
    line.sending();
    const { result, failure } = await attach(desk, file, { name, replace, sent: line.sent });
    if (result) return line.done(result.name);
    const again = (more) => {
      waiting.push({ file, line, ...more });
      work();
    };
    if (failure.error === "conflict") return line.taken(failure.message, name ?? nameOf(file), again);
    return line.failed(failure, () => again({ name, replace }));
  }

  return { take };
}

/** One upload as people see it. */
function makeLine(list, file) {
  const name = element("b", { className: "clip" }, file.name);
  const words = element("span", { className: "mute" }, "waits");
  const bar = element("progress", { className: "thin", max: 1, value: 0 });
  bar.setAttribute("aria-label", `Upload of ${file.name}`);
  const acts = element("span", { className: "acts" });
  const line = element("div", { className: "upload" }, icon("upload"), name, words, acts, bar);
  list.append(line);

  function show(look, glyph, text, ...buttons) {
    line.className = `upload s-${look}`;
    line.firstChild.replaceWith(icon(glyph));
    words.textContent = text;
    acts.replaceChildren(...buttons, press("Remove from the list", () => line.remove(), "x-lg"));
    bar.hidden = true;
  }

  return {
    sending() {
      line.className = "upload";
      words.textContent = "goes up";
      acts.replaceChildren();
      bar.hidden = false;
      bar.value = 0;
    },
    sent(share) {
      bar.value = share;
      if (share >= 1) words.textContent = "is being kept";
    },
    done(kept) {
      show("ok", "check-lg", kept === file.name ? "uploaded" : `uploaded as ${kept}`);
    },
    failed(failure, again) {
      show("bad", "x-circle-fill", failure.message, ...(failure.error ? [] : [press("Try again", again)]));
    },
    taken(message, taken, again) {
      const field = element("input", { className: "form-control", value: freeName(file, taken), spellcheck: false });
      field.setAttribute("aria-label", `Another name for ${file.name}`);
      field.addEventListener("keydown", (event) => event.key === "Enter" && again({ name: field.value.trim() }));
      const replace = press("Replace", () => again({ name: taken, replace: true }));
      show("warn", "exclamation-triangle-fill", message, replace, field, press("Use this name", () => again({ name: field.value.trim() })));
    },
  };
}

/** A name that no file shown has: the next one by number. */
function freeName(file, taken) {
  const shown = new Set([...document.querySelectorAll("#files .file-name")].map((one) => one.textContent.trim().toLowerCase()));
  for (let number = 2; number <= TRIES; number += 1) {
    const name = nameOf(file, number);
    if (name !== taken && !shown.has(name.toLowerCase())) return name;
  }
  return nameOf(file, TRIES);
}

function press(label, run, glyph) {
  const button = element("button", { type: "button", className: `btn btn-sm ${glyph ? "btn-quiet btn-icon" : "btn-default"}` }, glyph ? icon(glyph) : label);
  if (glyph) Object.assign(button, { title: label, ariaLabel: label });
  button.addEventListener("click", run);
  return button;
}

start();
