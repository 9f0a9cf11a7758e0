internal import DurableFiles

/// Makes effects durable in the order in which they are handed in: one thread writes whatever has gathered as one
/// frame and syncs it, while the next gather. Nobody waits longer than for the frame before and the own one.
final class Journal: Sendable {
    /// Called once, on the journal's thread: with nil when the effect is durable.
    typealias Completion = @Sendable (Refusal?) -> Void

    private struct Entry {
        let effects: [[UInt8]]
        let completion: Completion
    }

    private enum Mode: Equatable {
        case running
        /// The disk is full: a frame waits to be written, nothing else is taken.
        case full(String)
        /// Nothing more will be written.
        case failed(String)
        case closed
    }

    private struct State {
        var pending: [Entry] = []
        var pendingBytes = 0
        var mode = Mode.running
        var isWriting = false
        var isClosing = false
        var wantedRotations = 0
        var rotations = 0
        /// The segment that will be written to after the last rotation.
        var segmentNumber: UInt64 = 0
        var byteCount: Int64 = 0
    }

    /// Effects that wait to be written take up at most this many bytes; beyond, commands are refused.
    static let maximumPendingBytes = 256 << 20
    private static let retryMilliseconds: Int64 = 100

    private let condition = Condition()
    // SAFETY: only used within `condition.withLock`.
    private nonisolated(unsafe) var state = State()
    // SAFETY: only used by the journal's thread once it runs.
    private nonisolated(unsafe) var writer: JournalWriter
    private nonisolated(unsafe) var thread: WorkerThread?
    private let onEvent: @Sendable (StoreEvent) -> Void

    /// A journal that runs once `start` was called.
    init(_ writer: JournalWriter, onEvent: @escaping @Sendable (StoreEvent) -> Void) {
        self.writer = writer
        self.onEvent = onEvent
        state.segmentNumber = writer.segmentNumber
    }

    /// Starts the journal's thread.
    func start() throws(FileError) {
        thread = try WorkerThread(name: "journal") { [self] in run() }
    }

    /// Why nothing can be taken now; nil if it can.
    var refusal: Refusal? {
        condition.withLock {
            if state.isClosing { return .closing }
            switch state.mode {
            case .running:
                guard state.pendingBytes < Journal.maximumPendingBytes else {
                    return .unavailable("too many pushes wait for the disk; try again", isRetriable: true)
                }
                return nil
            case .full(let text):
                return .unavailable("the gateway's disk is full, nothing can be stored now: \(text)", isRetriable: true)
            case .failed(let text):
                return .unavailable(
                    "the gateway's disk failed, nothing can be stored until it is restarted: \(text)",
                    isRetriable: false)
            case .closed: return .closing
            }
        }
    }

    /// Hands effects in that become durable together. The caller holds whatever lock gives effects their order. Without
    /// effects, the completion comes when all that was handed in before is durable.
    func submit(_ effects: [[UInt8]], completion: @escaping Completion) {
        condition.withLock {
            let wasIdle = state.pending.isEmpty
            state.pending.append(Entry(effects: effects, completion: completion))
            for effect in effects { state.pendingBytes += effect.count }
            if wasIdle { condition.broadcast() }
        }
    }

    /// Whether nothing waits to be written.
    var isIdle: Bool { condition.withLock { state.pending.isEmpty && !state.isWriting } }

    /// Bytes written since the last rotation.
    var byteCount: Int64 { condition.withLock { state.byteCount } }

    /// Ends the current segment: all that was handed in before lies in it or earlier ones.
    /// - Returns: The number of the first segment after it; nil if the journal does not write any more.
    func rotate() -> UInt64? {
        condition.withLock {
            guard state.mode == .running else { return nil }
            state.wantedRotations += 1
            let wanted = state.wantedRotations
            condition.broadcast()
            while state.rotations < wanted {
                guard state.mode == .running else { return nil }
                condition.wait()
            }
            return state.segmentNumber
        }
    }

    /// Takes nothing more, and waits until all that was taken is durable or refused.
    func close() {
        condition.withLock {
            state.isClosing = true
            condition.broadcast()
        }
        thread?.join()
    }

    // MARK: The journal's thread

    private func run() {
        while true {
            let (batch, rotations, isEnd) = condition.withLock { () -> ([Entry], Int, Bool) in
                while state.pending.isEmpty && state.rotations == state.wantedRotations && !state.isClosing {
                    condition.wait()
                }
                defer {
                    state.isWriting = !state.pending.isEmpty
                    state.pending = []
                    state.pendingBytes = 0
                }
                return (state.pending, state.wantedRotations, state.isClosing && state.pending.isEmpty)
            }
            if !batch.isEmpty {
                write(batch)
                condition.withLock { state.isWriting = false }
            }
            rotate(upTo: rotations)
            if isEnd { break }
        }
        condition.withLock {
            if state.mode == .running { state.mode = .closed }
            condition.broadcast()
        }
    }

    private func rotate(upTo rotations: Int) {
        condition.withLock {
            guard state.rotations < rotations else { return }
            if state.mode == .running { writer.rotate() }
            state.rotations = rotations
            state.segmentNumber = writer.segmentNumber
            state.byteCount = writer.byteCount
            condition.broadcast()
        }
    }

    private func write(_ batch: [Entry]) {
        if case .failed = condition.withLock({ state.mode }) { return finish(batch, refusal) }
        let effects = batch.flatMap(\.effects)
        if effects.isEmpty { return finish(batch, nil) }
        do throws(FileError) {
            try writer.append(effects)
            condition.withLock { state.byteCount = writer.byteCount }
            finish(batch, nil)
        } catch {
            guard error.isOutOfSpace && error.operation != .sync else { return fail(error, batch) }
            setMode(.full(error.description), .spaceExhausted(error.description))
            finish(batch, refusal)
            retry(effects)
        }
    }

    /// Writes what did not fit as soon as it fits. It is part of the state already, so that nothing may come before
    /// it; its clients were told to try again.
    private func retry(_ first: [[UInt8]]) {
        var effects = first
        while true {
            // What was handed in just before the disk was found full is part of the state as well.
            let (late, isClosing) = condition.withLock { () -> ([Entry], Bool) in
                if !state.isClosing { condition.wait(milliseconds: Journal.retryMilliseconds) }
                defer {
                    state.pending = []
                    state.pendingBytes = 0
                }
                return (state.pending, state.isClosing)
            }
            effects += late.flatMap(\.effects)
            finish(late, refusal)
            do throws(FileError) {
                try writer.append(effects)
                return setMode(.running, .spaceReturned)
            } catch {
                guard error.isOutOfSpace && error.operation != .sync else { return fail(error, []) }
                if isClosing { return fail(error, []) }
            }
        }
    }

    private func fail(_ error: FileError, _ batch: [Entry]) {
        setMode(.failed(error.description), .failed(error.description))
        finish(batch, refusal)
    }

    private func setMode(_ mode: Mode, _ event: StoreEvent) {
        condition.withLock {
            state.mode = mode
            condition.broadcast()
        }
        onEvent(event)
    }

    private func finish(_ batch: [Entry], _ refusal: Refusal?) {
        for entry in batch { entry.completion(refusal) }
    }
}
