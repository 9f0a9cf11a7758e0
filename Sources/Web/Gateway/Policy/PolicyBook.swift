package import Gateway
package import Logging
internal import MetricModel
internal import Synchronization

/// The policies as they are now: read again when their file changes, without a restart.
package final class PolicyBook: Sendable {
    /// A policy in force.
    struct Entry: Sendable {
        let policy: Policy
        /// nil if neither groups nor series are limited.
        let quota: GroupQuota?
        /// nil if pushes are not limited.
        let limiter: RateLimiter?
    }

    private let file: WatchedFile<[Entry]>

    /// Reads the file at `path`.
    /// - Throws: Why it cannot be used.
    package init(path: String, logger: Logger) throws {
        let counters = PolicyCounters()
        file = try WatchedFile(path, content: "policies", logger: logger) { text in
            counters.entries(for: try PolicyFile(text).policies)
        }
    }

    /// Takes the file over if it has changed. Call it about once a second, not on an event loop's thread.
    /// - Returns: Whether groups must be counted anew, by ``assignQuotas(in:)``.
    package func refresh() -> Bool { file.refresh() }

    /// Counts the groups that are there towards the policies in force.
    /// - Complexity: O(groups × policies).
    package func assignQuotas(in store: GatewayStore) {
        let entries = file.value
        store.assignQuotas { key in Self.first(of: entries, for: key)?.quota?.id ?? 0 }
    }

    /// Whether the file as it is now is in force.
    package var isInForce: Bool { file.isInForce }

    /// The first policy that is for a group.
    /// - Complexity: O(policies).
    func entry(for key: GroupingKey) -> Entry? { Self.first(of: file.value, for: key) }

    private static func first(of entries: [Entry], for key: GroupingKey) -> Entry? {
        entries.first { $0.policy.selector.selects(key) }
    }
}

/// What policies count, by their selectors: a policy that stays goes on counting through a change of the file.
private final class PolicyCounters: Sendable {
    /// The limit on pushes that a policy says.
    private struct RateLimit: Hashable {
        let match: String
        let pushesPerSecond: Double
    }

    private struct State {
        var quotaNumbers: [String: UInt32] = [:]
        /// Those of the policies in force.
        var limiters: [RateLimit: RateLimiter] = [:]
    }

    private let state = Mutex(State())

    /// The policies of a file that comes into force.
    func entries(for policies: [Policy]) -> [PolicyBook.Entry] {
        state.withLock { state in
            let old = state.limiters
            state.limiters = [:]
            return policies.map { policy in
                PolicyBook.Entry(
                    policy: policy, quota: Self.quota(policy, &state),
                    limiter: Self.limiter(policy, known: old, &state))
            }
        }
    }

    private static func quota(_ policy: Policy, _ state: inout State) -> GroupQuota? {
        let limits = policy.limits
        if limits.groups == nil && limits.series == nil { return nil }
        let number = state.quotaNumbers[policy.match] ?? UInt32(truncatingIfNeeded: state.quotaNumbers.count + 1)
        state.quotaNumbers[policy.match] = number
        return GroupQuota(
            id: number, name: ByteString(policy.match), maximumGroups: limits.groups ?? .max,
            maximumSeries: limits.series ?? .max)
    }

    /// Seconds between two pushes; a policy may give a rate whose inverse no duration can hold.
    private static let maximumInterval = 1e9

    private static func limiter(
        _ policy: Policy, known: [RateLimit: RateLimiter], _ state: inout State
    ) -> RateLimiter? {
        guard let rate = policy.limits.pushesPerSecond else { return nil }
        let limit = RateLimit(match: policy.match, pushesPerSecond: rate)
        let limiter =
            known[limit]
            ?? RateLimiter(interval: .seconds(min(1 / rate, maximumInterval)), burst: Int(max(1, rate.rounded(.up))))
        state.limiters[limit] = limiter
        return limiter
    }
}
