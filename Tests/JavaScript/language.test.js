import assert from "node:assert/strict";
import { test } from "node:test";

import { position } from "../../Sources/Web/Assets/query/editor.js";
import { functions } from "../../Sources/Web/Assets/query/functions.js";
import { context, matchingBrackets, rank, tokens } from "../../Sources/Web/Assets/query/language.js";

const kinds = (text) => tokens(text).filter((token) => token.kind !== "space").map((token) => `${token.kind}:${token.text}`);

test("every character is in exactly one token", () => {
  for (const text of ["", "sum by (a) (rate(x[5m])) > 1e3 # c", "\"open", "'a\\'b' `raw`", "{\u202e<img>}", "x{a=~\"b\"} offset 5m", "((((", "0x1F .5 1_000 5m30s"]) {
    assert.equal(tokens(text).map((token) => token.text).join(""), text);
  }
});

test("words are told apart", () => {
  assert.deepEqual(kinds("sum by (code) (rate(up[5m]))"), [
    "function:sum", "keyword:by", "bracket:(", "label:code", "bracket:)", "bracket:(", "function:rate", "bracket:(", "metric:up", "bracket:[", "number:5m", "bracket:]", "bracket:)", "bracket:)",
  ]);
  assert.deepEqual(kinds('up{job="a"}'), ["metric:up", "bracket:{", "label:job", "operator:=", 'string:"a"', "bracket:}"]);
});

test("brackets find their partner", () => {
  const list = tokens("sum(rate(x[5m]))");
  assert.deepEqual(matchingBrackets(list, 3), [3, 15]);
  assert.deepEqual(matchingBrackets(list, 16), [15, 3]);
  assert.deepEqual(matchingBrackets(tokens("(]"), 0), []);
});

test("what can be completed depends on the place", () => {
  const at = (text) => { const { kind, word, metric, label } = context(text, text.length); return { kind, word, metric, label }; };
  assert.equal(at("").kind, "metric");
  assert.equal(at("sum(ra").kind, "metric");
  assert.deepEqual(at("up{jo"), { kind: "label", word: "jo", metric: "up", label: undefined });
  assert.deepEqual(at('up{job="pro'), { kind: "value", word: "pro", metric: "up", label: "job" });
  assert.equal(at("sum by (co").kind, "grouping");
  assert.equal(at('up{job="a"}').kind, "none");
  assert.equal(at("# comment").kind, "none");
});

test("candidates that start with the word come first", () => {
  const found = rank(["process_cpu", "cpu_usage", "c_p_u", "memory"].map((text) => ({ text })), "cpu").map((one) => one.text);
  assert.deepEqual(found, ["cpu_usage", "process_cpu", "c_p_u"]);
});

test("functions have signatures and help", () => {
  assert.ok(functions.length > 80);
  for (const one of functions) assert.ok(one.text && one.signature && one.what, JSON.stringify(one));
});

test("an error's place becomes an offset", () => {
  assert.equal(position("invalid parameter \"query\": 1:5: parse error: unexpected", "sum(x"), 4);
  assert.equal(position("2:3: parse error: x", "ab\ncdef"), 5);
  assert.equal(position("something else", "x"), null);
  assert.equal(position("1:99: parse error: x", "abc"), 2);
});
