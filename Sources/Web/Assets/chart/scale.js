// From values to positions, and where the lines of an axis go. Pure functions.

/** Rounds the steps of an axis to 1, 2 or 5 times a power of ten (bytes: of 1024). Returns { low, high, ticks }. */
export function valueTicks(low, high, wanted = 5, unit = "") {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return { low: 0, high: 1, ticks: [0, 0.5, 1] };
  const most = Math.max(Math.abs(low), Math.abs(high));
  if (unit === "bytes" && most >= 1024) {
    const scale = 1024 ** Math.min(6, Math.floor(Math.log2(most) / 10));
    const even = valueTicks(low / scale, high / scale, wanted);
    return { low: even.low * scale, high: even.high * scale, ticks: even.ticks.map((tick) => tick * scale) };
  }
  if (low === high) {
    const pad = Math.abs(low) * 0.1 || 1;
    low -= pad;
    high += pad;
  }
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999) ?? raw;
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  // Huge values with a tiny spread: steps below the precision of a number are no use.
  if (!(last - first >= 1) || last - first >= 50) return { low, high, ticks: [low, high] };
  const ticks = [];
  for (let index = first; index <= last && ticks.length < 50; index++) ticks.push(Number((index * step).toPrecision(12)));
  if (ticks.some((tick, index) => index > 0 && !(tick > ticks[index - 1]))) return { low, high, ticks: [low, high] };
  return { low: ticks[0], high: ticks[ticks.length - 1], ticks };
}

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000];

/** Times (seconds) for the lines of a time axis, and how to write them. */
export function timeTicks(start, end, wanted = 7, utc = true) {
  const span = Math.max(end - start, 0.001);
  const step = steps.find((size) => span / size <= wanted) ?? Math.ceil(span / wanted / 31536000) * 31536000;
  const shift = utc ? 0 : -new Date(start * 1000).getTimezoneOffset() * 60;
  const ticks = [];
  for (let at = Math.ceil((start + shift) / step) * step - shift; at <= end && ticks.length < 100; at += step) ticks.push(at);
  const write = (seconds) => {
    const text = new Date((seconds + shift) * 1000).toISOString();
    if (step >= 86400) return text.slice(0, 10);
    const clock = step < 60 ? text.slice(11, 19) : text.slice(11, 16);
    return clock.startsWith("00:00") ? text.slice(5, 10) : clock;
  };
  return { ticks, write };
}

/** The colour of series number `index`: hues far apart, readable on light and on dark. */
export function seriesColor(index) {
  const hue = (28 + index * 137.508) % 360;
  return `light-dark(hsl(${hue} 70% 38%), hsl(${hue} 75% 65%))`;
}

/** Points of one series split where samples are missing: a gap is more than 1.5 steps. */
export function segments(points, step) {
  const result = [];
  let current = [];
  let previous = -Infinity;
  for (const point of points) {
    const broken = !Number.isFinite(point[1]) || (step > 0 && point[0] - previous > step * 1.5);
    if (broken && current.length) {
      result.push(current);
      current = [];
    }
    if (Number.isFinite(point[1])) {
      current.push(point);
      previous = point[0];
    }
  }
  if (current.length) result.push(current);
  return result;
}

/** Stacks series on the union of their times: [{ index, points: [[time, low, high]] }]. */
export function stack(seriesPoints) {
  const times = [...new Set(seriesPoints.flatMap((points) => points.map((point) => point[0])))].sort((a, b) => a - b);
  const floor = new Map(times.map((time) => [time, [0, 0]]));
  return seriesPoints.map((points) => {
    const values = new Map(points);
    return times.map((time) => {
      const value = Number.isFinite(values.get(time)) ? values.get(time) : 0;
      const sides = floor.get(time);
      const side = value < 0 ? 1 : 0;
      const low = sides[side];
      sides[side] += value;
      return [time, low, sides[side]];
    });
  });
}

/** The point of a series nearest to a time, or null where none is near. */
export function nearest(points, at, step) {
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
