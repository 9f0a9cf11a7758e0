// The gateway's own health, sampled from its own metrics while the page is open, as small lines.

import { base } from "../common/api.js";
import { element, replace, svg } from "../common/dom.js";
import { bytes, short } from "../common/format.js";

const host = document.querySelector("#health");
const every = 2000;
const history = new Map();
const tiles = [
  ["Pushes a second", "pushgateway_http_requests_total", (labels) => /handler="push"/.test(labels), "rate", short],
  ["Groups", "narthex_gateway_groups", () => true, "last", short],
  ["Series", "narthex_gateway_series", () => true, "last", short],
  ["Journal", "narthex_gateway_journal_bytes", () => true, "last", bytes],
  ["Memory", "process_resident_memory_bytes", () => true, "last", bytes],
  ["CPU cores", "process_cpu_seconds_total", () => true, "rate", short],
];

/** Sums the samples of one family whose labels are wanted; null if there are none. */
function sum(text, name, wanted) {
  let total = null;
  for (const line of text.split("\n")) {
    if (!line.startsWith(name)) continue;
    const match = /^([^{ ]+)(\{.*\})? (\S+)$/.exec(line);
    if (match && match[1] === name && wanted(match[2] ?? "")) total = (total ?? 0) + Number(match[3]);
  }
  return total;
}

async function sample() {
  if (document.hidden) return;
  try {
    const text = await (await fetch(`${base}/${host.dataset.metrics}`, { headers: { Accept: "text/plain" } })).text();
    const now = performance.now() / 1000;
    for (const [title, name, wanted, how] of tiles) {
      const value = sum(text, name, wanted);
      const line = history.get(title) ?? [];
      history.set(title, line);
      if (value === null) continue;
      const previous = line.raw;
      line.raw = [now, value];
      if (how === "last") line.push(value);
      else if (previous) line.push(Math.max(0, (value - previous[1]) / (now - previous[0])));
      if (line.length > 120) line.shift();
    }
    draw();
  } catch {
    replace(host, element("p", { class: "note bad" }, "The gateway does not answer."));
  }
}

function draw() {
  replace(host, tiles.filter(([title]) => history.get(title)?.length).map(([title, , , , write]) => {
    const line = history.get(title);
    return element("div", { class: "tile" }, element("span", {}, title), element("b", {}, write(line[line.length - 1])), spark(line));
  }));
}

function spark(values) {
  const high = Math.max(...values, 1e-12);
  const points = values.map((value, index) => `${(index / Math.max(values.length - 1, 1)) * 100} ${28 - (value / high) * 26}`);
  return svg("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("path", { class: "area", d: `M0 30L${points.join("L")}L100 30Z` }), svg("path", { d: `M${points.join("L")}` }));
}

sample();
setInterval(sample, every);
