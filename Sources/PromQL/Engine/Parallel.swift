internal import Dispatch
internal import MetricModel
internal import Synchronization

/// What a worker needs for one series after the other; reused, so that memory is allocated once a worker.
struct SeriesWorker {
    var columns = SampleColumns()
    var samples = SeriesSamples()
    var annotations = Annotations()
    var counter: SampleCounter
    /// Samples of rows that are not counted as held yet: that is done for several at once, as all workers count in one
    /// place.
    var held = 0

    /// Reads the samples of `series` into ``columns``.
    mutating func read(_ series: any SelectedSeries, _ control: QueryControl) throws {
        columns.removeAll()
        var end: QueryError?
        do {
            try series.read(into: &columns) {
                do throws(QueryError) { try control.check() } catch { end = error }
                return end == nil
            }
        } catch {
            throw QueryError.storage(error)
        }
        if let end { throw end }
    }

    /// Counts ``held``.
    fileprivate mutating func settle(_ control: QueryControl) throws(QueryError) {
        if held > 0 { try control.hold(held) }
        held = 0
    }
}

extension Evaluator {
    /// Computes a row for each of `count` series, over several cores; empty rows are left out. Order, annotations and
    /// errors are as if it were done one by one.
    func concurrentRows(
        _ count: Int, _ body: (Int, inout SeriesWorker) throws -> StepRow?
    ) throws -> [StepRow] {
        let block = 16
        // Waking a thread takes about as long as reading two dozen series at some hundred steps, or a hundred at one.
        let isLittle = count * (64 + min(times.count, 1024)) < 8192
        let workers = isLittle ? 1 : min(context.workers, (count + block - 1) / block)
        let newCounter = SampleCounter(steps: times.count, tracksSteps: !counter.perStep.isEmpty)
        if workers <= 1 {
            var worker = SeriesWorker(counter: newCounter)
            var rows: [StepRow] = []
            rows.reserveCapacity(count)
            for index in 0..<count {
                try context.control.check()
                if let row = try body(index, &worker) { rows.append(row) }
                if index % block == block - 1 { try worker.settle(context.control) }
            }
            try worker.settle(context.control)
            finish([worker])
            return rows
        }
        let results = RowSlots(count: count)
        // SAFETY: `concurrentPerform` returns only when all iterations are done, so the body does not escape; it is
        // called from several threads, and each index is handed to one of them only.
        nonisolated(unsafe) let body = body
        let next = Atomic<Int>(0)
        let finished = Mutex<[Int: Outcome]>([:])
        let control = context.control
        DispatchQueue.concurrentPerform(iterations: workers) { number in
            var worker = SeriesWorker(counter: newCounter)
            var failure: (index: Int, error: any Error)?
            work: while true {
                let start = next.wrappingAdd(block, ordering: .relaxed).oldValue
                if start >= count { break }
                for index in start..<min(count, start + block) {
                    do {
                        try control.check()
                        results[index] = try body(index, &worker)
                        if index & 15 == 15 || index == count - 1 { try worker.settle(control) }
                    } catch {
                        failure = (index, error)
                        next.store(count, ordering: .relaxed)
                        break work
                    }
                }
            }
            let outcome = Outcome(annotations: worker.annotations, counter: worker.counter, failure: failure)
            finished.withLock { $0[number] = outcome }
        }
        let outcomes = finished.withLock { all in (0..<workers).compactMap { all[$0] } }
        if let first = outcomes.compactMap(\.failure).min(by: { $0.index < $1.index }) { throw first.error }
        for outcome in outcomes {
            context.annotations.merge(outcome.annotations)
            counter.merge(outcome.counter)
        }
        return results.takeRows()
    }

    private func finish(_ workers: [SeriesWorker]) {
        for worker in workers {
            context.annotations.merge(worker.annotations)
            counter.merge(worker.counter)
        }
    }
}

/// What a worker leaves behind.
private struct Outcome: Sendable {
    var annotations: Annotations
    var counter: SampleCounter
    var failure: (index: Int, error: any Error)?
}

/// A place for each row, so that workers can fill in theirs without waiting for each other.
///
/// SAFETY: no two workers write to the same index, and nobody reads before all have finished.
private final class RowSlots: @unchecked Sendable {
    private let slots: UnsafeMutableBufferPointer<StepRow?>

    init(count: Int) {
        slots = .allocate(capacity: count)
        slots.initialize(repeating: nil)
    }

    deinit {
        slots.deinitialize()
        slots.deallocate()
    }

    subscript(index: Int) -> StepRow? {
        get { slots[index] }
        // SAFETY: no two workers write to the same index, and nobody reads before all have finished.
        set { slots[index] = newValue }
    }

    /// The rows that are there, in order; they are taken out.
    func takeRows() -> [StepRow] {
        var rows: [StepRow] = []
        rows.reserveCapacity(slots.count)
        for index in slots.indices {
            if let row = slots[index].take() { rows.append(row) }
        }
        return rows
    }
}
