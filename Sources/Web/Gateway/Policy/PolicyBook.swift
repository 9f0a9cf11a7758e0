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
        let numbers = QuotaNumbers()
        file = try WatchedFile(path, content: "policies", logger: logger) { text in
            try PolicyFile(text).policies.map { Self.entry($0, numbers) }
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

    private static func entry(_ policy: Policy, _ numbers: QuotaNumbers) -> Entry {
        let limits = policy.limits
        var quota: GroupQuota?
        if limits.groups != nil || limits.series != nil {
            quota = GroupQuota(
                id: numbers.number(of: policy.match), name: ByteString(policy.match),
                maximumGroups: limits.groups ?? .max, maximumSeries: limits.series ?? .max)
        }
        let limiter = limits.pushesPerSecond.map { rate in
            RateLimiter(interval: .seconds(1 / rate), burst: Int(max(1, rate.rounded(.up))))
        }
        return Entry(policy: policy, quota: quota, limiter: limiter)
    }
}

/// Numbers quotas by their selectors, so that a policy that stays keeps its count through a change of the file.
private final class QuotaNumbers: Sendable {
    private let numbers = Mutex<[String: UInt32]>([:])

    func number(of match: String) -> UInt32 {
        numbers.withLock { numbers in
            if let known = numbers[match] { return known }
            let number = UInt32(truncatingIfNeeded: numbers.count + 1)
            numbers[match] = number
            return number
        }
    }
}
