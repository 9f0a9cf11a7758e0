import MetricModel
import Testing
import Web

@Suite struct PageTextTests {
    @Test(arguments: [
        (Int64(0), "just now"), (1, "1s ago"), (200, "3m 20s ago"), (90061, "1d 1h ago"), (31_536_000, "1y ago"),
        (-60, "in 1m"),
        (.max, "292471208677y 195d ago"), (.min, "in 292471208677y 195d"),
    ]) func `ages have at most two units`(seconds: Int64, text: String) {
        #expect(PageTime.age(seconds: seconds) == text)
    }

    @Test func `moments are written in UTC`() {
        #expect(PageTime.moment(second: 1_700_000_000) == "2023-11-14 22:13:20")
    }

    @Test(arguments: [
        (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (120 << 20, "120 MiB"), (-1, "0 B"), (.max, "8388608 TiB"),
    ])
    func `sizes are binary`(count: Int, text: String) { #expect(ByteCountText.binary(count) == text) }

    @Test(arguments: [
        ("example.org:9091", "http://example.org:9090"), ("[::1]:9091", "http://[::1]:9090"),
        ("10.0.0.1", "http://10.0.0.1:9090"),
    ]) func `the other program is found on the same host`(host: String, origin: String) {
        #expect(PortAddress.origin(host: host, port: 9090) == origin)
        #expect(PortAddress.origin(host: nil, port: 9090) == "http://localhost:9090")
    }

    @Test func `labels are escaped, kept apart, and the job comes first`() {
        let labels = [LabelPair("a", "<b>"), LabelPair("job", "x"), LabelPair("n m", "\u{202E}")]
        let text = String(decoding: LabelMarkup.group(labels).bytes, as: UTF8.self)
        #expect(text.hasPrefix("<span class=\"labels\">{<span class=\"name\">job</span>=<bdi>&quot;x&quot;</bdi>, "))
        #expect(text.contains("<bdi>&quot;&lt;b&gt;&quot;</bdi>") && text.contains("<bdi>&quot;n m&quot;</bdi>"))
        #expect(text.contains("\\u202e"))
    }

    @Test func `buckets are drawn with what lies in each alone`() {
        let histogram = HistogramValue(
            count: 10, sum: 5,
            buckets: [
                .init(upperBound: 1, count: 4), .init(upperBound: 2, count: 10),
                .init(upperBound: .infinity, count: 10),
            ])
        let bars = DistributionChart.bars(histogram)
        #expect(bars.map(\.count) == [4, 6, 0])
        #expect(bars.map(\.title) == ["up to 1", "1 to 2", "2 to +Inf"])
        #expect(DistributionChart.histogram([]).bytes.isEmpty)
    }
}
