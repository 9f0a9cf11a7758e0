/// Series on top of each other: positive values upwards, negative ones downwards.
enum PlotStack {
    /// Where a layer lies at one time.
    struct Side {
        let time: Double
        let low: Double
        let high: Double
    }

    /// One layer a series, each with a place at every time that any of them has.
    /// - Complexity: O(times × series), after sorting the times.
    static func layers(_ series: [PlotSeries]) -> [[Side]] {
        let times = Set(series.flatMap { $0.points.map(\.time) }).filter(\.isFinite).sorted()
        var above = [Double](repeating: 0, count: times.count)
        var below = above
        return series.map { line in
            let values = Dictionary(line.points.map { ($0.time, $0.value) }, uniquingKeysWith: { _, last in last })
            return times.indices.map { index in
                let value = values[times[index]].flatMap { $0.isFinite ? $0 : nil } ?? 0
                let low = value < 0 ? below[index] : above[index]
                if value < 0 { below[index] += value } else { above[index] += value }
                return Side(time: times[index], low: low, high: low + value)
            }
        }
    }
}
