// A PromQL editor: a plain text area (so that keyboards, screen readers and undo work as everywhere) over a painted copy.

import { element, escapeValue, replace } from "../common/dom.js";
import { functions, keywords } from "./functions.js";
import { context, matchingBrackets, rank, tokens } from "./language.js";

let editors = 0;

/**
 * Makes an editor. `names` gives what the store knows: metrics(), labels(metric), values(label, metric), each a promise
 * of strings or of { text, what }. `run` is called by Enter (Shift+Enter breaks the line).
 */
export function makeEditor({ text, names, run, change }) {
  const id = `editor-${++editors}`;
  const paint = element("pre", { class: "paint", "aria-hidden": "true" });
  const list = element("ul", { class: "completion", role: "listbox", id: `${id}-list`, "aria-label": "Completions", hidden: true });
  const area = element("textarea", {
    rows: 1, spellcheck: "false", autocapitalize: "off", autocomplete: "off", placeholder: "Expression: press Enter to run, Ctrl+Space to complete",
    "aria-label": "PromQL expression", role: "combobox", "aria-expanded": "false", "aria-controls": `${id}-list`, "aria-autocomplete": "list",
  });
  area.value = text;
  const node = element("div", { class: "editor" }, area, paint, list);
  let problem = null;
  let options = [];
  let chosen = -1;
  let asked = 0;

  const draw = () => {
    const list = tokens(area.value);
    const pair = document.activeElement === area ? matchingBrackets(list, area.selectionStart) : [];
    replace(paint, list.map((token) => paintToken(token, pair, problem)), "\n");
    if (!CSS.supports("field-sizing", "content")) {
      area.style.height = "auto";
      area.style.height = `${area.scrollHeight + 2}px`;
    }
  };

  const close = () => {
    list.hidden = true;
    options = [];
    chosen = -1;
    area.setAttribute("aria-expanded", "false");
    area.removeAttribute("aria-activedescendant");
  };

  const show = (found, where) => {
    options = found;
    chosen = found.length ? 0 : -1;
    replace(list, found.map((option, index) => element("li", {
      role: "option", id: `${id}-${index}`, "aria-selected": String(index === chosen),
      onpointerdown: (event) => { event.preventDefault(); accept(option, where); },
    }, element("span", { class: "mono" }, mark(option.text, where.word)), element("span", { class: "what" }, option.signature ? `${option.signature} – ` : "", option.what ?? ""))));
    list.hidden = !found.length;
    area.setAttribute("aria-expanded", String(found.length > 0));
    list.where = where;
  };

  const move = (by) => {
    chosen = (chosen + by + options.length) % options.length;
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === chosen)));
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
    area.setAttribute("aria-activedescendant", `${id}-${chosen}`);
  };

  const accept = (option, where) => {
    const written = insertion(option, where);
    area.setRangeText(written, where.from, area.selectionStart, "end");
    if (option.kind === "function" && !area.value.slice(area.selectionStart).startsWith("(")) {
      area.setRangeText("()", area.selectionStart, area.selectionStart, "end");
      area.selectionStart = area.selectionEnd = area.selectionEnd - 1;
    }
    close();
    problem = null;
    draw();
    change?.(area.value);
  };

  const complete = async (forced) => {
    const where = context(area.value, area.selectionStart);
    if (where.kind === "none" || (!forced && where.word === "" && where.kind === "metric")) return close();
    const mine = ++asked;
    const candidates = await candidatesFor(where, names).catch(() => []);
    if (mine !== asked || document.activeElement !== area) return;
    const found = rank(candidates, where.word);
    if (found.length === 1 && found[0].text === where.word) return close();
    show(found, where);
  };

  area.addEventListener("input", () => {
    problem = null;
    draw();
    change?.(area.value);
    complete(false);
  });
  area.addEventListener("keydown", (event) => {
    const open = !list.hidden;
    if (event.key === " " && event.ctrlKey) complete(true);
    else if (open && event.key === "ArrowDown") move(1);
    else if (open && event.key === "ArrowUp") move(-1);
    else if (open && (event.key === "Tab" || event.key === "Enter") && chosen >= 0) accept(options[chosen], list.where);
    else if (open && event.key === "Escape") close();
    else if (event.key === "Enter" && !event.shiftKey) { close(); run(); }
    else return;
    event.preventDefault();
  });
  area.addEventListener("blur", close);
  area.addEventListener("focus", draw);
  document.addEventListener("selectionchange", () => { if (document.activeElement === area) draw(); });
  draw();

  return {
    node,
    get text() { return area.value; },
    set text(value) { area.value = value; problem = null; draw(); },
    focus: () => area.focus(),
    /** Marks where an error message ("1:5: parse error: …") points at. */
    mark: (message) => { problem = position(message, area.value); draw(); },
  };
}

function paintToken(token, pair, problem) {
  const wrong = problem !== null && problem >= token.at && problem < token.at + token.text.length;
  const paired = token.kind === "bracket" && pair.includes(token.at);
  const names = [`t-${token.kind}`, wrong ? "t-error" : "", paired ? "t-pair" : ""].join(" ").trim();
  return element("span", { class: names }, token.text);
}

/** "line:column: parse error: …" → offset, or null. */
export function position(message, text) {
  const match = /(?:^|: )(?:parse error at )?(\d+):(\d+): parse error/.exec(message) ?? /^(\d+):(\d+):/.exec(message);
  if (!match) return null;
  const lines = text.split("\n").slice(0, Number(match[1]) - 1);
  return Math.min(lines.reduce((sum, line) => sum + line.length + 1, 0) + Number(match[2]) - 1, Math.max(text.length - 1, 0));
}

async function candidatesFor(where, names) {
  const plain = (list, what) => list.map((one) => (typeof one === "string" ? { text: one, what, kind: where.kind } : one));
  switch (where.kind) {
    case "metric": return [...plain(await names.metrics(), "metric"), ...functions, ...keywords];
    case "label": return plain(await names.labels(where.metric), "label");
    case "grouping": return plain(await names.labels(""), "label");
    case "value": return plain(await names.values(where.label, where.metric), "value");
    default: return [];
  }
}

function insertion(option, where) {
  if (where.kind === "value") return escapeValue(option.text);
  const legacy = where.kind === "metric" ? /^[a-zA-Z_:][a-zA-Z0-9_:]*$/ : /^[a-zA-Z_][a-zA-Z0-9_]*$/;
  if (option.kind === "function" || option.kind === "keyword" || legacy.test(option.text)) return option.text;
  return where.kind === "metric" ? `{"${escapeValue(option.text)}"}` : `"${escapeValue(option.text)}"`;
}

function mark(text, word) {
  const at = word ? text.toLowerCase().indexOf(word.toLowerCase()) : -1;
  return at < 0 ? text : [text.slice(0, at), element("b", {}, text.slice(at, at + word.length)), text.slice(at + word.length)];
}
