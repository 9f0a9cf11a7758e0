#if canImport(Glibc)
internal import Glibc
#endif

/// The rows of a heat map: the darker, the more lay in the row's range at that time.
enum HeatmapPlot {
    /// Shades that are told apart.
    private static let levels = 16

    /// One path a shade; neighbours of one shade are one shape.
    static func cells(_ rows: [PlotSeries], _ scale: SVGPlot.Scale) -> Markup {
        let most = rows.lazy.flatMap { $0.points.lazy.map(\.value) }.filter(\.isFinite).max() ?? 0
        guard most > 0 else { return "" }
        let frame = scale.frame
        let width = max(1, scale.x(frame.start + max(frame.step, 0)) - scale.x(frame.start))
        var paths = [String](repeating: "", count: levels)
        for (index, row) in rows.enumerated() {
            let (top, bottom) = (SVGPlot.tenth(scale.y(Double(index) + 1)), SVGPlot.tenth(scale.y(Double(index))))
            var run: (level: Int, left: Double, right: Double)?
            func finish() {
                guard let run else { return }
                paths[run.level] +=
                    "M\(SVGPlot.tenth(run.left)) \(top)H\(SVGPlot.tenth(run.right))V\(bottom)H\(SVGPlot.tenth(run.left))Z"
            }
            for point in row.points where point.value > 0 && point.value.isFinite {
                // A cell ends at its time: it stands for what came before. None leaves the plot, and all have whole
                // dots, so that neighbours touch.
                let right = min(scale.x(point.time), SVGPlot.plot.right).rounded()
                let left = max((scale.x(point.time) - width).rounded(), SVGPlot.plot.left)
                guard right > left else { continue }
                let level = min(levels - 1, Int(sqrt(point.value / most) * Double(levels)))
                if let last = run, last.level == level, last.right >= left {
                    run = (level, last.left, right)
                } else {
                    finish()
                    run = (level, left, right)
                }
            }
            finish()
        }
        let shapes = paths.enumerated().filter { !$0.element.isEmpty }.map { level, path -> Markup in
            "<path opacity=\"\(opacity(Double(level) / Double(levels - 1)))\" d=\"\(path)\"/>\n"
        }
        return "<g class=\"heat\" shape-rendering=\"crispEdges\">\n\(Markup.join(shapes))</g>\n"
    }

    /// How dark a share of the most is.
    private static func opacity(_ share: Double) -> String { "\(((0.08 + 0.92 * share) * 100).rounded() / 100)" }

    static func axis(_ rows: [PlotSeries], _ scale: SVGPlot.Scale) -> Markup {
        let every = max(1, (rows.count + 11) / 12)
        return .join(
            stride(from: 0, to: rows.count, by: every).map { index in
                let y = SVGPlot.tenth(scale.y(Double(index) + 0.5) + 4)
                return
                    "<text x=\"64\" y=\"\(y)\" text-anchor=\"end\">\(SVGPlot.shortened(rows[index].name, to: 9))</text>\n"
            })
    }

    static func legend(_ rows: [PlotSeries]) -> Markup {
        let most = rows.lazy.flatMap { $0.points.lazy.map(\.value) }.filter(\.isFinite).max() ?? 0
        let y = Int(SVGPlot.plot.bottom) + 46
        var result: Markup = "<text x=\"72\" y=\"\(y)\">0</text><g class=\"heat\">"
        for step in 0..<8 {
            result +=
                "<rect x=\"\(86 + 16 * step)\" y=\"\(y - 10)\" width=\"16\" height=\"12\" opacity=\"\(opacity(Double(step) / 7))\"/>"
        }
        return result + "</g><text x=\"220\" y=\"\(y)\">\(PlotScale.short(most)) in a cell</text>\n"
    }
}
