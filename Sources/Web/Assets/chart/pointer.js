// What a pointer and the keyboard do on a chart: read values, choose a range to zoom into.

import { svg } from "../common/dom.js";

/**
 * Listens on `root`, a chart of `width` units whose plot is `plot`. `chart` has start, end, step, show(seconds, x) and
 * hide(); zoom(start, end) is optional.
 */
export function followPointer(root, plot, width, chart) {
  const cross = svg("line", { class: "cross", y1: plot.top, y2: plot.bottom, visibility: "hidden" });
  const selection = svg("rect", { class: "select", y: plot.top, height: plot.bottom - plot.top, width: 0, visibility: "hidden" });
  root.append(cross, selection);
  const { start, end } = chart;
  const within = (x) => Math.min(Math.max(x, plot.left), plot.right);
  const seconds = (x) => start + ((x - plot.left) / (plot.right - plot.left)) * (end - start);
  const place = (at) => within(plot.left + ((at - start) / Math.max(end - start, 1e-9)) * (plot.right - plot.left));
  let from = null;
  let cursor = null;

  const read = (x) => {
    cursor = seconds(x);
    cross.setAttribute("x1", x);
    cross.setAttribute("x2", x);
    cross.setAttribute("visibility", "visible");
    chart.show(cursor, x);
  };
  const leave = () => {
    cross.setAttribute("visibility", "hidden");
    chart.hide();
  };
  const select = (x) => {
    selection.setAttribute("visibility", "visible");
    selection.setAttribute("x", Math.min(from, x));
    selection.setAttribute("width", Math.abs(x - from));
  };
  const choose = (x) => {
    if (from !== null && Math.abs(x - from) > 5) chart.zoom(Math.min(seconds(from), seconds(x)), Math.max(seconds(from), seconds(x)));
    from = null;
    selection.setAttribute("visibility", "hidden");
  };
  const placeOf = (event) => {
    const box = root.getBoundingClientRect();
    return within(((event.clientX - box.left) / box.width) * width);
  };

  root.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !chart.zoom || event.target.closest(".exemplar")) return;
    from = placeOf(event);
    root.setPointerCapture(event.pointerId);
  });
  root.addEventListener("pointermove", (event) => {
    const x = placeOf(event);
    if (from !== null) select(x);
    read(x);
  });
  root.addEventListener("pointerup", (event) => choose(placeOf(event)));
  root.addEventListener("pointercancel", () => choose(from ?? 0));
  root.addEventListener("pointerleave", leave);
  root.addEventListener("blur", leave);
  root.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (move) {
      const at = cursor ?? (move > 0 ? start - chart.step : end + chart.step);
      const x = place(at);
      const next = place(at + move * Math.max(chart.step, (end - start) / 250));
      if (event.shiftKey && chart.zoom) {
        from ??= x;
        select(next);
      }
      read(next);
    } else if (event.key === "Enter" && from !== null) choose(place(cursor));
    else if (event.key === "Escape") {
      from = null;
      selection.setAttribute("visibility", "hidden");
      leave();
    } else return;
    event.preventDefault();
  });
}
