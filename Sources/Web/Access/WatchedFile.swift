internal import Logging
internal import Synchronization

/// What a configuration file says, as it is now: read again when the file changes, without a restart. A file that cannot
/// be used is logged once and leaves what was read before it in force.
final class WatchedFile<Value: Sendable>: Sendable {
    private struct State {
        var value: Value
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
        state = Mutex(State(value: try parse(try SmallFile.read(path)), stamp: stamp))
    }

    /// What is in force.
    var value: Value { state.withLock(\.value) }

    /// Whether the file as it is now is in force.
    var isInForce: Bool { state.withLock { $0.fault == nil } }

    /// Looks whether the file has changed, and takes it over if it can be used. Call it about once a second, not on an
    /// event loop's thread.
    /// - Returns: Whether it was taken over.
    func refresh() -> Bool {
        let stamp = FileStamp(path: path)
        let (isSame, isKnown) = state.withLock { state in
            (stamp?.isSame(as: state.stamp) ?? false, stamp == state.stamp)
        }
        if isSame { return false }
        do {
            let value = try parse(try SmallFile.read(path))
            // A stamp too young to tell versions apart: read again until it has settled, and say so once.
            let isNew = state.withLock { state in
                let isNew = !isKnown || state.fault != nil
                state = State(value: isNew || !(stamp?.isSettled ?? true) ? value : state.value, stamp: stamp)
                return isNew
            }
            if isNew { logger.info("\(content) read again", metadata: ["file": "\(path)"]) }
            return true
        } catch {
            let isNew = state.withLock { state in
                let isNew = state.fault != "\(error)"
                state.stamp = stamp
                state.fault = "\(error)"
                return isNew
            }
            if isNew {
                logger.error(
                    "the file cannot be used; what it said before stays in force",
                    metadata: ["file": "\(path)", "content": "\(content)", "err": "\(error)"])
            }
            return false
        }
    }
}
