internal import DurableFiles
internal import Logging
internal import Synchronization

/// What a configuration file says, as it is now: read again when the file changes, without a restart. A file that cannot
/// be used is logged once and leaves what was read before it in force.
final class WatchedFile<Value: Sendable>: Sendable {
    private struct State {
        var value: Value
        /// What the file held when it was last read; nil if it could not be read.
        var text: [UInt8]?
        var stamp: FileStamp?
        /// Why the file as it is now is not in force.
        var fault: String?
    }

    let path: String
    /// What it holds, for the log: `policies`.
    private let content: String
    private let logger: Logger
    private let parse: @Sendable ([UInt8]) throws -> Value
    private let state: Mutex<State>

    /// Reads the file.
    /// - Parameter parse: Its errors are shown to the operator.
    /// - Throws: What `parse` throws, ``SmallFile/Unreadable``.
    init(
        _ path: String, content: String, logger: Logger, parse: @escaping @Sendable ([UInt8]) throws -> Value
    ) throws {
        self.path = path
        self.content = content
        self.logger = logger
        self.parse = parse
        let stamp = FileStamp(path: path)
        let text = try SmallFile.read(path)
        state = Mutex(State(value: try parse(text), text: text, stamp: stamp))
    }

    /// What is in force.
    var value: Value { state.withLock(\.value) }

    /// Whether the file as it is now is in force.
    var isInForce: Bool { state.withLock { $0.fault == nil } }

    /// Looks whether the file says something else than before, and takes it over if it can be used. Call it about once a
    /// second, not on an event loop's thread.
    /// - Returns: Whether it was taken over.
    func refresh() -> Bool {
        let stamp = FileStamp(path: path)
        if state.withLock({ stamp?.isSame(as: $0.stamp) ?? false }) { return false }
        var text: [UInt8]?
        do {
            let read = try SmallFile.read(path)
            if isKnown(read, stamp) { return false }
            text = read
            let value = try parse(read)
            state.withLock { $0 = State(value: value, text: read, stamp: stamp) }
            logger.info("\(content) read again", metadata: ["file": "\(path)"])
            return true
        } catch {
            note(fault: "\(error)", text, stamp)
            return false
        }
    }

    /// Whether the file holds what it held before: a stamp may be new, or too young to tell versions apart.
    private func isKnown(_ text: [UInt8], _ stamp: FileStamp?) -> Bool {
        state.withLock { state in
            guard state.text == text else { return false }
            state.stamp = stamp
            return true
        }
    }

    private func note(fault: String, _ text: [UInt8]?, _ stamp: FileStamp?) {
        let isNew = state.withLock { state in
            defer { (state.text, state.stamp, state.fault) = (text, stamp, fault) }
            return state.fault != fault
        }
        guard isNew else { return }
        logger.error(
            "the file cannot be used; what it said before stays in force",
            metadata: ["file": "\(path)", "content": "\(content)", "err": "\(fault)"])
    }
}
