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

/// A moment that stands for others: a trace, drawn as a diamond.
package struct PlotExemplar: Sendable {
    /// Seconds since 1970.
    package let time: Double
    /// Where it lies on the axis of values.
    package let value: Double
    /// What it is, shown where pictures show titles.
    package let title: String

    /// A mark at `time` and `value`.
    package init(time: Double, value: Double, title: String) {
        self.time = time
        self.value = value
        self.title = title
    }
}

/// What a picture shows.
package enum PlotContent: Sendable {
    case lines([PlotSeries])
    /// Areas on top of each other.
    case stacked([PlotSeries])
    /// One row a range of values, the lowest first; the points say how much lay in it.
    case heatmap([PlotSeries])

    /// Lines, areas or rows.
    package var series: [PlotSeries] {
        switch self {
        case .lines(let series), .stacked(let series), .heatmap(let series): series
        }
    }
}

/// What a picture shows besides its content.
package struct PlotFrame: Sendable {
    /// Light or dark.
    package enum Theme: String, Sendable {
        /// As whoever looks at it prefers.
        case automatic
        case light, dark
    }

    /// Above the picture; empty for none.
    package let title: String
    /// Seconds since 1970, both inclusive.
    package let start: Double
    /// Where the axis of time ends, in seconds since 1970.
    package let end: Double
    /// Seconds between samples; a longer silence is drawn as a gap.
    package let step: Double
    /// Of the values.
    package var unit = PlotUnit.none
    /// Light, dark, or as the reader's browser says.
    package var theme = Theme.automatic

    /// The frame from `start` to `end`.
    package init(title: String, start: Double, end: Double, step: Double) {
        self.title = title
        self.start = start
        self.end = end
        self.step = step
    }
}
