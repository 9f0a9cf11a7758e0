internal import Synchronization

/// How long something took each time.
package struct LengthRecord: Sendable, Hashable {
    /// How often.
    package var count: UInt64 = 0
    /// In seconds.
    package var sum = 0.0
    /// The latest lengths in seconds, in no order.
    package private(set) var latest: [Double] = []
    /// Upper bounds of ``buckets`` in seconds: each twice the one before.
    package static let bounds = (0..<14).map { Double(1 << $0) }
    /// How many were at most as long as each of the bounds.
    package private(set) var buckets = [UInt64](repeating: 0, count: bounds.count)
    private var next = 0

    /// Enough for quantiles of some minutes.
    private static let window = 512

    /// Nothing.
    package init() {}

    /// Adds a length in seconds.
    mutating func add(_ seconds: Double) {
        count += 1
        sum += seconds
        for index in Self.bounds.indices where seconds <= Self.bounds[index] { buckets[index] += 1 }
        if latest.count < Self.window {
            latest.append(seconds)
        } else {
            latest[next] = seconds
            next = (next + 1) % Self.window
        }
    }
}

/// Records lengths from several threads.
final class LengthRecorder: Sendable {
    private let record = Mutex(LengthRecord())

    var current: LengthRecord { record.withLock { $0 } }

    /// Notes how long it has been since `start`.
    func note(since start: ContinuousClock.Instant) {
        let (seconds, attoseconds) = start.duration(to: .now).components
        record.withLock { $0.add(Double(seconds) + Double(attoseconds) / 1e18) }
    }
}
