// The page of one group: search within it, copy, delete after asking.

import { base } from "../common/api.js";
import { copyButton, element, replace } from "../common/dom.js";

const group = document.querySelector("#group");
const push = group.dataset.push;

for (const place of document.querySelectorAll("[data-copy]")) {
  place.after(copyButton(() => place.textContent));
}

const search = document.querySelector("#family-search");
search?.addEventListener("input", () => {
  const wanted = search.value.trim().toLowerCase();
  for (const family of document.querySelectorAll(".family")) {
    family.hidden = wanted !== "" && !family.textContent.toLowerCase().includes(wanted);
  }
});

document.querySelector("#delete")?.addEventListener("click", () => {
  const note = element("p", {}, "Its metrics disappear from the next scrape. This cannot be undone.");
  const dialog = element("dialog", { "aria-label": "Delete this group" },
    element("h2", {}, "Delete this group?"), note,
    element("div", { class: "bar" },
      element("button", { type: "button", class: "danger", onclick: remove }, "Delete"),
      element("button", { type: "button", onclick: () => dialog.close() }, "Keep it")));
  async function remove() {
    try {
      const answer = await fetch(`${base}/${push}`, { method: "DELETE", headers: { "X-Narthex-Page": "1" } });
      if (!answer.ok) throw new Error(`The server answered ${answer.status}: ${(await answer.text()).trim()}`);
      location.assign(`${base}/`);
    } catch (error) {
      replace(note, element("span", { class: "badge bad" }, "Not deleted"), ` ${error.message}`);
    }
  }
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
});
