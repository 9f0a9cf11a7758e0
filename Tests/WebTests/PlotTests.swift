import Testing
import Web

@Suite struct PlotTests {
    private let frame = PlotFrame(title: "a < b & \"c\"", start: 1_700_000_000, end: 1_700_003_000, step: 15)

    @Test(arguments: [
        (0.0, "0"), (1, "1"), (9999, "9999"), (123_456, "123.46k"), (0.00123, "1.23m"), (1e20, "1e+20"),
        (.infinity, "+Inf"), (.nan, "NaN"), (-2.5e9, "-2.5G"),
    ]) func `numbers are short`(value: Double, text: String) {
        #expect(PlotScale.short(value) == text)
    }

    @Test(arguments: [
        (0.0, 1.0), (5, 5), (0, 0), (1, 1 + 1e-15), (-1e308, 1e308), (1e-300, 2e-300), (-3, 1000), (.nan, 1),
        (1.79e308, 1.79e308), (-1.79e308, -1.79e308), (-0.89e308, 0.89e308),
    ]) func `ticks ascend, cover the values and are few`(low: Double, high: Double) throws {
        let ticks = PlotScale.ticks(low: low, high: high)
        #expect(ticks.count >= 2 && ticks.count <= 100)
        #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $0 < $1 })
        if low.isFinite, (high - low).isFinite {
            #expect(try #require(ticks.first) <= low)
            #expect(try #require(ticks.last) >= high)
        }
    }

    @Test func `times are written in UTC as the step needs`() {
        #expect(PlotScale.timeText(1_700_000_100, step: 300) == "22:15")
        #expect(PlotScale.timeText(1_700_000_101, step: 1) == "22:15:01")
        #expect(PlotScale.timeText(951_782_400, step: 86400) == "2000-02-29")
        #expect(PlotScale.timeText(-86400, step: 86400) == "1969-12-31")
    }

    @Test func `titles and names are escaped in the picture`() {
        let series = PlotSeries(name: "<script>alert(1)</script>", points: [(1_700_000_000, 1), (1_700_000_015, 2)])
        let picture = String(decoding: SVGPlot.draw(.lines([series]), in: frame), as: UTF8.self)
        #expect(!picture.contains("<script"))
        #expect(picture.contains("a &lt; b &amp; &quot;c&quot;"))
    }

    @Test func `a gap in the samples is a gap in the line`() {
        let series = PlotSeries(name: "x", points: [(1_700_000_000, 1), (1_700_000_015, 2), (1_700_000_900, 3)])
        let picture = String(decoding: SVGPlot.draw(.lines([series]), in: frame), as: UTF8.self)
        let path = picture.split(separator: "d=\"").last.map { $0.prefix { $0 != "\"" } } ?? ""
        #expect(path.filter { $0 == "M" }.count == 2)
        #expect(path.filter { $0 == "L" }.count == 1)
    }

    @Test(arguments: [
        (1.79e308, 1.79e308), (-1.79e308, 1.79e308), (-0.89e308, 0.89e308),
        (.leastNonzeroMagnitude, .leastNonzeroMagnitude),
    ])
    func `the largest and the least numbers can be drawn`(first: Double, second: Double) {
        let series = PlotSeries(name: "x", points: [(1_700_000_000, first), (1_700_000_015, second)])
        #expect(TextPlot.draw([series], in: frame).contains("┤"))
        #expect(!SVGPlot.draw(.lines([series]), in: frame).isEmpty)
    }

    @Test func `nothing to draw is said`() {
        #expect(TextPlot.draw([], in: frame) == "No data in this range\n")
        #expect(String(decoding: SVGPlot.draw(.lines([]), in: frame), as: UTF8.self).contains("No data in this range"))
    }

    @Test func `a terminal plot keeps its width`() {
        let series = PlotSeries(name: "x", points: (0..<200).map { (1_700_000_000 + Double($0) * 15, Double($0 % 17)) })
        let plot = TextPlot.draw([series], in: frame, width: 60, height: 8)
        let rows = plot.split(separator: "\n").dropFirst().prefix(8)
        #expect(rows.count == 8)
        #expect(rows.allSatisfy { $0.count <= 60 })
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 1e308, -1e308, Double.leastNonzeroMagnitude])
    func `no value traps`(value: Double) {
        let series = PlotSeries(
            name: "x", points: [(1_700_000_000, value), (.infinity, 1), (.nan, 2), (-1e300, value)])
        for content in [PlotContent.lines([series]), .stacked([series, series]), .heatmap([series])] {
            let exemplar = PlotExemplar(time: value, value: value, title: "x")
            _ = SVGPlot.draw(content, exemplars: [exemplar], in: frame)
        }
        _ = TextPlot.draw([series], in: frame)
    }

    private func picture(_ content: PlotContent, _ change: (inout PlotFrame) -> Void = { _ in }) -> String {
        var frame = frame
        change(&frame)
        let mark = PlotExemplar(time: 1_700_000_100, value: 2, title: "trace <1>")
        return String(decoding: SVGPlot.draw(content, exemplars: [mark], in: frame), as: UTF8.self)
    }

    @Test func `areas stand on each other`() {
        let lines = [1.0, 2].map { PlotSeries(name: "\($0)", points: [(1_700_000_000, $0), (1_700_003_000, $0)]) }
        let picture = picture(.stacked(lines))
        #expect(picture.contains("d=\"M72.0 237.3L884.0 237.3L884.0 330.0L72.0 330.0Z\""))
        #expect(picture.contains("d=\"M72.0 52.0L884.0 52.0L884.0 237.3L72.0 237.3Z\""))
    }

    @Test func `a heat map is a cell a value, within the plot`() throws {
        let rows = [1.0, 4].map { value in
            PlotSeries(
                name: "≤ \(value)", points: [(1_700_000_000, value), (1_700_001_500, value), (1_700_003_000, 0)])
        }
        let picture = picture(.heatmap(rows))
        let cells = picture.split(separator: "<g class=\"heat\" shape-rendering")
        #expect(try #require(cells.last).split(separator: "</g>").first?.split(separator: "<path").count == 3)
        #expect(picture.contains("≤ 4.0") && picture.contains("4 in a cell"))
    }

    @Test func `exemplars are marked with their title escaped`() {
        let line = PlotSeries(name: "x", points: [(1_700_000_000, 1), (1_700_000_015, 3)])
        #expect(picture(.lines([line])).contains("<title>trace &lt;1&gt;</title>"))
    }

    @Test func `a theme can be fixed`() {
        let line = PlotSeries(name: "x", points: [(1_700_000_000, 1)])
        #expect(picture(.lines([line])).contains("@media (prefers-color-scheme: dark)"))
        #expect(!picture(.lines([line])) { $0.theme = .light }.contains("#14161a"))
        #expect(!picture(.lines([line])) { $0.theme = .dark }.contains("#fff;"))
    }

    @Test(arguments: [
        ("go_memstats_alloc_bytes_total", PlotUnit.bytes), ("request_seconds_sum", .seconds), ("up", .none),
        ("", .none),
        ("bytes", .none),
    ]) func `units come of names`(name: String, unit: PlotUnit) { #expect(PlotUnit(metricName: name) == unit) }

    @Test(arguments: [
        (PlotUnit.bytes, 1536.0, "1.5 Ki"), (.bytes, 12, "12 B"), (.bytes, -3_221_225_472, "-3 Gi"),
        (.seconds, 0.25, "0.25s"),
        (.seconds, 5400, "1h 30m"), (.seconds, 0, "0"), (.none, 12345, "12.345k"), (.bytes, .infinity, "+Inf"),
        (.seconds, .nan, "NaN"), (.seconds, 1e300, "1e+300"), (.bytes, 1e300, "1e+300 B"),
    ]) func `values have their unit`(unit: PlotUnit, value: Double, text: String) { #expect(unit.text(value) == text) }

    @Test func `an axis of bytes has round numbers of bytes`() {
        #expect(PlotUnit.bytes.ticks(low: 0, high: 3 * 1_073_741_824).map { $0 / 1_073_741_824 } == [0, 1, 2, 3])
    }
}
