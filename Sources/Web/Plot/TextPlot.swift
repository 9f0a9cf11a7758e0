/// Draws lines over time with braille dots, for a terminal.
package enum TextPlot {
    /// The plot as lines of text with line feeds.
    /// - Parameters:
    ///   - width: Columns, at least 30.
    ///   - height: Rows of the plot itself, at least 4.
    /// - Complexity: O(points + width × height).
    package static func draw(
        _ series: [PlotSeries], in frame: PlotFrame, width: Int = 80, height: Int = 15, colors: Bool = false
    ) -> String {
        let values = series.lazy.flatMap { $0.points.lazy.map(\.value) }.filter(\.isFinite)
        guard let least = values.min(), let most = values.max() else { return "No data in this range\n" }
        let ticks = PlotScale.ticks(low: least, high: most, wanted: max(2, height / 4))
        let (low, high) = (ticks.first ?? 0, ticks.last ?? 1)
        let gutter = (ticks.map { PlotScale.short($0).count }.max() ?? 1) + 2
        var canvas = Canvas(columns: max(30, width) - gutter, rows: max(4, height))
        for (index, line) in series.enumerated() {
            var previous: (time: Double, x: Int, y: Int)?
            for point in line.points where point.value.isFinite {
                let x = canvas.dot(
                    (point.time - frame.start) / max(frame.end - frame.start, 1e-9), of: canvas.columns * 2)
                let y = canvas.dot((high - point.value) / max(high - low, .leastNormalMagnitude), of: canvas.rows * 4)
                if let previous, point.time - previous.time <= frame.step * 1.5 {
                    canvas.line(from: (previous.x, previous.y), to: (x, y), ink: index)
                } else {
                    canvas.set(x, y, ink: index)
                }
                previous = (point.time, x, y)
            }
        }
        return frame.title + "\n" + body(canvas, ticks: ticks, low: low, high: high, gutter: gutter, colors: colors)
            + timeAxis(frame, gutter: gutter, columns: canvas.columns) + legend(series, colors: colors)
    }

    private static func body(
        _ canvas: Canvas, ticks: [Double], low: Double, high: Double, gutter: Int, colors: Bool
    ) -> String {
        var labels: [Int: String] = [:]
        for tick in ticks {
            let row = canvas.dot((high - tick) / max(high - low, .leastNormalMagnitude), of: canvas.rows)
            labels[row] = PlotScale.short(tick)
        }
        var text = ""
        for row in 0..<canvas.rows {
            let label = labels[row] ?? ""
            text += String(repeating: " ", count: gutter - 2 - label.count) + label + (label.isEmpty ? " │" : " ┤")
            text += canvas.row(row, colors: colors) + "\n"
        }
        return text
    }

    private static func timeAxis(_ frame: PlotFrame, gutter: Int, columns: Int) -> String {
        let step = PlotScale.timeStep(span: frame.end - frame.start, wanted: max(2, columns / 14))
        var line = [Character](repeating: " ", count: gutter + columns + 12)
        var time = (frame.start / step).rounded(.up) * step
        var drawn = 0
        while time <= frame.end && drawn < 40 {
            let text = PlotScale.timeText(time, step: step)
            let share = (time - frame.start) / max(frame.end - frame.start, 1e-9)
            let at = gutter + Int(share * Double(columns)) - text.count / 2
            for (offset, character) in text.enumerated() where line.indices.contains(at + offset) {
                line[at + offset] = character
            }
            time += step
            drawn += 1
        }
        while line.last == " " { line.removeLast() }
        return String(repeating: " ", count: gutter - 1) + "└" + String(repeating: "─", count: columns) + "\n"
            + String(line) + "\n"
    }

    private static func legend(_ series: [PlotSeries], colors: Bool) -> String {
        var text = ""
        for (index, line) in series.prefix(20).enumerated() {
            let last = line.points.last { $0.value.isFinite }.map { PlotScale.short($0.value) } ?? ""
            let mark = colors ? "\u{1B}[\(Canvas.codes[index % Canvas.codes.count])m──\u{1B}[0m" : "──"
            text += "\(mark) \(line.name)  \(last)\n"
        }
        if series.count > 20 { text += "   and \(series.count - 20) more\n" }
        return text
    }

    /// Cells of two by four braille dots.
    private struct Canvas {
        let columns: Int
        let rows: Int
        private var dots: [UInt8]
        private var inks: [Int]

        /// Terminal colours, one a series.
        static let codes = [33, 36, 35, 32, 34, 31]

        init(columns: Int, rows: Int) {
            self.columns = columns
            self.rows = rows
            dots = Array(repeating: 0, count: columns * rows)
            inks = Array(repeating: 0, count: columns * rows)
        }

        /// The place among `count` that is nearest to a share from 0 to 1; what is beyond is at the edge.
        func dot(_ share: Double, of count: Int) -> Int {
            guard share.isFinite else { return 0 }
            return Int((min(max(share, 0), 1) * Double(count - 1)).rounded())
        }

        mutating func set(_ x: Int, _ y: Int, ink: Int) {
            guard x >= 0, y >= 0, x < columns * 2, y < rows * 4 else { return }
            let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]
            let cell = y / 4 * columns + x / 2
            dots[cell] |= bits[y % 4][x % 2]
            inks[cell] = ink
        }

        mutating func line(from: (x: Int, y: Int), to: (x: Int, y: Int), ink: Int) {
            let steps = max(abs(to.x - from.x), abs(to.y - from.y), 1)
            for step in 0...steps {
                let share = Double(step) / Double(steps)
                set(
                    from.x + Int((Double(to.x - from.x) * share).rounded()),
                    from.y + Int((Double(to.y - from.y) * share).rounded()), ink: ink)
            }
        }

        func row(_ row: Int, colors: Bool) -> String {
            var text = ""
            for column in 0..<columns {
                let cell = row * columns + column
                guard dots[cell] != 0, let scalar = Unicode.Scalar(0x2800 + UInt32(dots[cell])) else {
                    text += " "
                    continue
                }
                let code = Self.codes[inks[cell] % Self.codes.count]
                text += colors ? "\u{1B}[\(code)m\(Character(scalar))\u{1B}[0m" : String(Character(scalar))
            }
            while text.last == " " { text.removeLast() }
            return text
        }
    }
}
