// One question and its answers: editor, tabs (table, graph, explain), range controls.

import { api, base } from "../common/api.js";
import { element, replace } from "../common/dom.js";
import { count, duration, parseDuration, time } from "../common/format.js";
import { makeEditor } from "./editor.js";
import { explain } from "./explain.js";
import { copyResult, showChart, showTable } from "./results.js";

const ranges = ["5m", "15m", "1h", "6h", "12h", "1d", "2d", "1w", "2w", "4w", "8w", "1y"];

/** The state of a panel that is kept in the page's address. */
export function emptyPanel() {
  return { expr: "", tab: "graph", range: 3600, end: null, step: null, mode: "lines", exemplars: false };
}

/** Makes a panel. `shared` has names, utc(), remember(expression), changed(), remove(panel). */
export function makePanel(state, shared) {
  let controller = null;
  let chart = null;
  const output = element("div", { "aria-live": "polite" });
  const progress = element("div", { class: "progress", "aria-hidden": "true" });
  const facts = element("p", { class: "faint" });

  const run = async () => {
    const text = editor.text.trim();
    state.expr = text;
    shared.changed();
    controller?.abort();
    chart?.stop();
    if (!text) return replace(output, element("p", { class: "empty" }, "Type an expression, or pick a metric from the explorer, and press Enter."));
    controller = new AbortController();
    progress.classList.add("busy");
    try {
      const answer = await ask(text, state, controller.signal);
      show(answer);
      shared.remember(text);
    } catch (error) {
      if (error.name === "AbortError") return;
      editor.mark(error.message);
      replace(facts);
      replace(output, element("p", { class: "note bad", role: "alert" }, element("b", {}, `${error.type ?? "error"}: `), error.message));
    }
    progress.classList.remove("busy");
  };

  const show = (answer) => {
    const { data } = answer;
    const series = Array.isArray(data.result) && data.resultType !== "scalar" && data.resultType !== "string" ? data.result.length : 1;
    replace(facts, state.tab === "explain" ? "" : `${count(series)} ${series === 1 ? "result" : "results"} in ${Math.round(answer.milliseconds)} ms`,
      data.stats ? `, ${count(data.stats.samples?.totalQueryableSamples ?? 0)} samples read` : "",
      state.tab === "graph" ? `, step ${duration(answer.step)}` : "");
    const notes = [...(answer.warnings ?? []).map((text) => ["warn", text]), ...(answer.infos ?? []).map((text) => ["", text])];
    const body = element("div");
    replace(output, notes.map(([kind, text]) => element("p", { class: `note ${kind}` }, text)), body);
    if (state.tab === "table") showTable(body, data, { utc: shared.utc() });
    else if (state.tab === "explain") explain(body, answer, shared);
    else chart = showChart(body, data, {
      start: answer.start, end: answer.end, step: answer.step, mode: state.mode, utc: shared.utc(), title: state.expr, exemplars: answer.exemplars,
      zoom: (start, end) => { state.range = Math.max(1, Math.round(end - start)); state.end = Math.round(end); controls(); run(); },
    });
    if (state.tab !== "explain") body.append(element("div", { class: "bar" }, copyResult(data), state.tab === "graph" ? pictureLink(state, answer) : null));
  };

  const editor = makeEditor({ text: state.expr, names: shared.names, run, change: (text) => (state.expr = text) });
  const bar = element("div", { class: "bar" });
  const controls = () => replace(bar, state.tab === "graph" ? graphControls(state, shared, () => { controls(); run(); }) : state.tab === "table" ? timeControls(state, shared, () => { controls(); run(); }) : null);
  const tabs = ["table", "graph", "explain"].map((name) => element("button", {
    type: "button", role: "tab", "aria-selected": String(state.tab === name),
    onclick: () => {
      state.tab = name;
      tabs.forEach((tab, index) => tab.setAttribute("aria-selected", String(["table", "graph", "explain"][index] === name)));
      controls();
      run();
    },
  }, name[0].toUpperCase() + name.slice(1)));
  const node = element("section", { class: "panel", "aria-label": "Query" },
    element("div", { class: "bar" }, editor.node,
      element("button", { type: "button", class: "primary", onclick: run }, "Run"),
      element("button", { type: "button", onclick: async () => {
        try {
          editor.text = (await api("format_query", { query: editor.text })).data;
        } catch (error) {
          editor.mark(error.message);
          replace(output, element("p", { class: "note bad", role: "alert" }, error.message));
        }
      } }, "Format"),
      element("button", { type: "button", class: "quiet", "aria-label": "Remove this panel", onclick: () => shared.remove(panel) }, "✕")),
    progress,
    element("div", { class: "tabs", role: "tablist" }, tabs), bar, facts, output);
  controls();
  const panel = { node, state, run, setText: (text) => { editor.text = text; state.expr = text; run(); }, focus: editor.focus };
  return panel;
}

async function ask(query, state, signal) {
  if (state.tab === "table") return api("query", { query, time: state.end ?? undefined, stats: "all" }, { method: "POST", signal });
  if (state.tab === "explain") {
    const tree = await api("parse_query", { query }, { method: "POST", signal });
    return { ...tree, query, time: state.end };
  }
  const end = state.end ?? Date.now() / 1000;
  const start = end - state.range;
  const step = state.step ?? Math.max(Math.ceil((state.range / 250) * 1000) / 1000, 0.001);
  const round = (seconds) => Math.round(seconds * 1000) / 1000;
  const parameters = { query, start: round(start), end: round(end), step: round(step), stats: "all" };
  const answer = await api("query_range", parameters, { method: "POST", signal });
  let exemplars = [];
  if (state.exemplars) {
    const found = await api("query_exemplars", { query, start: parameters.start, end: parameters.end }, { method: "POST", signal });
    exemplars = found.data.flatMap((one) => one.exemplars.map((exemplar) => ({ ...exemplar, seriesLabels: one.seriesLabels }))).slice(0, 500);
  }
  return { ...answer, start, end, step, exemplars };
}

function graphControls(state, shared, again) {
  const position = ranges.findIndex((text) => parseDuration(text) >= state.range);
  const range = element("input", { type: "text", size: 6, value: duration(state.range), "aria-label": "Range", onchange: (event) => {
    const seconds = parseDuration(event.target.value);
    if (seconds > 0) { state.range = seconds; again(); } else event.target.value = duration(state.range);
  } });
  const turn = (by) => () => {
    const next = ranges[Math.min(Math.max((position < 0 ? ranges.length : position) + by, 0), ranges.length - 1)];
    state.range = parseDuration(next);
    again();
  };
  const shift = (by) => () => {
    const end = (state.end ?? Date.now() / 1000) + by * state.range * 0.5;
    state.end = end >= Date.now() / 1000 ? null : Math.round(end);
    again();
  };
  const step = element("input", { type: "text", size: 6, placeholder: "auto step", value: state.step ? duration(state.step) : "", "aria-label": "Step", onchange: (event) => {
    const seconds = parseDuration(event.target.value);
    state.step = seconds > 0 ? seconds : null;
    again();
  } });
  const modes = [["lines", "Lines"], ["stacked", "Stacked"], ["heatmap", "Heat map"]];
  return [
    element("span", { class: "group" }, element("button", { type: "button", "aria-label": "Shorter range", onclick: turn(-1) }, "−"), range, element("button", { type: "button", "aria-label": "Longer range", onclick: turn(1) }, "+")),
    element("span", { class: "group" }, element("button", { type: "button", "aria-label": "Earlier", onclick: shift(-1) }, "◀"), endInput(state, shared, again), element("button", { type: "button", "aria-label": "Later", onclick: shift(1) }, "▶")),
    step,
    element("span", { class: "group" }, modes.map(([mode, name]) => element("button", { type: "button", "aria-pressed": String(state.mode === mode), onclick: () => { state.mode = mode; again(); } }, name))),
    element("label", { class: "check" }, element("input", { type: "checkbox", checked: state.exemplars, onchange: (event) => { state.exemplars = event.target.checked; again(); } }), "Exemplars"),
  ];
}

function timeControls(state, shared, again) {
  return [element("label", {}, "At ", endInput(state, shared, again))];
}

function endInput(state, shared, again) {
  return element("input", {
    type: "text", size: 19, placeholder: "now", "aria-label": "End time, empty for now", value: state.end ? time(state.end * 1000, shared.utc()) : "",
    onchange: (event) => {
      const text = event.target.value.trim();
      const at = Date.parse(`${text.replace(" ", "T")}${shared.utc() && !/[Zz]|[+-]\d\d:\d\d$/.test(text) ? "Z" : ""}`) / 1000;
      state.end = text && Number.isFinite(at) ? at : null;
      again();
    },
  });
}

function pictureLink(state, answer) {
  const parameters = new URLSearchParams({ query: state.expr, start: answer.start.toFixed(3), end: answer.end.toFixed(3) });
  return element("a", { class: "button", href: `${base}/api/v1/graph.svg?${parameters}`, target: "_blank", rel: "noopener" }, "As a picture");
}
