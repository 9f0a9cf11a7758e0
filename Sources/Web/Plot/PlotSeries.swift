/// One line of a picture.
package struct PlotSeries: Sendable {
    /// What the legend calls it.
    package let name: String
    /// Seconds since 1970 and values, by time. Values that are not finite leave a gap.
    package let points: [(time: Double, value: Double)]

    /// A line called `name`.
    package init(name: String, points: [(time: Double, value: Double)]) {
        self.name = name
        self.points = points
    }
}

/// What a picture shows besides its lines.
package struct PlotFrame: Sendable {
    package let title: String
    /// Seconds since 1970, both inclusive.
    package let start: Double
    package let end: Double
    /// Seconds between samples; a longer silence is drawn as a gap.
    package let step: Double

    /// The frame from `start` to `end`.
    package init(title: String, start: Double, end: Double, step: Double) {
        self.title = title
        self.start = start
        self.end = end
        self.step = step
    }
}
