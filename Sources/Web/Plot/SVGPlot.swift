/// Draws lines, stacked areas or a heat map over time as a picture that stands on its own, for chats, reports and
/// READMEs.
package enum SVGPlot {
    static let plot = (left: 72.0, right: 884.0, top: 52.0, bottom: 330.0)
    /// A legend names this many lines; the rest are counted.
    private static let named = 12

    /// The picture, UTF-8.
    /// - Complexity: O(points).
    package static func draw(
        _ content: PlotContent, exemplars: [PlotExemplar] = [], in frame: PlotFrame
    ) -> [UInt8] {
        let (body, axis, scale) = self.body(content, exemplars, frame)
        let legend: (markup: Markup, rows: Int) =
            if case .heatmap = content { (HeatmapPlot.legend(content.series), 1) } else { self.legend(content, frame) }
        let height = Int(plot.bottom) + 48 + 20 * legend.rows
        var picture: Markup = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 \(height)" width="900" height="\(height)" role="img">
            <title>\(frame.title)</title>
            <style>
            \(style(frame.theme))</style>
            <rect class="paper" width="900" height="\(height)"/>
            <text class="title" x="16" y="26">\(shortened(frame.title, to: 105))</text>
            <text x="\(tenth(plot.left - 8))" y="44" text-anchor="end">\(frame.unit.title)</text>

            """
        picture += axis
        picture += timeAxis(scale)
        picture += body
        picture += legend.markup
        if content.series.allSatisfy(\.points.isEmpty) {
            picture += "<text x=\"478\" y=\"195\" text-anchor=\"middle\">No data in this range</text>\n"
        }
        picture += "</svg>\n"
        return picture.bytes
    }

    /// What is drawn, the axis of values, and how values become places.
    private static func body(
        _ content: PlotContent, _ exemplars: [PlotExemplar], _ frame: PlotFrame
    ) -> (Markup, Markup, Scale) {
        switch content {
        case .heatmap(let rows):
            let scale = Scale(frame: frame, low: 0, high: Double(max(rows.count, 1)))
            return (HeatmapPlot.cells(rows, scale), HeatmapPlot.axis(rows, scale), scale)
        case .stacked(let series):
            let layers = PlotStack.layers(series)
            let scale = scale(layers.flatMap { $0.flatMap { [$0.low, $0.high] } }, frame)
            var body = Markup()
            for (index, layer) in layers.enumerated() {
                body += """
                    <path fill="\(color(index))" fill-opacity="0.6" d="\(area(layer, scale))"/>

                    """
            }
            return (body, valueAxis(scale), scale)
        case .lines(let series):
            let scale = scale(series.flatMap { $0.points.map(\.value) }, frame)
            var body = Markup()
            for (index, line) in series.enumerated() {
                body += """
                    <path class="line" stroke="\(color(index))" d="\(path(line, scale))"/>

                    """
            }
            return (body + marks(exemplars, scale), valueAxis(scale), scale)
        }
    }

    private static func style(_ theme: PlotFrame.Theme) -> Markup {
        let shared: Markup = """
            text { font: 12px system-ui, sans-serif; } .title { font-weight: 600; font-size: 14px; }
            .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; } .heat { fill: #e0531a; }

            """
        let light: Markup = """
            .paper { fill: #fff; } text { fill: #4a5361; } .title { fill: #1b1f26; } .grid { stroke: #dfe3e8; } .mark { fill: #b5400c; stroke: #fff; }

            """
        let dark: Markup = """
            .paper { fill: #14161a; } text { fill: #aab3c0; } .title { fill: #e6e9ee; } .grid { stroke: #31363f; } .mark { fill: #ff8a4c; stroke: #14161a; }

            """
        switch theme {
        case .light: return shared + light
        case .dark: return shared + dark
        case .automatic: return shared + light + "@media (prefers-color-scheme: dark) {\n" + dark + "}\n"
        }
    }

    // MARK: Scales and axes

    /// From times and values to places.
    struct Scale {
        let frame: PlotFrame
        let low: Double
        let high: Double
        var ticks: [Double] = []

        func x(_ time: Double) -> Double {
            plot.left + (time - frame.start) / max(frame.end - frame.start, 1e-9) * (plot.right - plot.left)
        }

        func y(_ value: Double) -> Double {
            plot.bottom - (value - low) / max(high - low, .leastNormalMagnitude) * (plot.bottom - plot.top)
        }
    }

    private static func scale(_ values: [Double], _ frame: PlotFrame) -> Scale {
        let finite = values.lazy.filter(\.isFinite)
        var low = finite.min() ?? 0
        let high = finite.max() ?? 1
        if low > 0 && low < (high - low) * 0.5 { low = 0 }
        let ticks = frame.unit.ticks(low: low, high: high)
        return Scale(frame: frame, low: ticks.first ?? 0, high: ticks.last ?? 1, ticks: ticks)
    }

    private static func valueAxis(_ scale: Scale) -> Markup {
        .join(
            scale.ticks.map { tick in
                let y = tenth(scale.y(tick))
                return """
                    <line class="grid" x1="72" x2="884" y1="\(y)" y2="\(y)"/><text x="64" y="\(tenth(scale.y(tick) + 4))" text-anchor="end">\(scale.frame.unit.text(tick))</text>

                    """
            })
    }

    private static func timeAxis(_ scale: Scale) -> Markup {
        let frame = scale.frame
        var result = Markup()
        let step = PlotScale.timeStep(span: frame.end - frame.start)
        var time = (frame.start / step).rounded(.up) * step
        var drawn = 0
        while time <= frame.end && drawn < 20 {
            let x = tenth(scale.x(time))
            result += """
                <line class="grid" x1="\(x)" x2="\(x)" y1="330" y2="334"/><text x="\(x)" y="348" text-anchor="middle">\(PlotScale.timeText(time, step: step))</text>

                """
            time += step
            drawn += 1
        }
        return result + "<text x=\"64\" y=\"348\" text-anchor=\"end\">UTC</text>\n"
    }

    // MARK: Lines

    private static func path(_ series: PlotSeries, _ scale: Scale) -> String {
        var path = ""
        var previous: Double?
        for point in series.points {
            guard point.value.isFinite else {
                previous = nil
                continue
            }
            let continues = previous.map { point.time - $0 <= scale.frame.step * 1.5 } ?? false
            path += "\(continues ? "L" : "M")\(tenth(scale.x(point.time))) \(tenth(scale.y(point.value)))"
            // A point without neighbours would be invisible.
            if !continues { path += "h.1" }
            previous = point.time
        }
        return path
    }

    private static func area(_ layer: [PlotStack.Side], _ scale: Scale) -> String {
        guard !layer.isEmpty else { return "" }
        let upper = layer.map { "\(tenth(scale.x($0.time))) \(tenth(scale.y($0.high)))" }
        let lower = layer.reversed().map { "\(tenth(scale.x($0.time))) \(tenth(scale.y($0.low)))" }
        return "M" + (upper + lower).joined(separator: "L") + "Z"
    }

    private static func marks(_ exemplars: [PlotExemplar], _ scale: Scale) -> Markup {
        .join(
            exemplars.filter { $0.value.isFinite && $0.time >= scale.frame.start && $0.time <= scale.frame.end }.map {
                mark in
                let x = tenth(scale.x(mark.time))
                let y = tenth(min(max(scale.y(mark.value), plot.top), plot.bottom))
                return "<path class=\"mark\" d=\"M\(x) \(y)m0-5l5 5l-5 5l-5-5z\"><title>\(mark.title)</title></path>\n"
            })
    }

    private static func legend(_ content: PlotContent, _ frame: PlotFrame) -> (Markup, Int) {
        let series = content.series
        var result = Markup()
        for (index, line) in series.prefix(named).enumerated() {
            let y = Int(plot.bottom) + 46 + 20 * index
            let last = line.points.last { $0.value.isFinite }.map { frame.unit.text($0.value) } ?? ""
            result += """
                <rect x="72" y="\(y - 10)" width="10" height="10" rx="2" fill="\(color(index))"/><text x="88" y="\(y)">\(shortened(line.name, to: 110))</text><text x="884" y="\(y)" text-anchor="end">\(last)</text>

                """
        }
        if series.count > named {
            result +=
                "<text x=\"88\" y=\"\(Int(plot.bottom) + 46 + 20 * named)\">and \(series.count - named) more</text>\n"
        }
        return (result, min(series.count, named) + (series.count > named ? 1 : 0))
    }

    // MARK: Text

    static func shortened(_ text: String, to length: Int) -> String {
        let line = String(text.map { $0.isNewline ? " " : $0 })
        return line.count <= length ? line : line.prefix(length - 1) + "…"
    }

    static func tenth(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e9 else { return "0" }
        return "\((value * 10).rounded() / 10)"
    }

    /// Hues far apart, in the order in which the pages' charts use them.
    private static func color(_ index: Int) -> String {
        let hue = (28 + Double(index) * 137.508).truncatingRemainder(dividingBy: 360)
        return "hsl(\(Int(hue)),65%,48%)"
    }
}
