import assert from "node:assert/strict";
import { test } from "node:test";

import { heatRows } from "../../Sources/Web/Assets/chart/heatmap.js";

test("classic buckets become rows of what lies between two bounds, lowest first", () => {
  const series = [["+Inf", 9], ["0.5", 2], ["1", 5], ["0.5", 1]].map(([le, value], index) => ({ labels: { le, i: String(index) }, points: [[0, value]] }));
  assert.deepEqual(heatRows(series), [
    { name: "≤ 500m".replace("500m", "0.5"), points: [[0, 3]] }, { name: "≤ 1", points: [[0, 2]] }, { name: "≤ +Inf", points: [[0, 4]] },
  ]);
});

test("native histograms become rows of their buckets, and many of them few", () => {
  const buckets = Array.from({ length: 200 }, (_, index) => [0, String(index), String(index + 1), "2"]);
  const rows = heatRows([{ labels: {}, points: [], histograms: [[0, { buckets }], [15, { buckets: buckets.slice(0, 1) }]] }]);
  assert.ok(rows.length <= 64);
  assert.equal(rows.reduce((sum, row) => sum + row.points.reduce((inner, [, value]) => inner + value, 0), 0), 402);
  assert.deepEqual(rows[0].points.map(([at]) => at), [0, 15]);
});

test("a histogram without observations is no row", () => {
  assert.deepEqual(heatRows([{ labels: {}, points: [], histograms: [[0, { count: "0", sum: "0" }]] }]), []);
});

test("other series are a row each", () => {
  assert.deepEqual(heatRows([{ labels: { __name__: "up", job: "a" }, points: [[0, 1]] }]), [{ name: 'up{job="a"}', points: [[0, 1]] }]);
  assert.deepEqual(heatRows([]), []);
});
