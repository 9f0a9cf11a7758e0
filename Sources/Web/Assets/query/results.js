// What an answer looks like: a table, or a chart with its legend.

import { copyButton, element, labelSet, labelText, replace } from "../common/dom.js";
import { count, short, time, unitOf, withUnit } from "../common/format.js";
import { drawChart } from "../chart/chart.js";
import { nearest, seriesColor } from "../chart/scale.js";

const rowsAtOnce = 500;
const legendRows = 150;
const mostSeries = 1000;

/** The answer of an instant query as a table (or a sentence for scalars and strings). */
export function showTable(host, data, { utc }) {
  const { resultType, result } = data;
  if (resultType === "scalar" || resultType === "string") {
    return replace(host, element("p", {}, element("b", { class: "mono" }, result[1]), element("span", { class: "faint" }, ` ${resultType} at ${time(result[0] * 1000, utc)}`)));
  }
  if (!result.length) return replace(host, element("p", { class: "empty" }, "The expression is valid and matches nothing at this time."));
  const names = [...new Set(result.flatMap((one) => Object.keys(one.metric)))].filter((name) => name !== "__name__").sort();
  const wide = names.length <= 8 && resultType === "vector";
  const head = element("tr", {},
    wide ? [result.some((one) => one.metric.__name__) ? element("th", {}, "metric") : null, names.map((name) => element("th", {}, element("bdi", {}, name)))] : element("th", {}, "series"),
    element("th", { class: "number" }, "value"));
  const body = element("tbody");
  const more = element("p");
  let shown = 0;
  const grow = () => {
    for (const one of result.slice(shown, shown + rowsAtOnce)) body.append(wide ? wideRow(one, names, result) : narrowRow(one, utc));
    shown = Math.min(shown + rowsAtOnce, result.length);
    replace(more, shown < result.length ? element("button", { type: "button", onclick: grow }, `Show more (${count(result.length - shown)} left)`) : null);
  };
  grow();
  replace(host, element("div", { class: "scroll" }, element("table", {}, element("thead", {}, head), body)), more);
}

function wideRow(one, names, result) {
  return element("tr", {},
    result.some((other) => other.metric.__name__) ? element("td", { class: "mono" }, element("bdi", {}, one.metric.__name__ ?? "")) : null,
    names.map((name) => element("td", { class: "mono" }, element("bdi", {}, one.metric[name] ?? ""))),
    element("td", { class: "number mono" }, one.value ? one.value[1] : histogram(one.histogram[1])));
}

function narrowRow(one, utc) {
  const samples = one.values ?? [];
  return element("tr", {}, element("td", {}, labelSet(one.metric)),
    element("td", { class: "number mono" }, one.value ? one.value[1] : one.histogram ? histogram(one.histogram[1])
      : [samples.map(([at, value]) => element("div", {}, value, element("span", { class: "faint" }, ` @ ${time(at * 1000, utc)}`))),
         (one.histograms ?? []).map(([at, value]) => element("div", {}, histogram(value), element("span", { class: "faint" }, ` @ ${time(at * 1000, utc)}`)))]));
}

/** A native histogram: bars by bucket, with count and sum. */
export function histogram(value) {
  const buckets = value.buckets ?? [];
  const most = Math.max(...buckets.map((bucket) => Number(bucket[3])), 1e-300);
  return element("div", {},
    element("div", { class: "bars", role: "img", "aria-label": `Histogram with ${buckets.length} buckets` }, buckets.map(([, low, high, amount]) =>
      element("i", { title: `${low} to ${high}: ${amount}`, style: { height: `${(100 * Number(amount)) / most}%` } }))),
    element("small", {}, `count ${short(Number(value.count))}, sum ${short(Number(value.sum))}`));
}

/** The answer of a range query as a chart with a legend that isolates series. */
export function showChart(host, data, options) {
  const { result } = data;
  if (!result.length) {
    replace(host, element("p", { class: "empty" }, "The expression is valid and matches nothing in this range."));
    return null;
  }
  const series = result.slice(0, mostSeries).map((one) => ({
    labels: one.metric,
    points: one.values ? one.values.map(([at, value]) => [at, Number(value)]) : (one.histograms ?? []).map(([at, value]) => [at, Number(value.count)]),
    histograms: one.histograms,
  }));
  const isHeat = options.mode === "heatmap";
  const units = new Set(result.map((one) => unitOf(one.metric.__name__)));
  const unit = units.size === 1 ? [...units][0] : "";
  const chartHost = element("div");
  const list = isHeat ? null : legend(series, unit, options.step);
  replace(host,
    result.length > mostSeries ? element("p", { class: "note warn" }, `${count(result.length)} series: the first ${count(mostSeries)} are drawn. Aggregate or narrow the expression to see all.`) : null,
    !isHeat && result.some((one) => one.histograms && !one.values) ? element("p", { class: "faint" }, "Native histograms: their counts are drawn. The heat map shows their buckets.") : null,
    chartHost, list?.node);
  const chart = drawChart(chartHost, series, { ...options, unit, hover: list?.hover });
  if (list) list.chosen = (numbers) => chart.show(numbers);
  return chart;
}

/** The names of series with their values; a click shows one alone, with Ctrl it adds or takes away. */
function legend(series, unit, step) {
  const own = { chosen: () => {} };
  let chosen = null;
  const last = (one) => (one.points.length ? one.points[one.points.length - 1][1] : NaN);
  const items = [];
  const makeItem = (one, index) => {
    const value = element("span", { class: "last" }, withUnit(last(one), unit));
    const button = element("button", { type: "button", "aria-pressed": "false", onclick: (event) => choose(index, event.ctrlKey || event.metaKey) },
      element("span", { class: "swatch", style: { background: seriesColor(index) } }), labelSet(one.labels), value);
    mark(button, index);
    items.push({ button, value, one });
    return element("li", {}, button);
  };
  const mark = (button, index) => {
    button.setAttribute("aria-pressed", String(chosen?.has(index) ?? false));
    button.classList.toggle("dim", chosen !== null && !chosen.has(index));
  };
  const choose = (index, adds) => {
    if (adds) {
      chosen = new Set(chosen ?? series.keys());
      if (!chosen.delete(index)) chosen.add(index);
    } else chosen = chosen?.size === 1 && chosen.has(index) ? null : new Set([index]);
    if (chosen && (chosen.size === 0 || chosen.size === series.length)) chosen = null;
    items.forEach(({ button }, place) => mark(button, place));
    own.chosen(chosen);
  };
  let pending = 0;
  own.hover = (at) => {
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(() => items.forEach(({ value, one }) => {
      const point = at === null ? null : nearest(one.points, at, step);
      value.textContent = at === null ? withUnit(last(one), unit) : point ? withUnit(point[1], unit) : "–";
    }));
  };
  const list = element("ul", { class: "legend", "aria-label": "Legend: choose a series to see it alone" });
  const more = element("li");
  const grow = () => {
    more.remove();
    const from = items.length;
    series.slice(from, from + legendRows).forEach((one, index) => list.append(makeItem(one, from + index)));
    if (items.length < series.length) list.append(replace(more, element("button", { type: "button", onclick: grow }, `Show more (${count(series.length - items.length)} left)`)));
  };
  grow();
  own.node = list;
  return own;
}

/** The answer as tab-separated text, for a spreadsheet. */
export function copyResult(data) {
  return copyButton(() => {
    if (!Array.isArray(data.result) || typeof data.result[0] !== "object") return String(data.result[1]);
    return data.result.map((one) => `${labelText(one.metric)}\t${one.value ? one.value[1] : (one.values ?? []).map((pair) => pair.join(" ")).join("\t")}`).join("\n");
  }, "Copy as text");
}
