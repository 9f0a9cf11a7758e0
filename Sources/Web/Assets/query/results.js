// What an answer looks like: a table, or a chart with its legend.

import { copyButton, element, labelSet, labelText, replace } from "../common/dom.js";
import { count, short, time } from "../common/format.js";
import { drawChart } from "../chart/chart.js";
import { seriesColor } from "../chart/scale.js";

const rowsAtOnce = 500;

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
    wide ? [result.some((one) => one.metric.__name__) ? element("th", {}, "metric") : null, names.map((name) => element("th", {}, name))] : element("th", {}, "series"),
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
    result.some((other) => other.metric.__name__) ? element("td", { class: "mono" }, one.metric.__name__ ?? "") : null,
    names.map((name) => element("td", { class: "mono" }, one.metric[name] ?? "")),
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

/** The answer of a range query as a chart with a legend that isolates a series. */
export function showChart(host, data, options) {
  const { result } = data;
  if (!result.length) {
    replace(host, element("p", { class: "empty" }, "The expression is valid and matches nothing in this range."));
    return null;
  }
  const limit = 2000;
  const series = result.slice(0, limit).map((one) => ({
    labels: one.metric,
    points: one.values ? one.values.map(([at, value]) => [at, Number(value)]) : (one.histograms ?? []).map(([at, value]) => [at, Number(value.count)]),
  }));
  const chartHost = element("div");
  const legend = element("ul", { class: "legend", "aria-label": "Legend: choose a series to see it alone" });
  replace(host,
    result.length > limit ? element("p", { class: "note warn" }, `${count(result.length)} series: the first ${count(limit)} are drawn. Aggregate or narrow the expression to see all.`) : null,
    result.some((one) => one.histograms && !one.values) ? element("p", { class: "faint" }, "Native histograms: their counts are drawn; use histogram_quantile() for more.") : null,
    chartHost, legend);
  const chart = drawChart(chartHost, series, options);
  if (options.mode !== "heatmap") {
    const items = series.slice(0, rowsAtOnce).map((one, index) => {
      const last = one.points.length ? one.points[one.points.length - 1][1] : NaN;
      const button = element("button", {
        type: "button", "aria-pressed": "false",
        onclick: () => {
          const alone = chart.isolate(index);
          buttons.forEach((other, place) => other.setAttribute("aria-pressed", String(place === alone)));
        },
      }, element("span", { class: "swatch", style: { background: seriesColor(index) } }), labelSet(one.labels), element("span", { class: "last" }, short(last)));
      return button;
    });
    const buttons = items;
    replace(legend, items.map((button) => element("li", {}, button)), series.length > rowsAtOnce ? element("li", { class: "faint" }, `and ${series.length - rowsAtOnce} more`) : null);
  }
  return chart;
}

/** The answer as tab-separated text, for a spreadsheet. */
export function copyResult(data) {
  return copyButton(() => {
    if (!Array.isArray(data.result) || typeof data.result[0] !== "object") return String(data.result[1]);
    return data.result.map((one) => `${labelText(one.metric)}\t${one.value ? one.value[1] : (one.values ?? []).map((pair) => pair.join(" ")).join("\t")}`).join("\n");
  }, "Copy as text");
}
