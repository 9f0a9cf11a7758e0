import assert from "node:assert/strict";
import { test } from "node:test";

import { write } from "../../Sources/Web/Assets/query/explain.js";
import { decode, encode } from "../../Sources/Web/Assets/query/state.js";

test("what is in the address comes back", () => {
  const states = [
    { expr: "up & \"x\" + é", tab: "graph", range: 5400, end: 1700000000, step: 15, mode: "stacked", exemplars: true },
    { expr: "", tab: "explain", range: 300, end: null, step: null, mode: "heatmap", exemplars: false },
  ];
  assert.deepEqual(decode(`?${encode(states)}`), states);
});

test("addresses of Prometheus 2 and 3 are understood", () => {
  const [one] = decode("?g0.expr=up&g0.tab=graph&g0.stacked=1&g0.range_input=2h&g0.moment_input=2026-11-22 10:00:00");
  assert.equal(one.mode, "stacked");
  assert.equal(one.range, 7200);
  assert.equal(one.end, Date.UTC(2026, 10, 22, 10) / 1000);
  assert.equal(decode("?g0.expr=up&g0.tab=1")[0].tab, "table");
  assert.deepEqual(decode("?nonsense=1&g1000.expr=x"), []);
});

test("nodes are written back as PromQL", () => {
  const vector = { type: "vectorSelector", name: "up", offset: 300000, matchers: [{ name: "__name__", type: "=", value: "up" }, { name: "job", type: "=~", value: "a\"b" }] };
  assert.equal(write(vector), 'up{job=~"a\\"b"} offset 5m');
  assert.equal(write({ type: "matrixSelector", name: "up", range: 90500, matchers: [] }), "up[90500ms]");
  assert.equal(write({ type: "aggregation", op: "topk", param: { type: "numberLiteral", val: "3" }, grouping: ["a"], without: true, expr: vector }), 'topk without (a) (3, up{job=~"a\\"b"} offset 5m)');
  assert.equal(write({ type: "binaryExpr", op: "*", lhs: { type: "numberLiteral", val: "1" }, rhs: vector, matching: { card: "many-to-one", labels: ["a"], on: true, include: ["b"] } }), '1 * on (a) group_left (b) up{job=~"a\\"b"} offset 5m');
});
