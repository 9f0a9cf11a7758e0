import Exposition
import Gateway
import MetricModel
import Testing

/// The rules of pushes, by the text that a client sends and the text that a scrape shows.
@Suite struct PushRulesTests {
    @Test func `a family is exposed in upstream's order, with the group's labels and an empty instance`() throws {
        var gateway = GatewayStateBox()
        #expect(try gateway.put(["job": "b"], "# TYPE x counter\nx{l=\"w\"} 2\nx{l=\"v\",job=\"z\"} 1\n") == .accepted)
        #expect(try gateway.put(["job": "a", "instance": "i"], "# TYPE x counter\nx{m=\"1\"} 1e6\n") == .accepted)
        #expect(
            gateway.lines("x") == [
                "# TYPE x counter", #"x{instance="",job="b",l="v"} 1"#, #"x{instance="",job="b",l="w"} 2"#,
                #"x{instance="i",job="a",m="1"} 1e+06"#,
            ])
        #expect(gateway.lines("push_time_seconds").count == 4)
    }

    @Test func `post replaces families, put the group`() throws {
        var gateway = GatewayStateBox()
        try gateway.post(["job": "a"], "x{l=\"1\"} 1\nx{l=\"2\"} 2\ny 2\n")
        try gateway.post(["job": "a"], "x{l=\"3\"} 3\nz 4\n")
        #expect(
            gateway.samples() == [
                #"x{instance="",job="a",l="3"} 3"#, #"y{instance="",job="a"} 2"#, #"z{instance="",job="a"} 4"#,
            ])
        try gateway.put(["job": "a"], "z 5\n")
        #expect(gateway.samples() == [#"z{instance="",job="a"} 5"#])
        try gateway.put(["job": "a"], "")
        #expect(gateway.samples() == [])
        #expect(gateway.state.groupCount == 1)
    }

    @Test func `a type conflict across groups is refused and marks the group as failed`() throws {
        var gateway = GatewayStateBox()
        try gateway.post(["job": "a"], "# TYPE x counter\nx 1\n")
        let outcome = try gateway.post(["job": "b"], "# TYPE x gauge\nx 2\n")
        #expect(
            outcome
                == .refused(
                    .inconsistent(
                        #"collected metric "x" { label:{name:"instance" value:""} label:{name:"job" value:"b"} gauge:{value:2}} is not a COUNTER"#
                    )))
        #expect(gateway.samples() == [#"x{instance="",job="a"} 1"#])
        #expect(gateway.state.group(GroupingKey(["job": "b"]))?.lastPushSuccessful == false)
        #expect(gateway.state.group(GroupingKey(["job": "b"]))?.pushTime == 0)
        gateway.delete(["job": "a"])
        #expect(try gateway.post(["job": "b"], "# TYPE x gauge\nx 2\n") == .accepted)
    }

    @Test func `the same series in two groups is refused, in either direction`() throws {
        var gateway = GatewayStateBox()
        try gateway.post(["job": "a"], "x{instance=\"i\"} 1\n")
        #expect(try gateway.post(["job": "a", "instance": "i"], "x 2\n") != .accepted)
        #expect(try gateway.post(["job": "a", "instance": "i"], "y 2\n") == .accepted)
        #expect(try gateway.post(["job": "a"], "y{instance=\"i\"} 2\n") != .accepted)
        #expect(try gateway.post(["job": "a"], "y{l=\"1\"} 2\ny{l=\"1\"} 3\n") != .accepted)
    }

    @Test func `a group whose times would collide with another's is refused and leaves no trace`() throws {
        var gateway = GatewayStateBox()
        try gateway.post(["job": "a"], "x 1\n")
        #expect(try gateway.post(["job": "a", "instance": ""], "y 1\n") != .accepted)
        #expect(gateway.state.groupCount == 1)
    }

    @Test(arguments: [
        ("# TYPE h histogram\nh_count 1\n", "# TYPE h_count counter\nh_count 1\n"),
        ("# TYPE h_bucket counter\nh_bucket 1\n", "# TYPE h histogram\nh_count 1\n"),
        ("# TYPE s summary\ns_count 1\n", "# TYPE s_sum counter\ns_sum 1\n"),
    ]) func `suffixes of histograms and summaries are reserved`(first: String, second: String) throws {
        var gateway = GatewayStateBox()
        #expect(try gateway.post(["job": "a"], first) == .accepted)
        #expect(try gateway.post(["job": "b"], second) != .accepted)
        #expect(try gateway.put(["job": "a"], second) == .accepted)
    }

    @Test func `a summary leaves the bucket suffix free`() throws {
        var gateway = GatewayStateBox()
        #expect(try gateway.post(["job": "a"], "# TYPE s summary\ns_count 1\n") == .accepted)
        #expect(try gateway.post(["job": "b"], "s_bucket 1\n") == .accepted)
    }

    @Test func `own families keep their type and help`() throws {
        var gateway = GatewayStateBox(own: [OwnFamily(name: "own", type: .counter, help: "Ours.")])
        #expect(try gateway.post(["job": "a"], "own 1\n") != .accepted)
        #expect(try gateway.post(["job": "a"], "# HELP own Bogus.\n# TYPE own counter\nown 1\n") == .accepted)
        #expect(gateway.lines("own") == ["# HELP own Ours.", "# TYPE own counter", #"own{instance="",job="a"} 1"#])
    }

    @Test func `timestamps are refused; unchecked they are taken and not stored`() throws {
        var gateway = GatewayStateBox()
        #expect(
            try gateway.post(["job": "a"], "x 1 5\n")
                == .refused(.inconsistent("pushed metrics must not have timestamps")))
        #expect(try gateway.post(["job": "b"], "x 1 5\n", check: .none) == .accepted)
        #expect(gateway.samples() == [])
        #expect(gateway.state.group(GroupingKey(["job": "b"]))?.failureTime == gateway.time)
    }

    @Test func `pushed push times are dropped`() throws {
        var gateway = GatewayStateBox()
        #expect(
            try gateway.post(["job": "a"], "# TYPE push_time_seconds counter\npush_time_seconds{l=\"v\"} 5\n")
                == .accepted)
        #expect(gateway.state.group(GroupingKey(["job": "a"]))?.families.isEmpty == true)
    }

    @Test func `of families of one name the last counts, also where an earlier one may not be pushed`() throws {
        var gateway = GatewayStateBox()
        let families = [
            MetricFamily(name: "x", type: .unknown, metrics: [Metric(labels: [], value: .untyped(1), timestamp: 5)]),
            MetricFamily(name: "x", type: .unknown, metrics: [Metric(labels: [], value: .untyped(2))]),
        ]
        #expect(gateway.push(.replaceFamilies, ["job": "a"], families) == .accepted)
        #expect(gateway.samples() == [#"x{instance="",job="a"} 2"#])
    }

    @Test func `refusals show numbers and native histograms as protobuf's text does`() throws {
        var gateway = GatewayStateBox()
        let native = FloatHistogram(
            schema: 1, zeroThreshold: 0.001, zeroCount: 0.5, count: 3, sum: -.infinity,
            positiveSpans: [BucketSpan(offset: 1, length: 1)], positiveBuckets: [2.5])
        let value = HistogramValue(count: 3, sum: -.infinity, hasFloatCounts: true, native: .float(native))
        let series = Metric(labels: [], value: .histogram(value))
        let outcome = gateway.push(
            .replaceFamilies, ["job": "a"], [MetricFamily(name: "h", type: .histogram, metrics: [series, series])])
        let text =
            #"collected metric "h" { label:{name:"instance" value:""} label:{name:"job" value:"a"} histogram:{"#
            + "sample_count_float:3 sample_sum:-inf schema:1 zero_threshold:0.001 zero_count_float:0.5 "
            + "positive_span:{offset:1 length:1} positive_count:2.5}} was collected before with the same name and label values"
        #expect(outcome == .refused(.inconsistent(text)))
    }

    @Test func `refusals are short however long the series is`() throws {
        var gateway = GatewayStateBox()
        let buckets = (0..<10_000).map { HistogramValue.Bucket(upperBound: Double($0), count: 1) }
        let series = Metric(labels: [], value: .histogram(HistogramValue(count: 1, sum: 1, buckets: buckets)))
        let outcome = gateway.push(
            .replaceFamilies, ["job": "a"], [MetricFamily(name: "h", type: .histogram, metrics: [series, series])])
        guard case .refused(.inconsistent(let text)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(text.utf8.count < 2300)
    }
}
