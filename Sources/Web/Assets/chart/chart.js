// A time chart in SVG: frame and axes here; what is drawn, and how it is read, in the files beside.

import { element, labelText, replace, svg } from "../common/dom.js";
import { short, time, withUnit } from "../common/format.js";
import { drawHeatmap, heatRows } from "./heatmap.js";
import { drawLines, layOut } from "./lines.js";
import { followPointer } from "./pointer.js";
import { nearest, seriesColor, timeTicks, valueTicks } from "./scale.js";

const margin = { left: 62, right: 12, top: 10, bottom: 24 };
const tipRows = 16;

/**
 * Draws `series` ([{ labels, points: [[seconds, value]], histograms? }]) into `host`.
 * Options: start, end, step (seconds), mode "lines" | "stacked" | "heatmap", utc, title, unit "bytes" | "seconds" | "",
 * zoom(start, end) after a choice, hover(seconds or null), exemplars [{ labels, value, timestamp, seriesLabels }].
 */
export function drawChart(host, series, options) {
  const chart = new Chart(host, series, options);
  chart.draw();
  const observer = new ResizeObserver(() => chart.fit());
  observer.observe(host);
  return { show: (chosen) => chart.choose(chosen), stop: () => observer.disconnect() };
}

class Chart {
  constructor(host, series, options) {
    Object.assign(this, { host, series, options, chosen: null, width: 0 });
    this.isHeat = options.mode === "heatmap";
    this.rows = this.isHeat ? heatRows(series).map((row, index) => ({ ...row, index })) : null;
    host.classList.add("chart");
    this.tip = element("div", { class: "tip", hidden: true });
    this.spoken = element("p", { class: "visually-hidden", role: "status" });
  }

  /** Shows only the series of these numbers; all for null. */
  choose(chosen) {
    this.chosen = chosen;
    this.draw();
  }

  fit() {
    if (Math.max(this.host.clientWidth, 260) !== this.width) this.draw();
  }

  draw() {
    const width = (this.width = Math.max(this.host.clientWidth, 260));
    const height = width < 500 ? 256 : 352;
    const plot = (this.plot = { left: margin.left, right: width - margin.right, top: margin.top, bottom: height - margin.bottom });
    const { start, end, title } = this.options;
    this.x = (seconds) => plot.left + ((seconds - start) / Math.max(end - start, 1e-9)) * (plot.right - plot.left);
    const body = this.isHeat ? this.heat() : this.lines();
    const root = svg("svg", {
      viewBox: `0 0 ${width} ${height}`, role: "application", tabindex: 0, "aria-roledescription": "chart",
      "aria-label": `${title ?? "Chart"}: ${this.series.length} series from ${time(start * 1000)} to ${time(end * 1000)} UTC. Arrow keys read values, with Shift they choose a range, Enter zooms.`,
    }, this.axes(), body, this.isHeat ? null : this.exemplars());
    followPointer(root, plot, width, {
      start, end, step: this.options.step, zoom: this.options.zoom,
      show: (at, x) => this.read(at, x), hide: () => this.unread(),
    });
    replace(this.host, root, this.tip, this.spoken);
  }

  visible() {
    const all = this.rows ?? this.series.map((one, index) => ({ ...one, index }));
    return this.isHeat || !this.chosen ? all : all.filter((one) => this.chosen.has(one.index));
  }

  lines() {
    const { plot, x, options } = this;
    const shown = this.visible();
    const { layers, low, high } = layOut(shown, options.mode === "stacked");
    const scale = valueTicks(low, high, 5, options.unit);
    this.y = (value) => plot.bottom - ((value - scale.low) / (scale.high - scale.low)) * (plot.bottom - plot.top);
    this.ticks = scale.ticks.map((value) => ({ at: value, text: withUnit(value, options.unit) }));
    return drawLines(shown, layers, { x, y: this.y, step: options.step });
  }

  heat() {
    const { plot, rows, x } = this;
    const height = (plot.bottom - plot.top) / Math.max(rows.length, 1);
    this.y = (index) => plot.bottom - index * height;
    const every = Math.max(1, Math.ceil(rows.length / 12));
    this.ticks = rows.map((row, index) => ({ at: index + 0.5, text: row.name, bare: true })).filter((_, index) => index % every === 0);
    return drawHeatmap(rows, { plot, x, y: this.y, step: this.options.step || 1 });
  }

  axes() {
    const { plot } = this;
    const { start, end, utc } = this.options;
    const { ticks, write } = timeTicks(start, end, Math.max(2, Math.floor((plot.right - plot.left) / 95)), utc);
    return svg("g", { class: "axis" },
      this.ticks.map(({ at, text, bare }) => [
        bare ? null : svg("line", { x1: plot.left, x2: plot.right, y1: this.y(at), y2: this.y(at) }),
        svg("text", { x: plot.left - 6, y: this.y(at) + 4, "text-anchor": "end" }, text.length > 10 ? `${text.slice(0, 9)}…` : text),
      ]),
      ticks.map((at) => [
        svg("line", { x1: this.x(at), x2: this.x(at), y1: plot.bottom, y2: plot.bottom + 4 }),
        svg("text", { x: this.x(at), y: plot.bottom + 17, "text-anchor": "middle" }, write(at)),
      ]));
  }

  exemplars() {
    const { start, end, utc, exemplars = [] } = this.options;
    return svg("g", {}, exemplars.map((one) => {
      const [value, at] = [Number(one.value), Number(one.timestamp)];
      if (!Number.isFinite(value) || at < start || at > end) return null;
      const y = Math.min(Math.max(this.y(value), this.plot.top), this.plot.bottom);
      const text = `${labelText(one.labels)} ${one.value} at ${time(at * 1000, utc)}, of ${labelText(one.seriesLabels ?? {})}`;
      const show = () => this.open(this.x(at), element("b", {}, `${short(value)} at ${time(at * 1000, utc)}`), element("table", {}, element("tbody", {},
        Object.entries(one.labels).map(([name, content]) => element("tr", {}, element("td", {}, name), element("td", { class: "mono" }, element("bdi", {}, content)))))), element("small", {}, labelText(one.seriesLabels ?? {})));
      return svg("rect", { class: "exemplar", x: this.x(at) - 4, y: y - 4, width: 8, height: 8, transform: `rotate(45 ${this.x(at)} ${y})`, tabindex: 0, role: "img", "aria-label": `Exemplar: ${text}`,
        onfocus: show, onpointermove: (event) => { event.stopPropagation(); show(); } });
    }));
  }

  /** Shows the values at a time. */
  read(at, x) {
    const rows = this.visible().map((one) => ({ one, point: nearest(one.points, at, this.options.step) })).filter(({ point }) => point);
    rows.sort((a, b) => (this.isHeat ? b.one.index - a.one.index : (b.point[1] || 0) - (a.point[1] || 0)));
    this.options.hover?.(at);
    if (!rows.length) return this.unread();
    const write = (value) => withUnit(value, this.isHeat ? "" : this.options.unit);
    const when = time(rows[0].point[0] * 1000, this.options.utc);
    const shown = this.isHeat ? rows.filter(({ point }) => point[1] > 0).slice(0, 24) : rows.slice(0, tipRows);
    this.open(x, element("b", {}, when),
      element("table", {}, element("tbody", {}, shown.map(({ one, point }) => element("tr", {},
        element("td", {}, element("span", { class: "swatch", style: { background: this.isHeat ? "var(--accent)" : seriesColor(one.index) } })),
        element("td", {}, element("bdi", {}, one.name ?? labelText(one.labels))),
        element("td", { class: "number" }, write(point[1])))))),
      rows.length > shown.length && !this.isHeat ? element("small", {}, `and ${rows.length - shown.length} more, in the legend`) : null);
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => replace(this.spoken, `${when}: ${shown.slice(0, 5).map(({ one, point }) => `${one.name ?? labelText(one.labels)} ${write(point[1])}`).join("; ")}`), 300);
  }

  open(x, ...content) {
    const onTheLeft = x > this.width / 2;
    this.tip.hidden = false;
    this.tip.style.left = onTheLeft ? `${margin.left}px` : "auto";
    this.tip.style.right = onTheLeft ? "auto" : `${margin.right}px`;
    replace(this.tip, content);
  }

  unread() {
    this.tip.hidden = true;
    clearTimeout(this.speaking);
    this.options.hover?.(null);
  }
}
