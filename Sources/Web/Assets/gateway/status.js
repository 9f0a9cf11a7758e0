// The gateway's own health, sampled from its own metrics while the page is open, as small lines.

import { base } from "../common/api.js";
import { replace, svg } from "../common/dom.js";
import { bytes, short } from "../common/format.js";

const host = document.querySelector("#health");
const every = 2000;
const kept = 120;
const tiles = {
  pushes: { family: "pushgateway_http_requests_total", wanted: (labels) => /handler="push"/.test(labels), rate: true, write: short },
  refused: { family: "narthex_gateway_pushes_refused_total", rate: true, write: short },
  groups: { family: "narthex_gateway_groups", write: short },
  journal: { family: "narthex_gateway_journal_bytes", write: bytes },
  memory: { family: "process_resident_memory_bytes", write: bytes },
  cpu: { family: "process_cpu_seconds_total", rate: true, write: (value) => value.toFixed(2) },
};
const lines = new Map(Object.keys(tiles).map((name) => [name, { values: [], last: null }]));

/** Sums the samples of each family that a tile wants. */
export function read(text) {
  const sums = {};
  for (const line of text.split("\n")) {
    const match = /^([a-z_]+)(\{.*\})? (\S+)$/.exec(line);
    if (!match) continue;
    for (const [name, { family, wanted }] of Object.entries(tiles)) {
      if (family === match[1] && (!wanted || wanted(match[2] ?? ""))) sums[name] = (sums[name] ?? 0) + Number(match[3]);
    }
  }
  return sums;
}

async function sample() {
  if (document.hidden) return;
  try {
    const answer = await fetch(`${base}/${host.dataset.metrics}`, { headers: { Accept: "text/plain" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const sums = read(await answer.text());
    const now = performance.now() / 1000;
    for (const [name, tile] of Object.entries(tiles)) add(lines.get(name), tile, sums[name], now);
    host.classList.remove("stale");
  } catch {
    host.classList.add("stale");
  }
}

function add(line, { rate }, value, now) {
  if (value === undefined) return;
  if (!rate) line.values.push(value);
  else if (line.last) line.values.push(Math.max(0, (value - line.last.value) / Math.max(now - line.last.at, 0.001)));
  line.last = { at: now, value };
  if (line.values.length > kept) line.values.shift();
}

function draw() {
  for (const tile of host.querySelectorAll("[data-tile]")) {
    const { values } = lines.get(tile.dataset.tile);
    if (!values.length) continue;
    replace(tile.querySelector("b"), tiles[tile.dataset.tile].write(values[values.length - 1]));
    const high = Math.max(...values, 1e-12);
    // The newest value stands at the right edge.
    const points = values.map((value, index) => `${100 - ((values.length - 1 - index) / (kept - 1)) * 100} ${29 - (value / high) * 27}`);
    if (values.length < 2) continue;
    const left = points[0].split(" ")[0];
    replace(tile.querySelector("svg"), svg("path", { class: "area", d: `M${left} 30L${points.join("L")}L100 30Z` }), svg("path", { d: `M${points.join("L")}` }));
  }
}

async function step() {
  await sample();
  draw();
}

step();
setTimeout(step, 400);
setInterval(step, every);
