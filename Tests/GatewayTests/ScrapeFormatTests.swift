import Compression
import Exposition
import Gateway
import Matching
import MetricModel
import TestSupport
import Testing

/// Bodies that are put together from cached pieces are what the encoders make of the whole families.
@Suite struct ScrapeFormatTests {
    private static let own = [
        MetricFamily(
            name: "own_total", help: "Ours.", type: .counter,
            metrics: [Metric(labels: [], value: .counter(CounterValue(3)))]),
        MetricFamily(
            name: "y", help: "Joined.", type: .gauge,
            metrics: [Metric(labels: [LabelPair("own", "1")], value: .gauge(1))]),
    ]

    private static let formats: [ExpositionFormat] = ExpositionFormat.Kind.allCases.flatMap { kind in
        NameEscaping.allCases.map { ExpositionFormat(kind, escaping: $0) }
    }

    private func state(_ seed: UInt64, groups: Int) -> GatewayState {
        var state = GatewayState(ownFamilies: [OwnFamily(name: "y", type: .gauge, help: "Joined.")])
        var generator = CommandGenerator(seed: seed, check: .none)
        for number in 0..<groups {
            var families = generator.families()
            families.append(
                MetricFamily(
                    name: "dotted.name", type: .gauge,
                    metrics: [Metric(labels: [LabelPair("a.b", "\"")], value: .gauge(0.5))]))
            _ = state.apply(
                .push(
                    Push(
                        group: GroupingKey(["job": "\(number)"]), families: families, mode: .replaceGroup, check: .none,
                        time: generator.time)))
        }
        return state
    }

    private func expected(_ scrape: Scrape, _ format: ExpositionFormat) -> [UInt8] {
        var families = scrape.families.filter { $0.shownCount > 0 }.map(\.family)
        for own in Self.own {
            guard let index = families.firstIndex(where: { $0.name == own.name }) else {
                families.append(own)
                continue
            }
            families[index].metrics = (own.metrics + families[index].metrics).sorted(by: Self.precedes)
        }
        var bytes: [UInt8] = []
        for family in families.sorted(by: { $0.name < $1.name }) {
            switch format.kind {
            case .text: TextEncoder.append(family, escaping: format.escaping, to: &bytes)
            case .openMetrics001, .openMetrics100:
                OpenMetricsEncoder.append(family, escaping: format.escaping, to: &bytes)
            case .protobufDelimited: ProtobufEncoder.append(family, escaping: format.escaping, to: &bytes)
            case .protobufText, .protobufCompactText:
                ProtobufTextEncoder.append(
                    family, isCompact: format.kind == .protobufCompactText, escaping: format.escaping, to: &bytes)
            }
        }
        if format.isOpenMetrics { OpenMetricsEncoder.appendEnd(to: &bytes) }
        return bytes
    }

    private static func precedes(_ left: Metric, _ right: Metric) -> Bool {
        if left.labels.count != right.labels.count { return left.labels.count < right.labels.count }
        return left.labels.map(\.value).lexicographicallyPrecedes(right.labels.map(\.value))
    }

    @Test(arguments: formats) func `pieces make the whole`(format: ExpositionFormat) {
        for (seed, groups) in [(1, 3), (2, 40), (3, 400)] as [(UInt64, Int)] {
            var state = state(seed, groups: groups)
            let scrape = state.scrape()
            let whole = expected(scrape, format)
            let body = scrape.body(own: Self.own, format: format, coding: .identity)
            #expect(body.bytes == whole, "\(groups) groups")
            #expect(body.isFinished)
            #expect(scrape.body(own: Self.own, format: format, coding: .identity).bytes == whole)
            _ = state.apply(.delete(GroupingKey(["job": "1"])))
            let after = state.scrape()
            #expect(after.body(own: Self.own, format: format, coding: .identity).bytes == expected(after, format))
        }
    }

    @Test(arguments: formats) func `a body is the same in pieces, compressed or not, kept or not`(
        format: ExpositionFormat
    ) throws {
        var state = state(4, groups: 300)
        let scrape = state.scrape()
        let whole = expected(scrape, format)
        for _ in 0..<2 {
            for coding in [Scrape.Coding.gzip, .identity] {
                let body = scrape.body(own: Self.own, format: format, coding: coding)
                var bytes: [UInt8] = []
                while let pieces = body.next(atLeast: 4096) {
                    #expect(pieces.allSatisfy { !$0.isEmpty })
                    for piece in pieces { bytes += piece }
                }
                #expect(body.next(atLeast: 1) == nil)
                if coding == .gzip {
                    bytes = try Gzip.unpack(bytes, limits: DecompressionLimits(maximumBytes: 1 << 30))
                }
                #expect(bytes == whole)
            }
        }
    }

    @Test func `a body shows the moment it was asked for, whatever is pushed while it is taken`() throws {
        var state = state(5, groups: 300)
        let scrape = state.scrape()
        let whole = expected(scrape, ExpositionFormat(.text))
        let body = scrape.body(own: Self.own, format: ExpositionFormat(.text), coding: .identity)
        var bytes: [UInt8] = []
        var group = 0
        while let pieces = body.next(atLeast: 1) {
            for piece in pieces { bytes += piece }
            _ = state.apply(.delete(GroupingKey(["job": "\(group % 300)"])))
            group += 7
        }
        #expect(bytes == whole)
    }

    @Test func `a filtered body has headers only of what passes`() throws {
        var gateway = GatewayStateBox()
        try gateway.post(["job": "a"], "# TYPE x counter\nx{l=\"1\"} 1\n# TYPE y gauge\ny 2\n")
        try gateway.post(["job": "b"], "# TYPE x counter\nx{l=\"2\"} 1\n")
        var scrape = gateway.state.scrape()
        scrape.filter = ScrapeFilter(selectors: [[Matcher("l", equals: "2")]])
        let text = String(decoding: scrape.text(own: [], coding: .identity).bytes, as: UTF8.self)
        #expect(text == "# TYPE x counter\nx{instance=\"\",job=\"b\",l=\"2\"} 1\n")
    }

    @Test func `what is left out is counted and named`() throws {
        var gateway = GatewayStateBox()
        try gateway.post(["job": "a"], "# TYPE x counter\nx 1\n", check: .none)
        try gateway.post(["job": "b"], "# TYPE x counter\nx 1\n", check: .none)
        try gateway.post(["job": "c"], "# TYPE x gauge\nx 1\nx{l=\"1\"} 2\n", check: .none)
        let scrape = gateway.state.scrape()
        #expect(scrape.leftOutCount == 2)
        #expect(scrape.conflicts.map(\.name) == ["x"])
        gateway.delete(["job": "c"])
        #expect(gateway.state.scrape().leftOutCount == 0)
    }
}
