package import MetricModel

/// How long a group stays after a push.
package enum Lifetime: Sendable, Hashable {
    /// Until it is deleted: what Pushgateway does.
    case forever
    /// So many nanoseconds after the push, more than 0.
    case nanoseconds(Int64)
    /// Until so many different scrapers, at least 1, have been sent it whole.
    case untilScraped(by: Int)
}

/// How gauges of an accumulating push and those that are stored become one.
package enum GaugeRule: UInt8, Sendable, Hashable, CaseIterable {
    case last = 0
    case sum = 1
    case minimum = 2
    case maximum = 3
    /// The mean of all values that were pushed, each of the same weight.
    case mean = 4
}

/// How long a group stays, as it is stored.
package enum GroupLifetime: Sendable, Hashable {
    /// Until it is deleted.
    case forever
    /// Until a time, in nanoseconds since 1970.
    case until(Int64)
    /// Until `count` different scrapers have been sent it; `seen` have.
    case scrapes(count: Int, seen: [ByteString])

    /// The lifetime that a push at `time` gives its group.
    package init(_ lifetime: Lifetime, from time: Int64) {
        switch lifetime {
        case .forever: self = .forever
        case .nanoseconds(let duration):
            let (end, isTooFar) = time.addingReportingOverflow(max(1, duration))
            self = isTooFar ? .forever : .until(end)
        case .untilScraped(let count): self = .scrapes(count: max(1, count), seen: [])
        }
    }

    /// The time when the group goes; nil if none is known.
    package var end: Int64? {
        if case .until(let end) = self { end } else { nil }
    }
}
