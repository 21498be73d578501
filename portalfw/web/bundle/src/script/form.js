// A dialog's form: what was typed, as JSON arguments, and what was wrong with it, next to the field.
import { element, icon } from "./page.js";

/** How the text of a field becomes a JSON value, by its data-json. */
const READERS = {
  number: (field) => Number(field.value),
  boolean: (field) => field.checked,
  list: (field) => field.value.split("\n").map((line) => line.trim()).filter(Boolean),
  json: (field) => JSON.parse(field.value),
  text: (field) => field.value,
};

/** What a field sends that was filled in for the user, who has emptied it on purpose. */
const EMPTIED = { number: null, list: [], json: null, text: "" };

/**
 * A field called `args.count` is the property `count` of the argument `args`.
 * @returns {Record<string, unknown>} arguments by wire name; fields that were empty and stayed so are not sent
 */
export function values(form) {
  const arguments_ = {};
  for (const field of [...form.elements].filter((one) => one.name)) {
    const kind = field.dataset.json in EMPTIED ? field.dataset.json : "text";
    if (field.dataset.json === "item") addItem(arguments_, field);
    else if (field.type === "checkbox" || field.value !== "") {
      arguments_[field.name] = (READERS[field.dataset.json] ?? READERS.text)(field);
    } else if (hadValue(field)) arguments_[field.name] = EMPTIED[kind];
  }
  return nested(arguments_);
}

function nested(flat) {
  const found = {};
  for (const [name, value] of Object.entries(flat)) {
    const dot = name.indexOf(".");
    if (dot < 0) found[name] = isObject(value) && isObject(found[name]) ? { ...value, ...found[name] } : value;
    else (found[name.slice(0, dot)] ??= {})[name.slice(dot + 1)] = value;
  }
  return found;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One box of a list: a list of which the last box was unticked is empty, one that never had a tick is not given. */
function addItem(arguments_, field) {
  if (field.checked || field.defaultChecked) arguments_[field.name] ??= [];
  if (field.checked) arguments_[field.name].push(JSON.parse(field.value));
}

function hadValue(field) {
  return field.options ? [...field.options].some((one) => one.defaultSelected && one.value) : Boolean(field.defaultValue);
}

/** Show what the browser itself can see to be wrong. @returns {boolean} whether the form may be sent */
export function check(form) {
  clearErrors(form);
  for (const field of form.elements) {
    const problem = field.name ? problemOf(field) : "";
    if (problem) showError(form, field.name, problem);
  }
  form.querySelector("[aria-invalid]")?.focus();
  return !form.querySelector("[aria-invalid]");
}

function problemOf(field) {
  if (field.required && field.value.trim() === "") return "This is needed.";
  if (field.type === "number" && !field.validity.valid) return field.validationMessage;
  if (field.dataset.json === "json" && field.value && !isJson(field.value)) return "This is not JSON.";
  return "";
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Put `message` next to the field `name`. @returns {boolean} whether there is such a field to see */
export function showError(form, name, message) {
  const place = name && (form.querySelector(`[data-field="${CSS.escape(name)}"]`) ?? form.querySelector(`[data-field$=".${CSS.escape(name)}"]`));
  if (!place) return false;
  const field = place.querySelector("[name]");
  const text = place.querySelector(".field-error");
  text.textContent = message;
  text.hidden = false;
  text.id ||= `error-${name}`;
  field.classList.add("is-invalid");
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", text.id);
  return true;
}

/** Put a message over the fields: it belongs to none of them. */
export function showFailure(form, message, id) {
  const place = form.querySelector(".dialog-error");
  const text = element("div", {}, message);
  if (id) text.append(element("small", {}, `Error ${id}`));
  place.replaceChildren(icon("x-circle-fill"), text);
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
}

export function clearErrors(form) {
  form.querySelector(".dialog-error").hidden = true;
  for (const field of form.querySelectorAll("[aria-invalid]")) clearError(field);
}

export function clearError(field) {
  field.removeAttribute("aria-invalid");
  field.classList.remove("is-invalid");
  const text = field.closest("[data-field]")?.querySelector(".field-error");
  if (text) text.hidden = true;
}
