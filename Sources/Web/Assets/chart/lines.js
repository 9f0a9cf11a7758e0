// Lines and stacked areas.

import { svg } from "../common/dom.js";
import { segments, seriesColor, stack } from "./scale.js";

const atOnce = 150;

/** What is to be drawn of series [{ index, points }]: `layers` for areas on top of each other, and the limits of values. */
export function layOut(shown, stacked) {
  const layers = stacked ? stack(shown.map((one) => one.points)) : null;
  let low = Infinity;
  let high = -Infinity;
  const see = (value) => {
    if (!Number.isFinite(value)) return;
    if (value < low) low = value;
    if (value > high) high = value;
  };
  if (layers) for (const layer of layers) for (const [, from, to] of layer) { see(from); see(to); }
  else for (const one of shown) for (const [, value] of one.points) see(value);
  if (low > 0 && low < (high - low) * 0.5) low = 0;
  return { layers, low, high };
}

/** Draws what was laid out. */
export function drawLines(shown, layers, { x, y, step }) {
  const place = (at, value) => `${Math.round(x(at) * 10) / 10} ${Math.round(y(value) * 10) / 10}`;
  const path = (points) => {
    const places = points.map(([at, value]) => place(at, value));
    // A point alone would be invisible.
    return places.length === 1 ? `M${places[0]}m-2 0a2 2 0 1 0 4 0a2 2 0 1 0 -4 0` : `M${places.join("L")}`;
  };
  const area = (layer) => `M${layer.map(([at, , to]) => place(at, to)).join("L")}L${layer.map(([at, from]) => place(at, from)).reverse().join("L")}Z`;
  const draw = (one, index) => {
    const color = seriesColor(one.index);
    const layer = layers?.[index];
    return [
      layer?.length ? svg("path", { class: "area", style: { fill: color }, d: area(layer) }) : null,
      svg("path", { class: "series", style: { stroke: color }, d: layer ? (layer.length ? path(layer.map(([at, , to]) => [at, to])) : "") : segments(one.points, step).map(path).join("") }),
    ];
  };
  const group = svg("g", {}, shown.slice(0, atOnce).map(draw));
  // The rest follows in portions, so that the page answers meanwhile.
  const more = (from) => {
    if (from >= shown.length || !group.isConnected) return;
    group.append(...shown.slice(from, from + atOnce).flatMap((one, index) => draw(one, from + index)).filter(Boolean));
    setTimeout(more, 0, from + atOnce);
  };
  setTimeout(more, 0, atOnce);
  return group;
}
