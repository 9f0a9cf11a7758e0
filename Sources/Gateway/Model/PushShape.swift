package import MetricModel
internal import Synchronization

/// What pushes have alike whose bodies differ in numbers only: families, labels, and where each number goes.
///
/// A group that was last pushed in a shape takes the next push of that shape without looking at labels or names: it is
/// enough to put the numbers in place.
package final class PushShape: Sendable {
    struct Family: Sendable {
        let name: ByteString
        let help: ByteString?
        let type: MetricType
        let unit: ByteString
        let seriesCount: Int
    }

    /// Where a number goes.
    struct Target: Sendable {
        /// Which of the numbers.
        let number: Int32
        /// Which of the series of all families, in the order of the push.
        let series: Int32
        /// How many bytes before the end of the packed series the number begins.
        let fromEnd: Int32
    }

    private static let lastID = Atomic<UInt64>(0)

    /// Tells shapes apart as long as the process lives; never 0.
    let id: UInt64
    let families: [Family]
    /// In the order of the series.
    let targets: [Target]
    let seriesCount: Int

    /// Numbers to probe with: all different, and whole, so that they are kept as they are wherever they stand.
    package static func probes(count: Int) -> [Double] { (0..<count).map { 0x1p52 + Double($0) } }

    /// The shape of a body.
    /// - Parameters:
    ///   - families: What was read of the body when it had `probes` for its numbers.
    ///   - probes: All different.
    /// - Returns: nil unless each number is found in exactly one place, or if the body depends on more than itself.
    /// - Complexity: O(bytes).
    package init?(probing families: [MetricFamily], with probes: [Double]) {
        let push = PreparedPush(
            Push(group: GroupingKey([LabelPair("job", "shape")]), families: families, mode: .replaceGroup, time: 0))
        guard push.errors.isEmpty, push.families.count == families.count,
            !push.families.isEmpty, !families.contains(where: { PushTimes.isReserved($0.name, .nanoseconds(1)) }),
            let targets = PushShape.targets(push, probes)
        else { return nil }
        self.targets = targets
        self.families = push.families.map {
            Family(name: $0.name, help: $0.help, type: $0.type, unit: $0.unit, seriesCount: $0.series.count)
        }
        seriesCount = push.families.reduce(0) { $0 + $1.series.count }
        id = PushShape.lastID.add(1, ordering: .relaxed).newValue
    }

    private static func targets(_ push: PreparedPush, _ probes: [Double]) -> [Target]? {
        var wanted: [UInt64: Int32] = [:]
        for (index, probe) in probes.enumerated() { wanted[probe.bitPattern] = Int32(truncatingIfNeeded: index) }
        guard wanted.count == probes.count else { return nil }
        var targets: [Target] = []
        var series: Int32 = 0
        for packed in push.families.lazy.flatMap(\.series) {
            packed.bytes.withUnsafeBytes { bytes in
                for offset in packed.valueOffset..<max(packed.valueOffset, bytes.count - 7) {
                    // SAFETY: eight bytes from the offset lie within the buffer.
                    let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                    guard let number = wanted[word] else { continue }
                    targets.append(
                        Target(
                            number: number, series: series, fromEnd: Int32(truncatingIfNeeded: bytes.count - offset)))
                }
            }
            series += 1
        }
        guard targets.count == probes.count, Set(targets.map(\.number)).count == probes.count else { return nil }
        return targets
    }
}

/// A push of a known shape.
package struct ShapedPush: Sendable {
    /// The labels of the URL.
    package let group: GroupingKey
    /// What it has beside its numbers.
    package let shape: PushShape
    /// In the order of the body.
    package let numbers: [Double]
    /// What happens to what the group already has; sums are not for shaped pushes.
    package let mode: Push.Mode
    /// Whether the push is refused if it does not fit what is stored.
    package let check: Push.Check
    /// When the request came, in nanoseconds since 1970.
    package let time: Int64
    /// How long the group stays from now on.
    package let lifetime: Lifetime

    /// A push of `numbers`, one for each number of the shape.
    package init(
        group: GroupingKey, shape: PushShape, numbers: [Double], mode: Push.Mode, check: Push.Check, time: Int64,
        lifetime: Lifetime
    ) {
        self.group = group
        self.shape = shape
        self.numbers = numbers
        self.mode = mode
        self.check = check
        self.time = time
        self.lifetime = lifetime
    }
}
