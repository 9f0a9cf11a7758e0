internal import MetricModel
internal import Synchronization

/// The values of those label names of a block that were listed lately: a block never changes, and who fills in a form
/// asks for the same few names again and again.
final class RememberedValues: Sendable {
    private enum Limit {
        /// Values of one name.
        static let list = 1024
        /// Values of all names together.
        static let all = 8192
    }

    private struct State {
        var lists: [ByteString: [ByteString]] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    /// The values of `name`, as `read` gives them.
    func values(
        of name: ByteString, _ read: () throws(StoreError) -> [ByteString]
    ) throws(StoreError) -> [ByteString] {
        if let known = state.withLock({ $0.lists[name] }) { return known }
        let values = try read()
        guard values.count <= Limit.list else { return values }
        state.withLock { state in
            if state.count + values.count > Limit.all { state = State() }
            if state.lists.updateValue(values, forKey: name) == nil { state.count += values.count }
        }
        return values
    }
}
