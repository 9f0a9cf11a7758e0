// One question and its answers: editor, tabs (table, graph, explain), range controls.

import { api, base } from "../common/api.js";
import { element, replace } from "../common/dom.js";
import { bytes, count, duration, parseDuration, time } from "../common/format.js";
import { makeEditor } from "./editor.js";
import { explain } from "./explain.js";
import { copyResult, showChart, showTable } from "./results.js";

let panels = 0;
const ranges = ["5m", "15m", "1h", "6h", "12h", "1d", "2d", "1w", "2w", "4w", "8w", "1y"];

/** The state of a panel that is kept in the page's address. */
export function emptyPanel() {
  return { expr: "", tab: "graph", range: 3600, end: null, step: null, mode: "lines", exemplars: false };
}

/** Makes a panel. `shared` has names, utc(), remember(expression), changed(), remove(panel). */
export function makePanel(state, shared) {
  let controller = null;
  let chart = null;
  const id = `panel-${++panels}`;
  const output = element("div", { class: "output", role: "tabpanel", id: `${id}-output` });
  const progress = element("div", { class: "progress", "aria-hidden": "true" });
  const facts = element("div", { class: "faint facts-line", role: "status" });

  const run = async () => {
    const text = editor.text.trim();
    state.expr = text;
    shared.changed();
    controller?.abort();
    chart?.stop();
    chart = null;
    output.dataset.tab = state.tab;
    if (!text) replace(facts);
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
      replace(output, element("p", { class: "note bad", role: "alert" }, element("b", {}, `${error.type ?? "error"}: `), element("bdi", {}, error.message)));
    }
    progress.classList.remove("busy");
  };

  const show = (answer) => {
    const { data } = answer;
    const series = Array.isArray(data.result) && data.resultType !== "scalar" && data.resultType !== "string" ? data.result.length : 1;
    replace(facts, state.tab === "explain" ? "" : `${count(series)} ${series === 1 ? "result" : "results"} in ${Math.round(answer.milliseconds)} ms`,
      state.tab === "graph" ? `, step ${duration(answer.step)}` : "", data.stats ? statistics(data.stats, answer.size) : null);
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
    output.querySelectorAll(".scroll").forEach((part) => part.setAttribute("tabindex", "0"));
  };

  const editor = makeEditor({ text: state.expr, names: shared.names, run, change: (text) => (state.expr = text) });
  const bar = element("div", { class: "bar" });
  const controls = () => replace(bar, state.tab === "graph" ? graphControls(state, shared, () => { controls(); run(); }) : state.tab === "table" ? timeControls(state, shared, () => { controls(); run(); }) : null);
  const names = ["table", "graph", "explain"];
  const choose = (name) => {
    state.tab = name;
    names.forEach((one, index) => {
      tabs[index].setAttribute("aria-selected", String(one === name));
      tabs[index].setAttribute("tabindex", one === name ? "0" : "-1");
    });
    controls();
    run();
  };
  const tabs = names.map((name, index) => element("button", {
    type: "button", role: "tab", "aria-selected": String(state.tab === name), "aria-controls": `${id}-output`, tabindex: state.tab === name ? "0" : "-1",
    onclick: () => choose(name),
    onkeydown: (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!move) return;
      const next = (index + move + names.length) % names.length;
      choose(names[next]);
      tabs[next].focus();
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
  if (state.tab === "table") return api("query", { query, time: state.end ?? undefined, stats: "true" }, { method: "POST", signal });
  if (state.tab === "explain") {
    const tree = await api("parse_query", { query }, { method: "POST", signal });
    return { ...tree, query, time: state.end };
  }
  const end = state.end ?? Date.now() / 1000;
  const start = end - state.range;
  const step = state.step ?? Math.max(Math.ceil((state.range / 250) * 1000) / 1000, 0.001);
  const round = (seconds) => Math.round(seconds * 1000) / 1000;
  const parameters = { query, start: round(start), end: round(end), step: round(step), stats: "true" };
  const answer = await api("query_range", parameters, { method: "POST", signal });
  let exemplars = [];
  if (state.exemplars) {
    const found = await api("query_exemplars", { query, start: parameters.start, end: parameters.end }, { method: "POST", signal });
    exemplars = found.data.flatMap((one) => one.exemplars.map((exemplar) => ({ ...exemplar, seriesLabels: one.seriesLabels }))).slice(0, 500);
  }
  return { ...answer, start: parameters.start, end: parameters.end, step: parameters.step, exemplars };
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

/** What the query took, in full. */
function statistics({ timings = {}, samples = {} }, size) {
  const rows = [
    ["Samples read", count(samples.samplesRead ?? samples.totalQueryableSamples ?? 0)], ["Samples over all steps", count(samples.totalQueryableSamples ?? 0)],
    ["Most samples at once", count(samples.peakSamples ?? 0)], ["Size of the answer", bytes(size)],
    ...[["evalTotalTime", "Evaluation"], ["execQueueTime", "In the queue"], ["queryPreparationTime", "Preparation"], ["innerEvalTime", "Inner evaluation"], ["resultSortTime", "Sorting"], ["execTotalTime", "All in the server"]]
      .filter(([key]) => timings[key] !== undefined).map(([key, title]) => [title, `${(timings[key] * 1000).toFixed(2)} ms`]),
  ];
  return element("details", { class: "statistics" }, element("summary", {}, "Statistics"),
    element("dl", { class: "facts" }, rows.map(([title, value]) => [element("dt", {}, title), element("dd", {}, value)])));
}

function pictureLink(state, answer) {
  const parameters = new URLSearchParams({ query: state.expr, start: answer.start.toFixed(3), end: answer.end.toFixed(3), step: String(answer.step), mode: state.mode });
  if (state.exemplars) parameters.set("exemplars", "1");
  return element("a", { class: "button", href: `${base}/api/v1/graph.svg?${parameters}`, target: "_blank", rel: "noopener" }, "As a picture");
}
