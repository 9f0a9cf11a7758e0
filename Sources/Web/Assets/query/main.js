// The query page: panels, their state in the address, history, and the explorer of metrics.

import { api } from "../common/api.js";
import { showDialog } from "../common/dialog.js";
import { element, labelText, replace } from "../common/dom.js";
import { count } from "../common/format.js";
import { rank } from "./language.js";
import { emptyPanel, makePanel } from "./panel.js";
import { decode, encode } from "./state.js";

const host = document.querySelector("#panels");
const panels = [];
let utc = stored("utc", "true") === "true";
/** Whether the panels of the address are all there, so that changes are the user's. */
let settled = false;

function stored(key, otherwise) {
  try {
    return localStorage.getItem(`narthex.${key}`) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function store(key, value) {
  try {
    localStorage.setItem(`narthex.${key}`, value);
  } catch { /* Private windows have no storage: then nothing is remembered. */ }
}

const cache = new Map();

/** Asks once for each key and remembers the answer for a minute. */
function once(key, ask) {
  const known = cache.get(key);
  if (known && Date.now() - known.at < 60000) return known.promise;
  const promise = ask().catch((error) => { cache.delete(key); throw error; });
  cache.set(key, { at: Date.now(), promise });
  return promise;
}

const names = {
  metrics: () => once("metrics", async () => {
    const [values, metadata] = await Promise.all([api("label/__name__/values"), api("metadata", { limit_per_metric: 1 }).catch(() => ({ data: {} }))]);
    return values.data.map((text) => {
      const known = metadata.data[text]?.[0];
      return { text, kind: "metric", what: known ? `${known.type}: ${known.help}` : "metric" };
    });
  }),
  labels: (metric) => once(`labels ${metric}`, async () => (await api("labels", metric ? { "match[]": selector(metric) } : {})).data.filter((name) => name !== "__name__")),
  values: (label, metric) => once(`values ${label} ${metric}`, async () => (await api(`label/${encodeURIComponent(label)}/values`, { limit: 2000, ...(metric ? { "match[]": selector(metric) } : {}) })).data),
};

/** A metric as it is written in PromQL. */
const selectorText = (metric) => labelText({ __name__: metric });

const selector = (metric) => `{__name__=${JSON.stringify(metric)}}`;

const shared = {
  names,
  utc: () => utc,
  changed: () => remember(),
  remember: (expression) => {
    const list = [expression, ...past().filter((one) => one !== expression)].slice(0, 50);
    store("history", JSON.stringify(list));
  },
  remove: (panel) => {
    if (panels.length === 1) return panel.setText("");
    panels.splice(panels.indexOf(panel), 1);
    panel.node.remove();
    shared.changed();
  },
};

/** Puts the panels into the address; what was there before is one step back. */
function remember() {
  const search = `?${encode(panels.map((panel) => panel.state))}`;
  if (search === location.search) return;
  history[location.search && settled ? "pushState" : "replaceState"](null, "", search);
}

function past() {
  try {
    const list = JSON.parse(stored("history", "[]"));
    return Array.isArray(list) ? list.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

function add(state, run = true) {
  const panel = makePanel(state, shared);
  panels.push(panel);
  host.append(panel.node);
  if (run) panel.run();
  return panel;
}

function target() {
  return panels.find((panel) => panel.node.contains(document.activeElement)) ?? panels[panels.length - 1];
}

function historyDialog() {
  const list = past();
  const dialog = showDialog("History", list.length
    ? element("ul", { class: "legend" }, list.map((text) => element("li", {}, element("button", { type: "button", class: "mono", onclick: () => { dialog.close(); target().setText(text); } }, element("bdi", {}, text)))))
    : element("p", { class: "faint" }, "Expressions that were answered are listed here, in this browser only."),
    element("div", { class: "bar" }, element("button", { type: "button", onclick: () => dialog.close() }, "Close"),
      list.length ? element("button", { type: "button", class: "quiet push", onclick: () => { store("history", "[]"); dialog.close(); } }, "Forget all") : null));
}

async function explorer() {
  const goal = target();
  const search = element("input", { type: "search", placeholder: "Search names and help texts", "aria-label": "Search names and help texts" });
  const found = element("p", { class: "faint", role: "status" });
  const list = element("ul", { class: "legend tall" });
  const dialog = showDialog("Metrics", search, found, list, element("div", { class: "bar" }, element("button", { type: "button", onclick: () => dialog.close() }, "Close")));
  try {
    const all = await names.metrics();
    const draw = () => {
      const wanted = search.value.trim().toLowerCase();
      const named = rank(all, wanted, 200);
      const described = wanted ? all.filter((metric) => metric.what.toLowerCase().includes(wanted) && !named.includes(metric)) : [];
      const shown = wanted ? [...named, ...described].slice(0, 200) : all.slice(0, 200);
      replace(found, `${count(shown.length)} of ${count(all.length)} metrics`);
      replace(list, shown.map((metric) => element("li", {}, element("button", { type: "button", onclick: () => { dialog.close(); goal.setText(selectorText(metric.text)); } },
        element("bdi", { class: "mono" }, metric.text), element("span", { class: "last faint" }, element("bdi", {}, metric.what))))));
    };
    search.addEventListener("input", draw);
    draw();
  } catch (error) {
    replace(list, element("li", { class: "note bad" }, error.message));
  }
}

function toolbar() {
  const clock = element("label", { class: "check" }, element("input", { type: "checkbox", checked: !utc, onchange: (event) => {
    utc = !event.target.checked;
    store("utc", String(utc));
    panels.forEach((panel) => panel.run());
  } }), "Local time");
  replace(document.querySelector("#toolbar"),
    element("button", { type: "button", onclick: explorer }, "Metrics explorer"),
    element("button", { type: "button", onclick: historyDialog }, "History"),
    element("button", { type: "button", onclick: () => panels.forEach((panel) => panel.run()) }, "Run all"),
    element("span", { class: "push" }, clock));
}

/** Makes the panels that the address names. */
function restore() {
  settled = false;
  panels.length = 0;
  replace(host);
  const states = decode(location.search);
  (states.length ? states : [emptyPanel()]).forEach((state) => add(state));
  settled = true;
  return states.length;
}

toolbar();
if (!restore()) panels[0].focus();
addEventListener("popstate", restore);
replace(document.querySelector("#below"), element("button", { type: "button", onclick: () => { add(emptyPanel()).focus(); shared.changed(); } }, "Add panel"));
