internal import DurableFiles

/// Where outcomes are wanted: an event loop or threads, to which many are handed over at once.
package protocol OutcomeQueue: AnyObject, Sendable {
    /// Runs `body` soon.
    func run(_ body: @escaping @Sendable () -> Void)
}

/// Makes effects durable in the order in which they are handed in: one thread writes whatever has gathered as one
/// frame and syncs it, while the next gather. Nobody waits longer than for the frame before and the own one, and a
/// moment in between.
final class Journal: Sendable {
    /// Called once, on the journal's thread: with nil when the effect is durable.
    typealias Completion = @Sendable (Refusal?) -> Void

    private struct Entry {
        let completion: Completion
        let queue: (any OutcomeQueue)?
    }

    /// What becomes durable together.
    private struct Batch {
        var entries: [Entry] = []
        var draft = JournalFrame.Draft()

        mutating func removeAll() {
            entries.removeAll(keepingCapacity: entries.capacity < 4096)
            draft.removeAll()
        }
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
        var pending = Batch()
        var mode = Mode.running
        var isWriting = false
        /// The journal's thread sleeps until so many entries are pending.
        var wakeCount = 1
        /// How many entries the last frame had.
        var lastCount = 1
        /// How long the last frame took to be written and synced, in nanoseconds.
        var lastDuration: Int64 = 0
        /// When the last frame was durable, by ``Condition/now()``.
        var lastEnd: Int64 = 0
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
    /// The longest that a frame waits for more effects.
    private static let maximumGathering: Int64 = 2_000_000

    private let condition = Condition()
    // SAFETY: only used within `condition.withLock`.
    private nonisolated(unsafe) var state = State()
    // SAFETY: only used by the journal's thread once it runs.
    private nonisolated(unsafe) var writer: JournalWriter
    // SAFETY: only used by the journal's thread; what is written while the next batch gathers.
    private nonisolated(unsafe) var batch = Batch()
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
                guard state.pending.draft.count < Journal.maximumPendingBytes else {
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
    /// - Parameter queue: Where the completion is called; on the journal's thread if there is none.
    func submit(_ effects: [[UInt8]], on queue: (any OutcomeQueue)?, completion: @escaping Completion) {
        condition.withLock {
            state.pending.entries.append(Entry(completion: completion, queue: queue))
            for effect in effects { state.pending.draft.append(effect) }
            if state.pending.entries.count == state.wakeCount { condition.broadcast() }
        }
    }

    /// Whether nothing waits to be written.
    var isIdle: Bool { condition.withLock { state.pending.entries.isEmpty && !state.isWriting } }

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
            let (rotations, isEnd) = condition.withLock { () -> (Int, Bool) in
                awaitEntries()
                swap(&batch, &state.pending)
                state.isWriting = !batch.entries.isEmpty
                return (state.wantedRotations, state.isClosing && batch.entries.isEmpty)
            }
            if !batch.entries.isEmpty {
                let start = Condition.now()
                write()
                let end = Condition.now()
                let count = batch.entries.count
                batch.removeAll()
                condition.withLock {
                    state.isWriting = false
                    state.lastCount = count
                    state.lastDuration = end - start
                    state.lastEnd = end
                }
            }
            rotate(upTo: rotations)
            if isEnd { break }
        }
        condition.withLock {
            if state.mode == .running { state.mode = .closed }
            condition.broadcast()
        }
    }

    /// Waits until there is something to do. The lock is held.
    private func awaitEntries() {
        state.wakeCount = 1
        while state.pending.entries.isEmpty && !isCalled { condition.wait() }
        gather()
        state.wakeCount = .max
    }

    /// Whether there is something to do beside writing.
    private var isCalled: Bool { state.rotations != state.wantedRotations || state.isClosing }

    /// Gives those who were answered together a moment to come back together: else the first of them would have a sync
    /// of its own, and the others wait for two. Clients that come one at a time never wait.
    private func gather() {
        let longest = min(state.lastDuration / 2, Journal.maximumGathering)
        let start = Condition.now()
        guard state.pending.entries.count < state.lastCount, start - state.lastEnd < longest else { return }
        state.wakeCount = state.lastCount
        while state.pending.entries.count < state.lastCount, !isCalled, Condition.now() - start < longest {
            condition.wait(until: start + longest)
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

    private func write() {
        if case .failed = condition.withLock({ state.mode }) { return finish(batch.entries, refusal) }
        if batch.draft.isEmpty { return finish(batch.entries, nil) }
        do throws(FileError) {
            try writer.append(&batch.draft)
            condition.withLock { state.byteCount = writer.byteCount }
            finish(batch.entries, nil)
        } catch {
            guard error.isOutOfSpace && error.operation != .sync else { return fail(error, batch.entries) }
            setMode(.full(error.description), .spaceExhausted(error.description))
            finish(batch.entries, refusal)
            retry()
        }
    }

    /// Writes what did not fit as soon as it fits. It is part of the state already, so that nothing may come before
    /// it; its clients were told to try again.
    private func retry() {
        while true {
            // What was handed in just before the disk was found full is part of the state as well.
            let (late, isClosing) = condition.withLock { () -> (Batch, Bool) in
                if !state.isClosing { condition.wait(milliseconds: Journal.retryMilliseconds) }
                defer { state.pending = Batch() }
                return (state.pending, state.isClosing)
            }
            batch.draft.append(late.draft)
            finish(late.entries, refusal)
            do throws(FileError) {
                try writer.append(&batch.draft)
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

    /// Calls completions: those of one queue all in one go.
    private func finish(_ entries: [Entry], _ refusal: Refusal?) {
        var parts: [(queue: any OutcomeQueue, completions: [Completion])] = []
        for entry in entries {
            guard let queue = entry.queue else {
                entry.completion(refusal)
                continue
            }
            if let index = parts.firstIndex(where: { $0.queue === queue }) {
                parts[index].completions.append(entry.completion)
            } else {
                parts.append((queue, [entry.completion]))
            }
        }
        for (queue, completions) in parts {
            queue.run { for completion in completions { completion(refusal) } }
        }
    }
}
