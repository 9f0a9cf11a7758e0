import assert from "node:assert/strict";
import { test } from "node:test";

import { nearest, segments, seriesColor, stack, timeTicks, valueTicks } from "../../Sources/Web/Assets/chart/scale.js";

test("ticks are round, ascend and cover the values", () => {
  for (const [low, high] of [[0, 1], [5, 5], [0, 0], [-3, 1000], [1e-300, 2e-300], [-1e308, 1e308], [1, 1 + 1e-15], [NaN, 1], [-Infinity, 3]]) {
    const { ticks, low: first, high: last } = valueTicks(low, high);
    assert.ok(ticks.length >= 2 && ticks.length <= 50, `${low} to ${high}: ${ticks}`);
    assert.ok(ticks.every((tick, index) => index === 0 || tick > ticks[index - 1]), `${ticks}`);
    if (Number.isFinite(low) && Number.isFinite(high - low)) assert.ok(first <= low && last >= high);
  }
  assert.deepEqual(valueTicks(0, 93).ticks, [0, 20, 40, 60, 80, 100]);
});

test("ticks of bytes are multiples of powers of 1024", () => {
  const { ticks } = valueTicks(0, 3 * 2 ** 30, 5, "bytes");
  assert.deepEqual(ticks.map((tick) => tick / 2 ** 30), [0, 1, 2, 3]);
});

test("times are written as the step needs", () => {
  const start = Date.UTC(2026, 10, 22, 14, 0, 0) / 1000;
  const hour = timeTicks(start, start + 3600, 6);
  assert.deepEqual(hour.ticks.map(hour.write), ["14:00", "14:10", "14:20", "14:30", "14:40", "14:50", "15:00"].filter((_, index) => index < hour.ticks.length));
  const seconds = timeTicks(start, start + 10, 5);
  assert.equal(seconds.write(seconds.ticks[1]), "14:00:02");
  const days = timeTicks(start, start + 7 * 86400, 7);
  assert.equal(days.write(days.ticks[0]), "2026-11-23");
});

test("a gap in the samples is a gap in the line", () => {
  assert.deepEqual(segments([[0, 1], [10, 2], [60, 3]], 10), [[[0, 1], [10, 2]], [[60, 3]]]);
  assert.deepEqual(segments([[0, 1], [10, NaN], [20, 3]], 10), [[[0, 1]], [[20, 3]]]);
  assert.deepEqual(segments([], 10), []);
});

test("layers stand on each other, negative values hang", () => {
  const [a, b, c] = stack([[[0, 1], [1, 2]], [[1, 3]], [[0, -4], [1, -1]]]);
  assert.deepEqual(a, [[0, 0, 1], [1, 0, 2]]);
  assert.deepEqual(b, [[0, 1, 1], [1, 2, 5]]);
  assert.deepEqual(c, [[0, 0, -4], [1, 0, -1]]);
});

test("the nearest point is found, unless it is far away", () => {
  const points = [[0, "a"], [10, "b"], [20, "c"]];
  assert.equal(nearest(points, 14, 10)[1], "b");
  assert.equal(nearest(points, 16, 10)[1], "c");
  assert.equal(nearest(points, -3, 10)[1], "a");
  assert.equal(nearest(points, 100, 10), null);
  assert.equal(nearest([], 1, 10), null);
});

test("neighbouring series have different colours", () => {
  assert.equal(new Set(Array.from({ length: 20 }, (_, index) => seriesColor(index))).size, 20);
});
