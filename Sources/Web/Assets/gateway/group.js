// The page of one group: search within it, copy, delete after asking.

import { base, send } from "../common/api.js";
import { confirmDialog } from "../common/dialog.js";
import { copyButton } from "../common/dom.js";

const group = document.querySelector("#group");

for (const place of document.querySelectorAll("[data-copy]")) {
  // The server may stand behind another name, or behind something that speaks TLS.
  place.textContent = place.textContent.replace(/https?:\/\/[^/']+/, location.origin);
  place.append(copyButton(() => place.firstChild.textContent));
}

const text = document.querySelector("#as-text");
text.after(copyButton(async () => (await fetch(text.href)).text(), "Copy as text"));

const search = document.querySelector("#family-search");
search?.addEventListener("input", () => {
  const wanted = search.value.trim().toLowerCase();
  for (const family of document.querySelectorAll(".family")) {
    family.hidden = wanted !== "" && !family.textContent.toLowerCase().includes(wanted);
  }
});

const remove = document.querySelector("#delete");
remove.hidden = false;
remove.addEventListener("click", () => confirmDialog({
  title: "Delete this group?", text: "Its metrics disappear from the next scrape. This cannot be undone.", action: "Delete",
  go: async () => {
    await send("DELETE", group.dataset.push);
    location.assign(`${base}/`);
  },
}));
