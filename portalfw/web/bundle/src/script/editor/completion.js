// What could be meant while somebody types: macros and their arguments, methods, pages, files, icons.
import { autocompletion } from "@codemirror/autocomplete";
import { callsIn } from "./language.js";

/** @param {ReturnType<typeof import("./knowledge.js").startKnowledge>} known */
export function completion(known) {
  const sources = [icons, methods, links, macroNames, values, argumentNames].map((source) => (context) => source(context, known));
  return autocompletion({ override: sources, icons: false, closeOnBlur: true });
}

async function macroNames(context, known) {
  const typed = context.matchBefore(/\{\{[ \t]*[\w-]*/);
  if (!typed) return null;
  const from = typed.to - typed.text.match(/[\w-]*$/)[0].length;
  const options = (await known.macros()).map((macro) => ({ label: macro.name, detail: macro.summary, info: describe(macro), apply: applyMacro(macro) }));
  return { from, options, validFor: /^[\w-]*$/ };
}

function describe(macro) {
  return [macro.doc, ...macro.arguments.map((one) => `${one.name}: ${one.type}${one.required ? ", needed" : ""}`)].join("\n");
}

function applyMacro(macro) {
  return (view, _, from, to) => {
    const closed = view.state.sliceDoc(to, to + 2) === "}}";
    const more = macro.arguments.length > 0;
    const insert = `${macro.name}${more ? " " : ""}${closed ? "" : "}}"}`;
    const anchor = from + macro.name.length + (more ? 1 : closed ? 2 : 2);
    view.dispatch({ changes: { from, to, insert }, selection: { anchor }, userEvent: "input.complete" });
  };
}

/** @returns the macro in whose call the cursor stands, and the call's text */
async function around(context, known) {
  const call = callsIn(context.state).find(({ nameEnd, to }) => nameEnd < context.pos && context.pos < to);
  if (!call) return null;
  const macro = (await known.macros()).find(({ name }) => name === call.name);
  return macro && { macro, text: context.state.sliceDoc(call.nameEnd, call.to) };
}

async function argumentNames(context, known) {
  const typed = context.matchBefore(/(?<=[\s{])[\w-]*/);
  const place = typed && (context.explicit || typed.text) && (await around(context, known));
  if (!place) return null;
  const free = place.macro.arguments.filter(({ name }) => name !== "body" && !new RegExp(`(^|\\s)${name}:`).test(place.text));
  const options = free.map((one) => ({ label: one.name, apply: `${one.name}:`, detail: `${one.type}${one.required ? ", needed" : ""}`, info: place.macro.doc, boost: one.required ? 1 : 0 }));
  return { from: typed.from, options, validFor: /^[\w-]*$/ };
}

async function values(context, known) {
  const typed = context.matchBefore(/[\w-]+:[ \t]?[\w-]*/);
  const place = typed && (await around(context, known));
  const [, name, value] = typed?.text.match(/^([\w-]+):[ \t]?([\w-]*)$/) ?? [];
  const argument = place?.macro.arguments.find((one) => one.name === name?.replaceAll("-", "_"));
  if (!argument) return null;
  const options = argument.type === "true or false" ? ["true", "false"] : argument.options;
  if (argument.options.length || options.length) return { from: typed.to - value.length, options: options.map((label) => ({ label })), validFor: /^[\w-]*$/ };
  return null;
}

/** Addresses of methods that read: behind `api:`, and in the front matter's `data:`; in actions of all methods. */
async function methods(context, known) {
  const typed = context.matchBefore(/\b[\w-]+:[ \t]*(\w+\/)?[\w/]*/);
  const word = typed?.text.match(/^([\w-]+):[ \t]*([\w/]*)$/);
  if (!word || !(word[1] === "api" || word[1] === "address" || word[2].includes("/") || (context.explicit && inFrontMatter(context)))) return null;
  const options = (await known.methods()).map((one) => ({ label: one.address, detail: one.effect, info: `${one.summary}\n${one.arguments.join(", ")}` }));
  return { from: typed.to - word[2].length, options, validFor: /^[\w/]*$/ };
}

function inFrontMatter(context) {
  const text = context.state.sliceDoc(0, context.pos);
  return text.startsWith("---\n") && !text.slice(4).includes("\n---");
}

async function links(context, known) {
  const typed = context.matchBefore(/!?\[[^\]\n]*\]\([^)\n]*/);
  if (!typed) return null;
  const from = typed.from + typed.text.lastIndexOf("](") + 2;
  const image = typed.text.startsWith("!");
  const files = (await known.files()).filter((file) => file.image || !image);
  const options = files.map((file) => ({ label: file.link, detail: file.image ? "image" : "file" }));
  if (!image) options.push(...(await known.links()).map(({ page, title }) => ({ label: page, detail: title === page ? "page" : title, boost: 1 })));
  return { from, options, validFor: /^[^)\n]*$/ };
}

async function icons(context, known) {
  const typed = context.matchBefore(/\bicon:[ \t]*[\w-]*/);
  if (!typed) return null;
  const from = typed.to - typed.text.match(/[\w-]*$/)[0].length;
  return { from, options: (await known.icons()).map((label) => ({ label, type: "icon" })), validFor: /^[\w-]*$/ };
}
