// Attaches a file to a page or to a space, and tells how much of it has been sent.
import { answered, SILENCE } from "../calls.js";

const LARGEST = 8 * 2 ** 20; // bytes
const MIB = 2 ** 20;

/**
 * @param {{space: string, page?: string}} place
 * @param {{name?: string, replace?: boolean, sent?: (share: number) => void}} options the name to keep it by; what hears how far it is
 * @returns {Promise<import("../calls.js").Ended>}
 */
export async function attach(place, file, { name = nameOf(file), replace = false, sent = () => {} } = {}) {
  if (!file.size) return refusal("The file is empty.");
  if (file.size > LARGEST) return refusal(`The file is of ${(file.size / MIB).toFixed(1)} MiB; 8 MiB are the most that is kept.`);
  const data = await base64(file).catch(() => null);
  if (data === null) return refusal("The browser could not read it; a folder cannot be uploaded.");
  return send(JSON.stringify({ ...place, name, replace, data }), sent);
}

const refusal = (message) => ({ failure: { error: "refused", message } });

/** What was pasted is always called image.png; a number makes another name of one that is taken. */
export function nameOf(file, number = 1) {
  const given = file.name || "image.png";
  const dot = given.lastIndexOf(".");
  const [stem, ending] = dot > 0 ? [given.slice(0, dot), given.slice(dot)] : [given, ""];
  const clean = stem.replace(/[^\p{L}\p{N} ._-]+/gu, "-").slice(0, 80) || "file";
  return `${clean}${number > 1 ? `-${number}` : ""}${ending.toLowerCase()}`;
}

function base64(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(reader.result.slice(reader.result.indexOf(",") + 1)));
    reader.addEventListener("error", () => failed(reader.error));
    reader.readAsDataURL(file);
  });
}

/** As `call`, but by the one interface that tells how much of what is sent has gone. */
function send(body, sent) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/restmachine/system/pages/attach");
    request.setRequestHeader("Content-Type", "application/json");
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", ({ loaded, total }) => sent(loaded / total));
    request.addEventListener("load", () => done(answered(request.status, request.statusText, request.responseText)));
    request.addEventListener("error", () => done(SILENCE));
    request.send(body);
  });
}
