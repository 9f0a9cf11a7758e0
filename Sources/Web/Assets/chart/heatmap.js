// Heat maps: one row a bucket, time to the right, the darker the more. Rows are made by a pure function.

import { labelText, svg } from "../common/dom.js";
import { short } from "../common/format.js";

const mostRows = 64;
const levels = 16;

/**
 * The rows of a heat map, the lowest first: [{ name, points: [[seconds, amount]] }].
 * Native histograms give their buckets, series with `le` what lies between two bounds, others a row each.
 */
export function heatRows(series) {
  if (series.some((one) => one.histograms?.length)) return nativeRows(series);
  if (!series.length || series.some((one) => one.labels?.le === undefined)) {
    return series.map((one) => ({ name: one.name ?? labelText(one.labels), points: one.points }));
  }
  const sums = new Map();
  for (const one of series) {
    const row = sums.get(one.labels.le) ?? new Map();
    one.points.forEach(([at, value]) => row.set(at, (row.get(at) ?? 0) + value));
    sums.set(one.labels.le, row);
  }
  const ordered = [...sums].map(([le, row]) => [le === "+Inf" ? Infinity : Number(le), row]).sort((a, b) => a[0] - b[0]);
  return ordered.map(([bound, row], index) => {
    const below = index ? ordered[index - 1][1] : new Map();
    return { name: `≤ ${short(bound, 3)}`, points: [...row].map(([at, value]) => [at, Math.max(0, value - (below.get(at) ?? 0))]) };
  });
}

/** The buckets of all series together; neighbours become one row until there are few enough. */
function nativeRows(series) {
  const cells = new Map();
  for (const { histograms = [] } of series) {
    for (const [at, { buckets = [] }] of histograms) {
      for (const [, low, high, amount] of buckets) {
        const key = `${low} ${high}`;
        const cell = cells.get(key) ?? { low: Number(low), high: Number(high), row: new Map() };
        cells.set(key, cell);
        cell.row.set(at, (cell.row.get(at) ?? 0) + Number(amount));
      }
    }
  }
  const sorted = [...cells.values()].sort((a, b) => a.low - b.low || a.high - b.high);
  const size = Math.max(1, Math.ceil(sorted.length / mostRows));
  const rows = [];
  for (let start = 0; start < sorted.length; start += size) {
    const row = new Map();
    const group = sorted.slice(start, start + size);
    for (const cell of group) for (const [at, amount] of cell.row) row.set(at, (row.get(at) ?? 0) + amount);
    rows.push({ name: `≤ ${short(group[group.length - 1].high, 3)}`, points: [...row].sort((a, b) => a[0] - b[0]) });
  }
  return rows;
}

/** Draws rows: one path a level of darkness, so that thousands of cells stay a few elements. */
export function drawHeatmap(rows, { plot, x, y, step }) {
  let most = 0;
  for (const row of rows) for (const [, value] of row.points) if (Number.isFinite(value) && value > most) most = value;
  const paths = Array.from({ length: levels }, () => []);
  rows.forEach((row, index) => {
    const [top, bottom] = [Math.round(y(index + 1)), Math.round(y(index))];
    for (const [at, value] of row.points) {
      if (!(value > 0) || !Number.isFinite(value)) continue;
      // A cell ends at its time: it stands for what came before. None leaves the plot.
      const right = Math.min(Math.round(x(at)), plot.right);
      const left = Math.max(Math.round(x(at - step)), plot.left);
      if (right > left) paths[Math.min(levels - 1, Math.floor(Math.sqrt(value / most) * levels))].push(`M${left} ${top}H${right}V${bottom}H${left}Z`);
    }
  });
  return svg("g", { class: "heat" }, paths.map((path, level) => (path.length ? svg("path", { d: path.join(""), "fill-opacity": (0.08 + (0.92 * level) / (levels - 1)).toFixed(2) }) : null)));
}
