// A button that copies, in each text that is made for it.

import { copyButton } from "./dom.js";

for (const place of document.querySelectorAll("[data-copy]")) {
  const text = place.textContent;
  place.append(copyButton(() => text));
}
