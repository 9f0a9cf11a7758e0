// Numbers, sizes, durations and times as people read them.

const units = [["y", 31536000], ["w", 604800], ["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];

/** Seconds as Prometheus writes durations: 90 → "1m30s". */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 0) return `-${duration(-seconds)}`;
  if (seconds < 1) return `${Math.round(seconds * 1000)}ms`;
  let rest = Math.round(seconds);
  let text = "";
  for (const [unit, size] of units) {
    if (unit === "w" && rest % size) continue;
    const amount = Math.floor(rest / size);
    if (amount) text += amount + unit;
    rest -= amount * size;
  }
  return text;
}

/** "1h30m" or "90" → seconds; NaN if it is neither. */
export function parseDuration(text) {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  if (!/^(\d+(ms|[ywdhms]))+$/.test(trimmed)) return NaN;
  const sizes = { ...Object.fromEntries(units), ms: 0.001 };
  return [...trimmed.matchAll(/(\d+)(ms|[ywdhms])/g)].reduce((sum, [, amount, unit]) => sum + amount * sizes[unit], 0);
}

/** How long ago, in at most two units: "3m 20s ago". */
export function age(seconds) {
  if (!Number.isFinite(seconds)) return "never";
  if (seconds < 0) return `in ${age(-seconds).replace(" ago", "")}`;
  if (seconds < 1) return "just now";
  const parts = [];
  let rest = Math.floor(seconds);
  for (const [unit, size] of units) {
    if (unit === "w") continue;
    const amount = Math.floor(rest / size);
    if (amount) parts.push(`${amount}${unit}`);
    rest -= amount * size;
    if (parts.length === 2) break;
  }
  return `${parts.join(" ")} ago`;
}

/** Bytes in binary units. */
export function bytes(count) {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  let index = 0;
  while (count >= 1024 && index < names.length - 1) { count /= 1024; index++; }
  return `${count >= 100 || index === 0 ? Math.round(count) : count.toFixed(1)} ${names[index]}`;
}

/** A number for an axis or a legend: at most five digits (or `digits`) and an SI letter. */
export function short(value, digits = 5) {
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : value < 0 ? "-Inf" : "NaN";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-9) return value.toExponential(2);
  for (const [letter, scale] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e4 / 10]]) {
    if (size >= scale && (letter !== "k" || size >= 1e4)) return trim(value / scale, digits) + letter;
  }
  if (size >= 0.01) return trim(value, digits);
  for (const [letter, scale] of [["m", 1e-3], ["µ", 1e-6], ["n", 1e-9]]) {
    if (size >= scale) return trim(value / scale, digits) + letter;
  }
  return value.toPrecision(3);
}

function trim(value, digits) {
  return String(Number(value.toPrecision(digits)));
}

/** The unit that a metric's name ends in, by the conventions for names: "bytes", "seconds" or "". */
export function unitOf(name = "") {
  return /_(bytes|seconds)(_(sum|total|max|min))*$/.exec(name)?.[1] ?? "";
}

/** A number with its unit, short. */
export function withUnit(value, unit) {
  if (!Number.isFinite(value) || !unit) return short(value);
  const size = Math.abs(value);
  if (unit === "bytes") {
    if (size < 1024 || size >= 1e21) return `${short(value)} B`;
    const power = Math.min(6, Math.floor(Math.log2(size) / 10));
    return `${short(value / 1024 ** power)} ${["B", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power]}`;
  }
  if (size < 120) return short(value) + (value === 0 ? "" : "s");
  return size < 1e11 ? (value < 0 ? "-" : "") + age(size).replace(" ago", "") : short(value);
}

export function count(number) {
  return Number(number).toLocaleString("en-US");
}

/** Milliseconds → "2026-11-22 14:05:09", in local time or UTC. */
export function time(milliseconds, utc = true) {
  const date = new Date(utc ? milliseconds : milliseconds - new Date(milliseconds).getTimezoneOffset() * 60000);
  return Number.isNaN(date.getTime()) ? "–" : date.toISOString().slice(0, 19).replace("T", " ");
}
