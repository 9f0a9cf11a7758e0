// Dialogs: one that shows something, one that asks before what cannot be undone.

import { element, replace } from "./dom.js";

/** Shows a dialog with these children; gives the dialog. Escape closes it, and focus goes back to where it was. */
export function showDialog(title, ...children) {
  const dialog = element("dialog", { "aria-label": title }, element("h2", {}, title), children);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  return dialog;
}

/**
 * Asks, and does it: `go(say)` may tell how far it is; when it throws, the reason is shown and the dialog stays open.
 */
export function confirmDialog({ title, text, action, keep = "Keep", go }) {
  const note = element("p", { role: "status" }, text);
  const yes = element("button", { type: "button", class: "danger" }, action);
  const no = element("button", { type: "button" }, keep);
  const dialog = showDialog(title, note, element("div", { class: "bar" }, yes, no));
  no.focus();
  no.addEventListener("click", () => dialog.close());
  yes.addEventListener("click", async () => {
    yes.disabled = true;
    try {
      await go((progress) => replace(note, progress));
      dialog.close();
    } catch (error) {
      replace(note, element("span", { class: "badge bad" }, "Not done"), ` ${error.message}`);
      replace(no, "Close");
      yes.disabled = false;
    }
  });
}
