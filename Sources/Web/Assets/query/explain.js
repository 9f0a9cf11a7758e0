// The syntax tree of an expression; each part that can be asked alone says how much it gives and how long it took.

import { api } from "../common/api.js";
import { element, replace } from "../common/dom.js";
import { count, duration } from "../common/format.js";

/** Draws the tree of /api/v1/parse_query and asks for each part's size and time, one after the other. */
export function explain(host, answer, shared) {
  const parts = [];
  const tree = element("ul", { class: "tree" }, draw(answer.data, parts));
  replace(host, element("p", { class: "faint" }, "Each part is asked alone, at the end time; times are the server's."), tree);
  measure(parts, answer.time, host);
}

function draw(node, parts) {
  const text = write(node);
  const figures = element("small", {}, "");
  const isRange = ["matrixSelector", "subquery"].includes(node.type);
  // The samples of a range are counted, not fetched.
  if (!["stringLiteral", "placeholder"].includes(node.type)) parts.push({ text: isRange ? `count_over_time(${text})` : text, figures, isRange });
  return element("li", {}, element("code", {}, text), " ", element("span", { class: "badge" }, title(node)), " ", figures,
    children(node).length ? element("ul", {}, children(node).map((child) => draw(child, parts))) : null);
}

async function measure(parts, time, host) {
  for (const part of parts) {
    if (!host.isConnected) return;
    try {
      const { data, milliseconds } = await api("query", { query: part.text, time: time ?? undefined, stats: "true" }, { method: "POST" });
      const results = data.resultType === "vector" ? data.result.length : 1;
      const seconds = data.stats?.timings?.execTotalTime;
      const took = seconds === undefined ? milliseconds : seconds * 1000;
      const size = part.isRange
        ? `${count(results)} series, ${count(data.result.reduce((sum, one) => sum + Number(one.value?.[1] ?? 0), 0))} samples`
        : `${count(results)} ${results === 1 ? "result" : "results"}`;
      part.figures.textContent = `${size}, ${took.toFixed(took < 10 ? 2 : 0)} ms`;
    } catch (error) {
      part.figures.textContent = error.message;
    }
  }
}

function title(node) {
  const names = { vectorSelector: "selector", matrixSelector: "range", aggregation: "aggregation", binaryExpr: "operator", call: "function", subquery: "subquery", parenExpr: "parentheses", unaryExpr: "sign", numberLiteral: "number", stringLiteral: "text" };
  return names[node.type] ?? node.type;
}

function children(node) {
  const own = [node.expr, node.lhs, node.rhs, node.param, ...(node.args ?? [])];
  return own.filter((child) => child && typeof child === "object");
}

/** Writes a node of the tree back as PromQL. */
export function write(node) {
  switch (node.type) {
    case "numberLiteral": return node.val;
    case "stringLiteral": return JSON.stringify(node.val);
    case "parenExpr": return `(${write(node.expr)})`;
    case "unaryExpr": return `${node.op}${write(node.expr)}`;
    case "call": return `${node.func.name}(${node.args.map(write).join(", ")})`;
    case "aggregation": return aggregation(node);
    case "binaryExpr": return `${write(node.lhs)} ${node.op}${node.bool ? " bool" : ""}${matching(node.matching)} ${write(node.rhs)}`;
    case "vectorSelector": return selector(node) + modifiers(node);
    case "matrixSelector": return `${selector(node)}[${milliseconds(node.range)}]${modifiers(node)}`;
    case "subquery": return `${write(node.expr)}[${milliseconds(node.range)}:${node.step ? milliseconds(node.step) : ""}]${modifiers(node)}`;
    default: return "…";
  }
}

function selector(node) {
  const matchers = (node.matchers ?? []).filter((one) => !(one.name === "__name__" && one.type === "=" && one.value === node.name));
  const inner = matchers.map((one) => `${/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(one.name) ? one.name : JSON.stringify(one.name)}${one.type}${JSON.stringify(one.value)}`);
  if (node.name && !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(node.name)) inner.unshift(JSON.stringify(node.name));
  const plain = node.name && /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(node.name) ? node.name : "";
  return inner.length || !plain ? `${plain}{${inner.join(", ")}}` : plain;
}

function modifiers(node) {
  const at = node.startOrEnd ? ` @ ${node.startOrEnd}()` : node.timestamp !== null && node.timestamp !== undefined ? ` @ ${(node.timestamp / 1000).toFixed(3)}` : "";
  const offset = node.offset ? ` offset ${node.offset < 0 ? "-" : ""}${milliseconds(Math.abs(node.offset))}` : "";
  return (node.anchored ? " anchored" : node.smoothed ? " smoothed" : "") + at + offset;
}

function aggregation(node) {
  const grouping = node.grouping?.length || node.without ? ` ${node.without ? "without" : "by"} (${(node.grouping ?? []).join(", ")})` : "";
  return `${node.op}${grouping} (${node.param ? `${write(node.param)}, ` : ""}${write(node.expr)})`;
}

function matching(match) {
  if (!match) return "";
  const labels = match.labels?.length || match.on ? ` ${match.on ? "on" : "ignoring"} (${(match.labels ?? []).join(", ")})` : "";
  const side = { "many-to-one": " group_left", "one-to-many": " group_right" }[match.card];
  return labels + (side ? `${side} (${(match.include ?? []).join(", ")})` : "");
}

function milliseconds(amount) {
  return amount % 1000 ? `${amount}ms` : duration(amount / 1000);
}
