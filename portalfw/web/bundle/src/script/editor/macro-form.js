// The form of a macro's arguments, made from its declaration.
import { element } from "../page.js";
import { isYaml } from "./macro-call.js";

const TALLEST = 12; // lines of a field

/**
 * @param {Map<string, {value: string}>} given what the fields hold to begin with
 * @returns {HTMLElement[]} what the macro is for, its fields, and `buttons`
 */
export function formOf(macro, buttons, given = new Map()) {
  const words = element("p", { className: "macro-words", tabIndex: 0 }, macro.doc.replaceAll("``", ""));
  const fields = macro.arguments.map((one) => fieldOf(macro, one, given.get(one.name)?.value ?? ""));
  return [element("h2", { className: "mono" }, macro.name), words, element("div", { className: "macro-fields" }, ...fields), ...buttons];
}

/** @returns {Map<string, string>} what stands in the fields, by argument */
export function valuesOf(form) {
  return new Map([...form.elements].filter((one) => one.name).map((one) => [one.name, one.value]));
}

/** @returns {boolean} whether nothing that is needed is missing; what is missing gets the focus */
export function complete(form) {
  const missing = [...form.elements].find((one) => one.required && !one.value.trim());
  for (const one of form.elements) one.classList?.toggle("is-invalid", one === missing);
  missing?.focus();
  return !missing;
}

function fieldOf(macro, argument, value) {
  const label = element("label", {}, element("span", { className: "mono" }, argument.name), inputOf(macro, argument, value));
  label.title = `${argument.type}${argument.required ? ", needed" : ""}`;
  return label;
}

function inputOf(macro, argument, value) {
  const { name, type, options, required } = argument;
  const choices = type === "true or false" ? ["true", "false"] : options;
  if (choices.length) {
    const select = element("select", { className: "form-select", name, required }, element("option", { value: "" }, hint(argument)));
    const other = value && !choices.includes(value) ? [value] : []; // an expression, say
    select.append(...[...choices, ...other].map((one) => element("option", { value: one }, one)));
    select.value = value;
    return select;
  }
  const large = isYaml(macro, name) || value.includes("\n");
  const rows = Math.min(TALLEST, value.split("\n").length);
  return element(large ? "textarea" : "input", { className: `form-control${large ? " mono" : ""}`, name, required, value, placeholder: hint(argument), spellcheck: false, ...(large ? { rows } : {}) });
}

function hint({ type, required, default: value }) {
  if (required) return `${type}, needed`;
  return value === null || value === "" ? type : `${typeof value === "object" ? JSON.stringify(value) : value}`;
}
