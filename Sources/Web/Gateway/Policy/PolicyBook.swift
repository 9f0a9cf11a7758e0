package import Gateway
internal import MetricModel
package import Logging
internal import Synchronization

/// The policies as they are now: read again when their file changes, without a restart. A file that cannot be used
/// leaves the policies before it in force.
package final class PolicyBook: Sendable {
    /// A policy in force.
    struct Entry: Sendable {
        let policy: Policy
        /// nil if neither groups nor series are limited.
        let quota: GroupQuota?
        /// nil if pushes are not limited.
        let limiter: RateLimiter?
    }

    private struct State {
        var entries: [Entry]
        var stamp: FileStamp?
        /// By selector, so that a policy that stays keeps its count through a change of the file.
        var quotas: [String: UInt32] = [:]
        /// Why the file as it is now is not in force.
        var fault: String?
    }

    /// The file.
    package let path: String
    private let logger: Logger
    private let state: Mutex<State>

    /// Reads the file.
    /// - Throws: ``PolicyFile/Invalid``.
    package init(path: String, logger: Logger) throws(PolicyFile.Invalid) {
        self.path = path
        self.logger = logger
        var state = State(entries: [], stamp: FileStamp(path: path))
        Self.replace(&state, try Self.load(path))
        self.state = Mutex(state)
    }

    /// Looks whether the file has changed, and takes it over if it has. Call it about once a second, not on an event
    /// loop's thread.
    /// - Returns: Whether other policies are in force now: groups must be counted anew, ``assignQuotas(in:)``.
    package func refresh() -> Bool {
        let stamp = FileStamp(path: path)
        if let stamp, state.withLock({ stamp.isSame(as: $0.stamp) }) { return false }
        do throws(PolicyFile.Invalid) {
            let file = try Self.load(path)
            let isNew = state.withLock { state in
                let isNew = stamp != state.stamp || state.fault != nil
                state.stamp = stamp
                state.fault = nil
                if isNew { Self.replace(&state, file) }
                return isNew
            }
            if isNew {
                logger.info("policies read", metadata: ["file": "\(path)", "policies": "\(file.policies.count)"])
            }
            return isNew
        } catch {
            let isNew = state.withLock { state in
                let isNew = state.fault != error.description
                state.stamp = stamp
                state.fault = error.description
                return isNew
            }
            if isNew {
                logger.error(
                    "the policy file cannot be used; the policies before it stay in force",
                    metadata: ["file": "\(path)", "err": "\(error)"])
            }
            return false
        }
    }

    /// Counts the groups that are there towards the policies in force.
    /// - Complexity: O(groups × policies).
    package func assignQuotas(in store: GatewayStore) {
        store.assignQuotas { key in self.entry(for: key)?.quota?.id ?? 0 }
    }

    /// Whether the file as it is now is in force.
    package var isInForce: Bool { state.withLock { $0.fault == nil } }

    /// The first policy that is for a group.
    /// - Complexity: O(policies).
    func entry(for key: GroupingKey) -> Entry? {
        state.withLock(\.entries).first { $0.policy.selector.selects(key) }
    }

    private static func load(_ path: String) throws(PolicyFile.Invalid) -> PolicyFile {
        let text: [UInt8]
        do throws(SmallFile.Unreadable) {
            text = try SmallFile.read(path)
        } catch {
            throw PolicyFile.Invalid(description: error.description)
        }
        return try PolicyFile(text)
    }

    private static func replace(_ state: inout State, _ file: PolicyFile) {
        state.entries = file.policies.map { policy in
            let limits = policy.limits
            var quota: GroupQuota?
            if limits.groups != nil || limits.series != nil {
                let id = state.quotas[policy.match] ?? UInt32(truncatingIfNeeded: state.quotas.count + 1)
                state.quotas[policy.match] = id
                quota = GroupQuota(
                    id: id, name: ByteString(policy.match), maximumGroups: limits.groups ?? .max,
                    maximumSeries: limits.series ?? .max)
            }
            let limiter = limits.pushesPerSecond.map { rate in
                RateLimiter(interval: .seconds(1 / rate), burst: Int(max(1, rate.rounded(.up))))
            }
            return Entry(policy: policy, quota: quota, limiter: limiter)
        }
    }
}
