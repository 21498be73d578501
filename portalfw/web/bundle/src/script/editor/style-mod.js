// CodeMirror puts its rules into a <style> element of the document, which the content security policy forbids. Into a
// shadow root it puts a sheet made by script, which is allowed everywhere: so the document is shown to it as one.
import { StyleModule as Original } from "../../../node_modules/style-mod/src/style-mod.js";

const stands = new WeakMap();

/** @returns what style-mod takes for a shadow root of `root`, and which passes its sheets on */
function standIn(root) {
  if (!root.head) return root;
  if (!stands.has(root)) {
    stands.set(root, {
      ownerDocument: root,
      get adoptedStyleSheets() {
        return [...root.adoptedStyleSheets];
      },
      set adoptedStyleSheets(sheets) {
        root.adoptedStyleSheets = sheets;
      },
    });
  }
  return stands.get(root);
}

export class StyleModule extends Original {
  static mount(root, modules, options) {
    super.mount(standIn(root), modules, options);
  }
}
