internal import ByteCoding
internal import Exposition
internal import Gateway
internal import MetricModel
internal import Synchronization

/// Bodies of pushes that came before, without their numbers. A job pushes the same series again and again, and many jobs
/// push alike: a body that is known is read by comparing it, in a fraction of the time.
///
/// What is kept is bounded, and a body is learned when it has come a second time. Can be used from any thread.
final class KnownBodies: Sendable {
    /// A body of a known shape.
    struct Reading: Sendable {
        let shape: PushShape
        /// In the order of the body.
        let numbers: [Double]
    }

    fileprivate struct Body: Sendable {
        let template: TextTemplate
        let shape: PushShape
    }

    fileprivate struct State {
        /// By the beginning of the body.
        var bodies: [UInt64: [Body]] = [:]
        var count = 0
        var bytes = 0
        /// Hashes of bodies that came once, each at its own place.
        var seen = [UInt64](repeating: 0, count: 1024)
        /// Bodies that were not known since one was last learned in place of another.
        var missed = 0
    }

    /// Bodies with the same beginning: each is compared.
    fileprivate static let maximumAlike = 4
    fileprivate static let maximumCount = 512
    fileprivate static let maximumBytes = 4 << 20
    /// In place of what is known something else is learned only once in so many bodies, since learning costs more than
    /// reading.
    private static let missesBeforeReplacement = 256
    /// The part of the first line that tells bodies apart.
    private static let startLength = 256

    private let state = Mutex(State())

    /// The numbers of `body`, if it is known.
    /// - Complexity: O(bytes).
    func reading(of body: UnsafeBufferPointer<UInt8>) -> Reading? {
        let start = Self.start(of: body)
        guard let alike = state.withLock({ $0.bodies[start] }) else { return nil }
        for known in alike {
            if let numbers = known.template.numbers(of: body) { return Reading(shape: known.shape, numbers: numbers) }
        }
        return nil
    }

    /// Notes a body that was not known.
    /// - Parameters:
    ///   - places: Where its numbers stand.
    ///   - read: Reads a body in the same way.
    /// - Returns: Its shape, if it was learned.
    func learn(
        _ body: UnsafeBufferPointer<UInt8>, _ places: [TextTemplate.Place],
        read: (UnsafeBufferPointer<UInt8>) -> [MetricFamily]?
    ) -> PushShape? {
        guard !places.isEmpty else { return nil }
        let start = Self.start(of: body)
        let hash = TextTemplate.hash(body, without: places)
        let isWanted = state.withLock { state in
            state.missed += 1
            let place = Int(hash % UInt64(state.seen.count))
            let isSecond = state.seen[place] == hash
            state.seen[place] = isSecond ? 0 : hash
            return isSecond && (state.hasRoom(start) || state.missed >= Self.missesBeforeReplacement)
        }
        guard isWanted, let template = TextTemplate(body, places: places) else { return nil }
        let probes = PushShape.probes(count: places.count)
        // Whole numbers below 2^53 need no fraction and no exponent.
        let probing = template.body(with: probes.map { String(Int64($0)) })
        // SAFETY: the families do not refer to the buffer.
        guard let families = probing.withUnsafeBufferPointer({ read($0) }),
            let shape = PushShape(probing: families, with: probes)
        else { return nil }
        state.withLock { $0.insert(Body(template: template, shape: shape), start) }
        return shape
    }

    /// A hash of the first line but its last word, which is the number if the line has one.
    private static func start(of body: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let limit = min(body.count, startLength)
        var end = 0
        var index = 0
        while index < limit, body[index] != UInt8(ascii: "\n") {
            if body[index] == UInt8(ascii: " ") || body[index] == UInt8(ascii: "\t") { end = index }
            index += 1
        }
        return ByteHash.hash(UnsafeBufferPointer(rebasing: body[..<(index == startLength ? index : end)]))
    }
}

extension KnownBodies.State {
    func hasRoom(_ start: UInt64) -> Bool {
        count < KnownBodies.maximumCount && bytes < KnownBodies.maximumBytes
            && (bodies[start]?.count ?? 0) < KnownBodies.maximumAlike
    }

    mutating func insert(_ body: KnownBodies.Body, _ start: UInt64) {
        if !hasRoom(start) {
            missed = 0
            // Of those with the same beginning the oldest goes, else any.
            if let oldest = bodies[start]?.first {
                remove(oldest, start)
            } else if let other = bodies.first, let oldest = other.value.first {
                remove(oldest, other.key)
            }
        }
        bodies[start, default: []].append(body)
        count += 1
        bytes += body.template.byteCount
    }

    private mutating func remove(_ body: KnownBodies.Body, _ start: UInt64) {
        bodies[start]?.removeFirst()
        if bodies[start]?.isEmpty == true { bodies[start] = nil }
        count -= 1
        bytes -= body.template.byteCount
    }
}
