/// Draws lines over time as a picture that stands on its own, for chats, reports and READMEs.
package enum SVGPlot {
    private static let plot = (left: 64.0, right: 884.0, top: 40.0, bottom: 320.0)
    /// A legend names this many lines; the rest are counted.
    private static let named = 12

    /// The picture, UTF-8. Readable on light and on dark.
    /// - Complexity: O(points).
    package static func draw(_ series: [PlotSeries], in frame: PlotFrame) -> [UInt8] {
        let values = series.lazy.flatMap { $0.points.lazy.map(\.value) }.filter(\.isFinite)
        var low = values.min() ?? 0
        let high = values.max() ?? 1
        if low > 0 && low < (high - low) * 0.5 { low = 0 }
        let ticks = PlotScale.ticks(low: low, high: high)
        let scale = Scale(frame: frame, low: ticks.first ?? 0, high: ticks.last ?? 1)
        let legendRows = min(series.count, named) + (series.count > named ? 1 : 0)
        let height = 360 + 20 * legendRows
        var picture: Markup = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 \(height)" width="900" height="\(height)" role="img">
            <title>\(frame.title)</title>
            <style>
            svg { background: #fff; font: 12px system-ui, sans-serif; }
            text { fill: #4a5361; } .title { fill: #1b1f26; font-weight: 600; font-size: 14px; } .grid { stroke: #dfe3e8; }
            @media (prefers-color-scheme: dark) {
            svg { background: #14161a; } text { fill: #aab3c0; } .title { fill: #e6e9ee; } .grid { stroke: #31363f; } }
            </style>
            <text class="title" x="64" y="24">\(shortened(frame.title, to: 110))</text>

            """
        picture += axes(ticks: ticks, scale: scale, frame: frame)
        for (index, line) in series.enumerated() {
            picture += """
                <path fill="none" stroke-width="1.6" stroke-linejoin="round" stroke="\(color(index))" d="\(path(line, scale, frame))"/>

                """
        }
        picture += legend(series)
        if series.allSatisfy(\.points.isEmpty) {
            picture += "<text x=\"474\" y=\"185\" text-anchor=\"middle\">No data in this range</text>\n"
        }
        picture += "</svg>\n"
        return picture.bytes
    }

    private struct Scale {
        let frame: PlotFrame
        let low: Double
        let high: Double

        func x(_ time: Double) -> Double {
            plot.left + (time - frame.start) / max(frame.end - frame.start, 1e-9) * (plot.right - plot.left)
        }

        func y(_ value: Double) -> Double {
            plot.bottom - (value - low) / max(high - low, .leastNormalMagnitude) * (plot.bottom - plot.top)
        }
    }

    private static func axes(ticks: [Double], scale: Scale, frame: PlotFrame) -> Markup {
        var result = Markup()
        for tick in ticks {
            let y = tenth(scale.y(tick))
            result += """
                <line class="grid" x1="64" x2="884" y1="\(y)" y2="\(y)"/><text x="58" y="\(tenth(scale.y(tick) + 4))" text-anchor="end">\(PlotScale.short(tick))</text>

                """
        }
        let step = PlotScale.timeStep(span: frame.end - frame.start)
        var time = (frame.start / step).rounded(.up) * step
        var drawn = 0
        while time <= frame.end && drawn < 20 {
            result += """
                <text x="\(tenth(scale.x(time)))" y="338" text-anchor="middle">\(PlotScale.timeText(time, step: step))</text>

                """
            time += step
            drawn += 1
        }
        return result
    }

    private static func path(_ series: PlotSeries, _ scale: Scale, _ frame: PlotFrame) -> String {
        var path = ""
        var previous: Double?
        for point in series.points {
            guard point.value.isFinite else {
                previous = nil
                continue
            }
            let continues = previous.map { point.time - $0 <= frame.step * 1.5 } ?? false
            path += "\(continues ? "L" : "M")\(tenth(scale.x(point.time))) \(tenth(scale.y(point.value)))"
            // A point without neighbours would be invisible.
            if !continues { path += "h.1" }
            previous = point.time
        }
        return path
    }

    private static func legend(_ series: [PlotSeries]) -> Markup {
        var result = Markup()
        for (index, line) in series.prefix(named).enumerated() {
            let y = 362 + 20 * index
            let last = line.points.last { $0.value.isFinite }.map { PlotScale.short($0.value) } ?? ""
            result += """
                <rect x="64" y="\(y - 10)" width="10" height="10" fill="\(color(index))"/><text x="80" y="\(y)">\(shortened(line.name, to: 120))</text><text x="884" y="\(y)" text-anchor="end">\(last)</text>

                """
        }
        if series.count > named {
            result += "<text x=\"80\" y=\"\(362 + 20 * named)\">and \(series.count - named) more</text>\n"
        }
        return result
    }

    private static func shortened(_ text: String, to length: Int) -> String {
        text.count <= length ? text : text.prefix(length - 1) + "…"
    }

    private static func tenth(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e9 else { return "0" }
        return "\((value * 10).rounded() / 10)"
    }

    /// Hues far apart, in the order in which the pages' charts use them.
    private static func color(_ index: Int) -> String {
        let hue = (28 + Double(index) * 137.508).truncatingRemainder(dividingBy: 360)
        return "hsl(\(Int(hue)),65%,48%)"
    }
}
