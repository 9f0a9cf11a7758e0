internal import Synchronization

/// How long something took each time, or how large it was.
package struct LengthRecord: Sendable, Hashable {
    /// How often.
    package var count: UInt64 = 0
    /// In seconds, where lengths are recorded.
    package var sum = 0.0
    /// The latest lengths in seconds, in no order.
    package private(set) var latest: [Double] = []
    /// Upper bounds of ``buckets``.
    package let bounds: [Double]
    /// How many were at most as long as each of the bounds.
    package private(set) var buckets: [UInt64]
    private var next = 0

    /// In seconds, each twice the one before.
    static let compactionBounds = (0..<14).map { Double(1 << $0) }

    /// Enough for quantiles of some minutes.
    private static let window = 512

    /// Nothing.
    package init(bounds: [Double] = []) {
        self.bounds = bounds
        buckets = [UInt64](repeating: 0, count: bounds.count)
    }

    /// Bounds that begin with `start` and grow by `factor`.
    static func exponentialBounds(_ start: Double, _ factor: Double, count: Int) -> [Double] {
        var bounds = [start]
        while bounds.count < count { bounds.append((bounds.last ?? start) * factor) }
        return bounds
    }

    /// Adds a length in seconds.
    mutating func add(_ seconds: Double) {
        count += 1
        sum += seconds
        for index in bounds.indices where seconds <= bounds[index] { buckets[index] += 1 }
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
    private let record: Mutex<LengthRecord>

    init(bounds: [Double] = []) { record = Mutex(LengthRecord(bounds: bounds)) }

    var current: LengthRecord { record.withLock { $0 } }

    /// Notes how long it has been since `start`.
    func note(since start: ContinuousClock.Instant) {
        let (seconds, attoseconds) = start.duration(to: .now).components
        note(Double(seconds) + Double(attoseconds) / 1e18)
    }

    /// Notes a length.
    func note(_ length: Double) { record.withLock { $0.add(length) } }
}
