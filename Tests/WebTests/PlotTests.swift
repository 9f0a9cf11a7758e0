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
        let picture = String(decoding: SVGPlot.draw([series], in: frame), as: UTF8.self)
        #expect(!picture.contains("<script"))
        #expect(picture.contains("a &lt; b &amp; &quot;c&quot;"))
    }

    @Test func `a gap in the samples is a gap in the line`() {
        let series = PlotSeries(name: "x", points: [(1_700_000_000, 1), (1_700_000_015, 2), (1_700_000_900, 3)])
        let picture = String(decoding: SVGPlot.draw([series], in: frame), as: UTF8.self)
        let path = picture.split(separator: "d=\"").last.map { $0.prefix { $0 != "\"" } } ?? ""
        #expect(path.filter { $0 == "M" }.count == 2)
        #expect(path.filter { $0 == "L" }.count == 1)
    }

    @Test func `nothing to draw is said`() {
        #expect(TextPlot.draw([], in: frame) == "No data in this range\n")
        #expect(String(decoding: SVGPlot.draw([], in: frame), as: UTF8.self).contains("No data in this range"))
    }

    @Test func `a terminal plot keeps its width`() {
        let series = PlotSeries(name: "x", points: (0..<200).map { (1_700_000_000 + Double($0) * 15, Double($0 % 17)) })
        let plot = TextPlot.draw([series], in: frame, width: 60, height: 8)
        let rows = plot.split(separator: "\n").dropFirst().prefix(8)
        #expect(rows.count == 8)
        #expect(rows.allSatisfy { $0.count <= 60 })
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity, 1e308, -1e308, 5e-324])
    func `no value traps`(value: Double) {
        let series = PlotSeries(
            name: "x", points: [(1_700_000_000, value), (.infinity, 1), (.nan, 2), (-1e300, value)])
        _ = SVGPlot.draw([series], in: frame)
        _ = TextPlot.draw([series], in: frame)
    }
}
