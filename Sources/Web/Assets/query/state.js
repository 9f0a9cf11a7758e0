// Panels in the page's address, under the names that Prometheus' own pages use, so that old links keep working.

import { duration, parseDuration } from "../common/format.js";

const defaults = { expr: "", tab: "graph", range: 3600, end: null, step: null, mode: "lines", exemplars: false };

/** Panel states → "g0.expr=…&g0.tab=0&g0.range_input=1h…". */
export function encode(states) {
  const form = new URLSearchParams();
  states.forEach((state, index) => {
    const set = (name, value) => form.append(`g${index}.${name}`, value);
    set("expr", state.expr);
    set("tab", { graph: "0", table: "1", explain: "2" }[state.tab]);
    set("range_input", duration(state.range));
    if (state.end) set("end_input", new Date(state.end * 1000).toISOString().slice(0, 19).replace("T", " "));
    if (state.step) set("step_input", String(state.step));
    if (state.mode !== "lines") set("display_mode", state.mode);
    if (state.exemplars) set("show_exemplars", "1");
  });
  return form.toString();
}

/** The other way; also reads what Prometheus 2 and 3 wrote (tab=graph, moment_input, stacked=1). */
export function decode(search) {
  const byIndex = new Map();
  for (const [name, value] of new URLSearchParams(search)) {
    const match = /^g(\d{1,3})\.(\w+)$/.exec(name);
    if (!match) continue;
    const index = Number(match[1]);
    const state = byIndex.get(index) ?? { ...defaults };
    byIndex.set(index, state);
    read(state, match[2], value);
  }
  return [...byIndex].sort((a, b) => a[0] - b[0]).map(([, state]) => state);
}

function read(state, name, value) {
  switch (name) {
    case "expr": state.expr = value; break;
    case "tab": state.tab = { 0: "graph", graph: "graph", 1: "table", table: "table", 2: "explain", explain: "explain" }[value] ?? "graph"; break;
    case "range_input": { const seconds = parseDuration(value); if (seconds > 0) state.range = seconds; break; }
    case "end_input": case "moment_input": { const at = Date.parse(`${value.replace(" ", "T")}Z`) / 1000; if (Number.isFinite(at)) state.end = at; break; }
    case "step_input": { const seconds = Number(value) || parseDuration(value); if (seconds > 0) state.step = seconds; break; }
    case "display_mode": state.mode = ["lines", "stacked", "heatmap"].includes(value) ? value : "lines"; break;
    case "stacked": if (value === "1") state.mode = "stacked"; break;
    case "show_exemplars": state.exemplars = value === "1"; break;
  }
}
