package import MetricModel
internal import PromQL

/// Runs scripts.
package struct ScriptRunner<Subject: ScriptSubject> {
    private var subject: Subject

    /// What came of a script.
    package struct Report: Sendable {
        /// An expectation that does not hold, or a script that cannot be run.
        package struct Failure: Sendable, CustomStringConvertible {
            /// Counted from 1.
            package var line: Int
            /// What differs.
            package var message: String

            package var description: String { "line \(line): \(message)" }
        }

        /// How many evaluations were as expected.
        package var passed = 0
        /// In the order of the script.
        package var failures: [Failure] = []

        /// Nothing yet.
        package init() {}
    }

    /// A runner over `subject`, which is cleared before each script.
    package init(_ subject: Subject) { self.subject = subject }

    /// Runs a script to its end, whatever fails on the way.
    package mutating func run(_ text: ByteString) -> Report {
        var report = Report()
        let script: Script
        do throws(ScriptError) {
            script = try Script(text)
        } catch {
            report.failures.append(Report.Failure(line: error.line, message: error.message))
            return report
        }
        var line = 1
        do {
            try subject.clear()
            for command in script.commands {
                switch command {
                case .clear: try subject.clear()
                case .load(let load): try self.load(load)
                case .evaluate(let evaluation):
                    line = evaluation.line
                    if let mismatch = evaluate(evaluation) {
                        report.failures.append(Report.Failure(line: evaluation.line, message: mismatch.message))
                    } else {
                        report.passed += 1
                    }
                }
            }
        } catch {
            report.failures.append(Report.Failure(line: line, message: "behind this line: \(error)"))
        }
        return report
    }

    private mutating func load(_ command: LoadCommand) throws {
        try subject.load(command.series)
        if command.addsCustomBuckets { try subject.load(command.convertedSeries()) }
    }

    // MARK: Evaluation

    private func evaluate(_ command: EvaluateCommand) -> Mismatch? {
        do throws(Mismatch) {
            guard case .instant(let time) = command.time else {
                _ = try check(command.query, command.time, command)
                return nil
            }
            try checkInstant(command.query, time, command)
            // What does not depend on the time of evaluation must not change with it.
            guard let fixed = FixedTime.query(command.query, at: time) else { return nil }
            for other in FixedTime.otherTimes(than: time) { try checkInstant(fixed, other, command) }
            return nil
        } catch {
            return error
        }
    }

    /// Asks `query` and compares. Nil if the query failed as it should.
    private func check(
        _ query: ByteString, _ time: EvaluateCommand.Time, _ command: EvaluateCommand
    ) throws(Mismatch) -> ScriptAnswer? {
        let answer: ScriptAnswer
        do {
            answer = try subject.answer(query, at: time)
        } catch {
            guard let patterns = command.failure else {
                throw Mismatch("error evaluating query \(Quoting.quote(query)): \(error)")
            }
            let text = "\(error)"
            for pattern in patterns where !pattern.matches(text) {
                throw Mismatch(
                    "expected error with \(pattern.description) from \(Quoting.quote(query)), but got: \(text)")
            }
            return nil
        }
        if command.failure != nil {
            throw Mismatch("expected error evaluating query \(Quoting.quote(query)) but got none")
        }
        let place = " (query \(Quoting.quote(query)))"
        if command.needsWarning, answer.warnings.isEmpty { throw Mismatch("expected warnings but got none\(place)") }
        if command.needsInfo, answer.infos.isEmpty {
            throw Mismatch("expected info annotations but got none\(place)")
        }
        try Comparison.check(answer.warnings, command.warnings, "warn", place)
        try Comparison.check(answer.infos, command.infos, "info", place)
        try Comparison(command: command, place: place).check(answer.value)
        return answer
    }

    private func checkInstant(
        _ query: ByteString, _ time: Timestamp, _ command: EvaluateCommand
    ) throws(Mismatch) {
        guard let answer = try check(query, .instant(time), command) else { return }
        guard command.comparesRange, !FixedTime.dependsOnRange(query) else { return }
        let minute: Int64 = 60_000
        let range = EvaluateCommand.Time.range(start: time &- minute, end: time &+ minute, step: minute)
        let rangeAnswer: ScriptAnswer
        do {
            rangeAnswer = try subject.answer(query, at: range)
        } catch {
            throw Mismatch("error evaluating query \(Quoting.quote(query)) in range mode: \(error)")
        }
        if command.isOrdered { return }
        guard case .matrix(let matrix) = rangeAnswer.value else {
            throw Mismatch("query \(Quoting.quote(query)) in range mode gives no matrix")
        }
        let comparison = Comparison(command: command, place: " (query \(Quoting.quote(query)) in range mode)")
        try comparison.checkOrder(matrix)
        let samples = matrix.compactMap { series in
            series.points.first { $0.timestamp == time }.map {
                ScriptAnswer.Sample(labels: series.labels, value: $0.value)
            }
        }
        if case .scalar = answer.value {
            guard case .float(let value) = samples.first?.value else {
                throw Mismatch("query \(Quoting.quote(query)) in range mode gives no scalar")
            }
            try comparison.check(.scalar(value))
        } else {
            try comparison.check(.vector(samples))
        }
    }
}

/// Expected and found differ.
struct Mismatch: Error {
    let message: String

    init(_ message: String) { self.message = message }
}
