import assert from "node:assert/strict";
import { test } from "node:test";

import { age, bytes, duration, parseDuration, short, time, unitOf, withUnit } from "../../Sources/Web/Assets/common/format.js";

test("durations go both ways", () => {
  for (const [text, seconds] of [["5m", 300], ["1h30m", 5400], ["1d", 86400], ["2w", 1209600], ["1y", 31536000], ["500ms", 0.5]]) {
    assert.equal(parseDuration(text), seconds);
    assert.equal(duration(seconds), text);
  }
  assert.equal(parseDuration("90"), 90);
  assert.ok(Number.isNaN(parseDuration("5 apples")));
  assert.ok(Number.isNaN(parseDuration("")));
});

test("ages have at most two units", () => {
  assert.equal(age(0.4), "just now");
  assert.equal(age(200), "3m 20s ago");
  assert.equal(age(90061), "1d 1h ago");
  assert.equal(age(-60), "in 1m");
  assert.equal(age(NaN), "never");
});

test("numbers are short", () => {
  for (const [value, text] of [[0, "0"], [1, "1"], [9999, "9999"], [123456, "123.46k"], [0.00123, "1.23m"], [Infinity, "+Inf"], [NaN, "NaN"], [-2.5e9, "-2.5G"]]) {
    assert.equal(short(value), text);
  }
  assert.equal(short(0.088388, 3), "0.0884");
});

test("units come of names", () => {
  assert.equal(unitOf("go_memstats_alloc_bytes_total"), "bytes");
  assert.equal(unitOf("request_seconds_sum"), "seconds");
  assert.equal(unitOf("up"), "");
  assert.equal(unitOf(undefined), "");
  assert.equal(withUnit(1536, "bytes"), "1.5 Ki");
  assert.equal(withUnit(0.25, "seconds"), "0.25s");
  assert.equal(withUnit(5400, "seconds"), "1h 30m");
  assert.equal(withUnit(12345, ""), "12.345k");
  assert.equal(bytes(1536), "1.5 KiB");
});

test("times are UTC, and what is no time is a dash", () => {
  assert.equal(time(0), "1970-01-01 00:00:00");
  assert.equal(time(NaN), "–");
});
