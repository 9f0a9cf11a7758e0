import MetricModel
import PromQLScripts
import Testing

/// Scripts whose expectations do not hold; Prometheus 3.14's runner finds the same.
@Suite struct ScriptVerdictTests {
    private static let data = "load 1m\n  a 5 6\n  b{x=\"1\"} 1 2\n  h {{count:3 sum:4 buckets:[1 2]}}\n\n"

    @Test(arguments: [
        // A place in an ordered result is that of the line, whichever line of a series counts.
        "eval instant at 0s sort({__name__=~\"a|b\"})\n  expect ordered\n  b{x=\"1\"} 1\n  a 5\n  b{x=\"1\"} 1\n",
        // A text or a range vector takes a place, too.
        "eval_ordered instant at 0s sort(a)\n  expect string \"x\"\n  a 5\n",
        "eval instant at 0s scalar(a)\n",
        "eval instant at 0s a\n  5\n",
        "eval instant at 0s a\n  a\n",
        "eval instant at 0s a\n  a _\n",
        "eval instant at 0s h\n  h 0\n",
        "eval instant at 0s \"x\"\n",
        "eval range from 0 to 1m step 1m sort(a)\n  expect ordered\n  a 5 6\n",
        "eval range from 0 to 1m step 1m a\n  a 5 6 _\n",
        "eval_warn instant at 0s a\n  a 5\n",
        "eval_info instant at 0s quantile(2, a)\n  {} Inf\n",
        "eval_warn instant at 0s quantile(2, a)\n  expect no_warn\n  {} Inf\n",
        "eval_fail instant at 0s label_replace(a, \"\", \"\", \"\", \"\")\n  expect fail msg: other\n"
            + "  expected_fail_regexp replace\n",
        "eval instant at 0s a * 1.0000021\n  {} 5\n",
        "eval instant at 1m b{x=\"1\"}[1m] + 1\n  expect fail msg: other\n",
    ])
    func `what does not hold is told of`(script: String) {
        var runner = ScriptRunner(ArrayStoreSubject())
        let report = runner.run(ByteString(Self.data + script))
        #expect(report.passed == 0)
        #expect(report.failures.map(\.line).contains { $0 == 1 || $0 == 6 }, "\(report.failures)")
    }

    @Test(arguments: [
        "load_with_nhcb 1m\n  a_bucket 1 2\n",
        "load_with_nhcb 1m\n  a_bucket{le=\"1\"} -1\n",
        "load_with_nhcb 1m\n  a_bucket{le=\"1\"} 2\n  a_bucket{le=\"2\"} 1\n",
        "load_with_nhcb 1m\n  a_bucket{le=\"+Inf\"} 2\n  a_count 1\n",
        "load_with_nhcb 1m\n  a_count -1\n",
    ])
    func `classic histograms that are none are not loaded`(script: String) {
        var runner = ScriptRunner(ArrayStoreSubject())
        let report = runner.run(ByteString(script + "\neval instant at 0s vector(1)\n  {} 1\n"))
        #expect(report.passed == 0)
        #expect(report.failures.count == 1)
    }
}
