// The query page: panels, their state in the address, history, and the explorer of metrics.

import { api } from "../common/api.js";
import { element, replace } from "../common/dom.js";
import { count } from "../common/format.js";
import { rank } from "./language.js";
import { emptyPanel, makePanel } from "./panel.js";
import { decode, encode } from "./state.js";

const host = document.querySelector("#panels");
const panels = [];
let utc = stored("utc", "true") === "true";

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

const selector = (metric) => `{__name__=${JSON.stringify(metric)}}`;

const shared = {
  names,
  utc: () => utc,
  changed: () => history.replaceState(null, "", `?${encode(panels.map((panel) => panel.state))}`),
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
  const dialog = element("dialog", { "aria-label": "History" });
  const list = past();
  dialog.append(element("h2", {}, "History"), list.length
    ? element("ul", { class: "legend" }, list.map((text) => element("li", {}, element("button", { type: "button", class: "mono", onclick: () => { dialog.close(); target().setText(text); } }, text))))
    : element("p", { class: "faint" }, "Expressions that were answered are listed here, in this browser only."),
    element("div", { class: "bar" }, element("button", { type: "button", onclick: () => dialog.close() }, "Close"),
      list.length ? element("button", { type: "button", class: "quiet push", onclick: () => { store("history", "[]"); dialog.close(); } }, "Forget all") : null));
  open(dialog);
}

async function explorer() {
  const dialog = element("dialog", { "aria-label": "Metrics explorer" });
  const search = element("input", { type: "search", placeholder: "Search metrics", "aria-label": "Search metrics" });
  const list = element("ul", { class: "legend" });
  dialog.append(element("h2", {}, "Metrics"), search, list, element("div", { class: "bar" }, element("button", { type: "button", onclick: () => dialog.close() }, "Close")));
  open(dialog);
  try {
    const all = await names.metrics();
    const draw = () => {
      const found = search.value ? rank(all, search.value, 200) : all.slice(0, 200);
      replace(list, found.map((metric) => element("li", {}, element("button", { type: "button", onclick: () => { dialog.close(); target().setText(metric.text); } },
        element("span", { class: "mono" }, metric.text), element("span", { class: "last faint" }, metric.what)))),
        element("li", { class: "faint" }, `${count(found.length)} of ${count(all.length)} metrics`));
    };
    search.addEventListener("input", draw);
    draw();
  } catch (error) {
    replace(list, element("li", { class: "note bad" }, error.message));
  }
}

function open(dialog) {
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
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

toolbar();
replace(host);
const states = decode(location.search);
(states.length ? states : [emptyPanel()]).forEach((state) => add(state));
replace(document.querySelector("#below"), element("button", { type: "button", onclick: () => { add(emptyPanel()).focus(); shared.changed(); } }, "Add panel"));
if (!states.length) panels[0].focus();
