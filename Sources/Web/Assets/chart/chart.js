// A time chart in SVG: lines, stacked areas or a heat map; hover shows all values, dragging zooms.

import { element, replace, svg, labelText } from "../common/dom.js";
import { short, time } from "../common/format.js";
import { segments, seriesColor, stack, timeTicks, valueTicks } from "./scale.js";

const margin = { left: 58, right: 12, top: 10, bottom: 24 };

/**
 * Draws `series` ([{ labels, points: [[seconds, value]] }]) into `host`.
 * Options: start, end, step (seconds), mode "lines" | "stacked" | "heatmap", utc, title,
 * zoom(start, end) after a drag, exemplars [{ labels, value, timestamp, seriesLabels }].
 */
export function drawChart(host, series, options) {
  const chart = new Chart(host, series, options);
  chart.draw();
  const observer = new ResizeObserver(() => chart.draw());
  observer.observe(host);
  return { isolate: (index) => chart.isolate(index), stop: () => observer.disconnect() };
}

class Chart {
  constructor(host, series, options) {
    Object.assign(this, { host, series, options, isolated: null, width: 0 });
    this.host.classList.add("chart");
  }

  isolate(index) {
    this.isolated = this.isolated === index ? null : index;
    this.width = 0;
    this.draw();
    return this.isolated;
  }

  draw() {
    const width = Math.max(this.host.clientWidth, 260);
    if (width === this.width) return;
    this.width = width;
    const height = width < 500 ? 256 : 352;
    const plot = { left: margin.left, right: width - margin.right, top: margin.top, bottom: height - margin.bottom };
    const { start, end } = this.options;
    this.x = (seconds) => plot.left + ((seconds - start) / Math.max(end - start, 1e-9)) * (plot.right - plot.left);
    this.plot = plot;
    const root = svg("svg", {
      viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": `${this.options.title ?? "Chart"}: ${this.series.length} series from ${time(start * 1000)} to ${time(end * 1000)} UTC`,
    });
    const body = this.options.mode === "heatmap" ? this.heatmap(plot) : this.lines(plot);
    root.append(this.axes(plot), body);
    if (this.options.mode !== "heatmap") root.append(this.exemplars());
    this.pointer(root, plot);
    replace(this.host, root);
  }

  visible() {
    return this.series.map((one, index) => ({ ...one, index })).filter((one) => this.isolated === null || one.index === this.isolated);
  }

  lines(plot) {
    const shown = this.visible();
    const stacked = this.options.mode === "stacked";
    const layers = stacked ? stack(shown.map((one) => one.points)) : null;
    let low = Infinity;
    let high = -Infinity;
    const see = (value) => {
      if (!Number.isFinite(value)) return;
      if (value < low) low = value;
      if (value > high) high = value;
    };
    if (layers) layers.forEach((layer) => layer.forEach(([, from, to]) => { see(from); see(to); }));
    else shown.forEach((one) => one.points.forEach(([, value]) => see(value)));
    if (low > 0 && low < (high - low) * 0.5) low = 0;
    const scale = valueTicks(low, high);
    this.ticks = scale.ticks.map((value) => ({ at: value, text: short(value) }));
    this.y = (value) => plot.bottom - ((value - scale.low) / (scale.high - scale.low)) * (plot.bottom - plot.top);
    const group = svg("g");
    shown.forEach((one, place) => {
      const color = seriesColor(one.index);
      if (layers) group.append(svg("path", { class: "area", style: { fill: color }, d: this.areaPath(layers[place]) }));
      const path = layers ? this.path(layers[place].map(([at, , to]) => [at, to])) : segments(one.points, this.options.step).map((part) => this.path(part)).join("");
      group.append(svg("path", { class: "series", style: { stroke: color }, d: path }));
    });
    return group;
  }

  path(points) {
    const coordinates = points.map(([at, value]) => `${this.x(at).toFixed(1)} ${this.y(value).toFixed(1)}`);
    if (coordinates.length === 1) return `M${coordinates[0]}m-2 0a2 2 0 1 0 4 0a2 2 0 1 0 -4 0`;
    return `M${coordinates.join("L")}`;
  }

  areaPath(layer) {
    if (!layer.length) return "";
    const upper = layer.map(([at, , to]) => `${this.x(at).toFixed(1)} ${this.y(to).toFixed(1)}`);
    const lower = layer.map(([at, from]) => `${this.x(at).toFixed(1)} ${this.y(from).toFixed(1)}`).reverse();
    return `M${upper.join("L")}L${lower.join("L")}Z`;
  }

  /** One row a series (or a `le` bucket, ordered by bound, with the counts between bounds); colour by value. */
  heatmap(plot) {
    const rows = heatRows(this.series);
    this.rows = rows;
    const height = (plot.bottom - plot.top) / Math.max(rows.length, 1);
    this.y = (index) => plot.bottom - index * height;
    const every = Math.max(1, Math.ceil(rows.length / 12));
    this.ticks = rows.map((row, index) => ({ at: index + 0.5, text: row.name })).filter((_, index) => index % every === 0);
    let high = 0;
    rows.forEach((row) => row.points.forEach(([, value]) => { if (value > high) high = value; }));
    const step = this.options.step || 1;
    const width = Math.max(1, this.x(this.options.start + step) - this.x(this.options.start));
    const group = svg("g");
    rows.forEach((row, index) => {
      for (const [at, value] of row.points) {
        if (!(value > 0)) continue;
        group.append(svg("rect", {
          x: (this.x(at) - width).toFixed(1), y: this.y(index + 1).toFixed(1), width: (width + 0.3).toFixed(1), height: (height + 0.3).toFixed(1),
          style: { fill: "var(--accent)", fillOpacity: (0.08 + 0.92 * Math.sqrt(value / high)).toFixed(3) },
        }));
      }
    });
    return group;
  }

  axes(plot) {
    const group = svg("g", { class: "axis" });
    for (const { at, text } of this.ticks) {
      const y = this.y(at);
      group.append(
        svg("line", { x1: plot.left, x2: plot.right, y1: y, y2: y }),
        svg("text", { x: plot.left - 6, y: y + 4, "text-anchor": "end" }, text.length > 9 ? `${text.slice(0, 8)}…` : text));
    }
    const { ticks, write } = timeTicks(this.options.start, this.options.end, Math.max(2, Math.floor((plot.right - plot.left) / 95)), this.options.utc);
    for (const at of ticks) {
      const x = this.x(at);
      group.append(
        svg("line", { x1: x, x2: x, y1: plot.bottom, y2: plot.bottom + 4 }),
        svg("text", { x, y: plot.bottom + 17, "text-anchor": "middle" }, write(at)));
    }
    return group;
  }

  exemplars() {
    const group = svg("g");
    for (const one of this.options.exemplars ?? []) {
      const value = Number(one.value);
      const at = Number(one.timestamp);
      if (!Number.isFinite(value) || at < this.options.start || at > this.options.end) continue;
      const y = Math.min(Math.max(this.y(value), this.plot.top), this.plot.bottom);
      group.append(svg("rect", { class: "exemplar", x: this.x(at) - 4, y: y - 4, width: 8, height: 8, transform: `rotate(45 ${this.x(at)} ${y})`, tabindex: 0 },
        svg("title", {}, `${labelText(one.labels)}\n${one.value} at ${time(at * 1000, this.options.utc)}\n${labelText(one.seriesLabels ?? {})}`)));
    }
    return group;
  }

  pointer(root, plot) {
    const cross = svg("line", { class: "cross", y1: plot.top, y2: plot.bottom, visibility: "hidden" });
    const selection = svg("rect", { class: "select", y: plot.top, height: plot.bottom - plot.top, width: 0, visibility: "hidden" });
    const tip = element("div", { class: "tip", hidden: true });
    root.append(cross, selection);
    let from = null;
    const place = (event) => {
      const box = root.getBoundingClientRect();
      return Math.min(Math.max(((event.clientX - box.left) / box.width) * this.width, plot.left), plot.right);
    };
    const seconds = (x) => this.options.start + ((x - plot.left) / (plot.right - plot.left)) * (this.options.end - this.options.start);
    root.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.options.zoom) return;
      from = place(event);
      root.setPointerCapture(event.pointerId);
    });
    root.addEventListener("pointermove", (event) => {
      const x = place(event);
      cross.setAttribute("x1", x);
      cross.setAttribute("x2", x);
      cross.setAttribute("visibility", "visible");
      if (from !== null) {
        selection.setAttribute("visibility", "visible");
        selection.setAttribute("x", Math.min(from, x));
        selection.setAttribute("width", Math.abs(x - from));
      }
      if (!tip.isConnected) this.host.append(tip);
      this.showTip(tip, seconds(x), x > this.width / 2);
    });
    root.addEventListener("pointerup", (event) => {
      const x = place(event);
      if (from !== null && Math.abs(x - from) > 5) this.options.zoom(Math.min(seconds(from), seconds(x)), Math.max(seconds(from), seconds(x)));
      from = null;
      selection.setAttribute("visibility", "hidden");
    });
    root.addEventListener("pointerleave", () => {
      tip.hidden = true;
      cross.setAttribute("visibility", "hidden");
    });
  }

  showTip(tip, at, onTheLeft) {
    const rows = (this.options.mode === "heatmap" ? this.rows.map((row, index) => ({ ...row, index })) : this.visible())
      .map((one) => ({ one, point: nearest(one.points, at, this.options.step) }))
      .filter(({ point }) => point)
      .sort((a, b) => (b.point[1] || 0) - (a.point[1] || 0));
    tip.hidden = rows.length === 0;
    if (!rows.length) return;
    tip.style.left = onTheLeft ? `${margin.left}px` : "auto";
    tip.style.right = onTheLeft ? "auto" : `${margin.right}px`;
    const shown = rows.slice(0, 12);
    replace(tip,
      element("b", {}, time(rows[0].point[0] * 1000, this.options.utc)),
      element("table", {}, element("tbody", {}, shown.map(({ one, point }) => element("tr", {},
        element("td", {}, element("span", { class: "swatch", style: { background: this.rows ? "var(--accent)" : seriesColor(one.index) } })),
        element("td", {}, one.name ?? labelText(one.labels)),
        element("td", { class: "number" }, short(point[1])))))),
      rows.length > shown.length ? element("small", {}, `and ${rows.length - shown.length} more`) : null);
  }
}

function heatRows(series) {
  const bounds = series.filter((one) => one.labels?.le !== undefined);
  if (bounds.length !== series.length || !series.length) {
    return series.map((one) => ({ name: one.name ?? labelText(one.labels), points: one.points }));
  }
  const sum = new Map();
  for (const one of bounds) {
    const row = sum.get(one.labels.le) ?? new Map();
    one.points.forEach(([at, value]) => row.set(at, (row.get(at) ?? 0) + value));
    sum.set(one.labels.le, row);
  }
  const numeric = (le) => (le === "+Inf" ? Infinity : Number(le));
  const ordered = [...sum].sort((a, b) => numeric(a[0]) - numeric(b[0]));
  return ordered.map(([le, row], index) => {
    const below = index ? ordered[index - 1][1] : new Map();
    return { name: `≤ ${le}`, points: [...row].map(([at, value]) => [at, Math.max(0, value - (below.get(at) ?? 0))]) };
  });
}

function nearest(points, at, step) {
  let low = 0;
  let high = points.length - 1;
  if (high < 0) return null;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < at) low = middle + 1;
    else high = middle;
  }
  const best = low > 0 && at - points[low - 1][0] < points[low][0] - at ? points[low - 1] : points[low];
  return Math.abs(best[0] - at) <= Math.max(step, 1) * 1.5 ? best : null;
}
