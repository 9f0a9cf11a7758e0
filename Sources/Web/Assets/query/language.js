// PromQL as the editor needs it: words for colours and completion. The server is the judge of what is valid.

const keywords = new Set(["by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "and", "or", "unless", "atan2", "start", "end", "step", "range", "inf", "nan", "anchored", "smoothed", "fill", "fill_left", "fill_right"]);
const aggregations = new Set(["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "topk", "bottomk", "count_values", "quantile", "limitk", "limit_ratio"]);

const rules = [
  ["comment", /#[^\n]*/y],
  ["string", /"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`[^`]*`?/y],
  ["number", /(?:0[xX][0-9a-fA-F_]+|\d+(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)/y],
  ["name", /[a-zA-Z_:][a-zA-Z0-9_:]*/y],
  ["operator", /=~|!~|==|!=|<=|>=|[-+*/%^<>=@]/y],
  ["bracket", /[()[\]{}]/y],
  ["space", /\s+/y],
  ["other", /[\s\S]/y],
];

/** Splits text into [{ kind, text, at }]. Every character is in exactly one token. */
export function tokens(text) {
  const result = [];
  let at = 0;
  let braces = 0;
  while (at < text.length) {
    for (const [kind, rule] of rules) {
      rule.lastIndex = at;
      const match = rule.exec(text);
      if (!match) continue;
      result.push({ kind: kind === "name" ? nameKind(match[0], text, at, braces, result) : kind, text: match[0], at });
      if (match[0] === "{") braces++;
      if (match[0] === "}") braces = Math.max(0, braces - 1);
      at += match[0].length;
      break;
    }
  }
  return result;
}

function nameKind(word, text, at, braces, before) {
  if (braces) return "label";
  const lower = word.toLowerCase();
  const behind = text.slice(at + word.length).trimStart();
  if (aggregations.has(lower) && (behind.startsWith("(") || /^(by|without)\b/i.test(behind))) return "function";
  if (keywords.has(lower) && !behind.startsWith("{")) return "keyword";
  if (behind.startsWith("(")) return "function";
  const words = before.filter((token) => token.kind !== "space");
  for (let index = words.length - 1; index >= 0; index--) {
    if (words[index].text === "," || words[index].kind === "label") continue;
    const grouping = words[index].text === "(" && /^(by|without|on|ignoring|group_left|group_right)$/i.test(words[index - 1]?.text ?? "");
    return grouping ? "label" : "metric";
  }
  return "metric";
}

/** Where the bracket that belongs to the one at or before `caret` is: [offset, offset] or []. */
export function matchingBrackets(list, caret) {
  const open = [];
  const partner = new Map();
  for (const { kind, text, at } of list) {
    if (kind !== "bracket") continue;
    if ("([{".includes(text)) open.push({ text, at });
    else {
      const last = open.pop();
      if (last && "([{".indexOf(last.text) === ")]}".indexOf(text)) {
        partner.set(last.at, at);
        partner.set(at, last.at);
      }
    }
  }
  for (const at of [caret, caret - 1]) if (partner.has(at)) return [at, partner.get(at)];
  return [];
}

/** What could be completed at `caret`: { kind: "metric" | "label" | "value" | "grouping" | "none", word, from, … }. */
export function context(text, caret) {
  const list = tokens(text.slice(0, caret));
  const last = list[list.length - 1];
  if (!last || last.kind === "comment") return { kind: last ? "none" : "metric", word: "", from: caret };
  const words = list.filter((token) => token.kind !== "space");
  const current = words[words.length - 1];
  const inBraces = depth(list, "{", "}") > 0;
  if (inBraces) {
    const opened = lastOpen(list, "{");
    const metric = words.filter((token) => token.at < opened).pop();
    const selector = metric && metric.kind === "metric" ? metric.text : "";
    if (last.kind === "string" && !closed(last.text)) {
      const label = words[words.length - 3];
      return { kind: "value", word: last.text.slice(1), from: last.at + 1, label: label?.text ?? "", metric: selector };
    }
    if (last.kind === "label") return { kind: "label", word: last.text, from: last.at, metric: selector };
    if (["{", ","].includes(current?.text)) return { kind: "label", word: "", from: caret, metric: selector };
    return { kind: "none", word: "", from: caret };
  }
  if (last.kind === "string") return { kind: "none", word: "", from: caret };
  if (groupingOpen(words)) return { kind: "grouping", word: last.kind === "label" ? last.text : "", from: last.kind === "label" ? last.at : caret };
  if (["metric", "function", "keyword"].includes(last.kind)) return { kind: "metric", word: last.text, from: last.at };
  if (last.kind === "number" || last.kind === "other") return { kind: "none", word: "", from: caret };
  return { kind: current?.text === ")" || current?.text === "}" ? "none" : "metric", word: "", from: caret };
}

const closed = (text) => text.length > 1 && text.endsWith(text[0]) && !text.endsWith(`\\${text[0]}`);

function depth(list, open, close) {
  return list.reduce((sum, { kind, text }) => sum + (kind === "bracket" ? (text === open ? 1 : text === close ? -1 : 0) : 0), 0);
}

function lastOpen(list, open) {
  return list.filter(({ kind, text }) => kind === "bracket" && text === open).pop()?.at ?? 0;
}

function groupingOpen(words) {
  for (let index = words.length - 1; index > 0; index--) {
    const { text, kind } = words[index];
    if (text === "(") return /^(by|without|on|ignoring|group_left|group_right)$/i.test(words[index - 1].text);
    if (text !== "," && kind !== "label") return false;
  }
  return false;
}

/** Ranks candidates for a word: those that start with it, then those that contain it, then its letters in order. */
export function rank(candidates, word, limit = 60) {
  const wanted = word.toLowerCase();
  const scored = [];
  for (const candidate of candidates) {
    const text = candidate.text.toLowerCase();
    const at = text.indexOf(wanted);
    const score = at === 0 ? 0 : at > 0 ? 1 + at / 1000 : inOrder(text, wanted) ? 3 : -1;
    if (score >= 0) scored.push({ candidate, score: score + text.length / 1e5 });
  }
  return scored.sort((a, b) => a.score - b.score || (a.candidate.text < b.candidate.text ? -1 : 1)).slice(0, limit).map((one) => one.candidate);
}

function inOrder(text, wanted) {
  let from = 0;
  for (const letter of wanted) {
    from = text.indexOf(letter, from) + 1;
    if (!from) return false;
  }
  return true;
}
