internal import Matching
internal import MetricModel
internal import PromQL

/// `eval` commands and what they expect.
extension ScriptParser {
    mutating func evaluate(_ line: ByteString) throws(ScriptError) -> EvaluateCommand {
        var (command, mode) = try header(line)
        do throws(ParseError) {
            _ = try Self.parser.parseExpression(command.query)
        } catch {
            throw failure(error.description)
        }
        switch mode {
        case "ordered": command.isOrdered = true
        case "fail": command.failure = []
        case "warn": command.warnings = .matching([try pattern("regex", ".*")])
        case "info": command.infos = .matching([try pattern("regex", ".*")])
        default: break
        }
        // The old forms only asked for one annotation at least, which any pattern says too.
        try expectations(into: &command, isOldFailure: mode == "fail")
        return command
    }

    private func header(_ line: ByteString) throws(ScriptError) -> (EvaluateCommand, mode: ByteString) {
        let instant = #"eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)"#
        if let parts = try groups(ByteString(instant), in: line) {
            let time = try duration(parts[2], "timestamp")
            return (EvaluateCommand(query: parts[3], line: lineNumber, time: .instant(time)), parts[1])
        }
        let range = #"eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)"#
        guard let parts = try groups(ByteString(range), in: line) else {
            throw failure(
                "invalid evaluation command. Must be either 'eval[_fail|_warn|_ordered] instant [at <offset:duration>] "
                    + "<query>' or 'eval[_fail|_warn] range from <from> to <to> step <step> <query>'")
        }
        let (start, end, step) = try times(parts[2], parts[3], parts[4])
        let time = EvaluateCommand.Time.range(start: start, end: end, step: step)
        return (EvaluateCommand(query: parts[5], line: lineNumber, time: time), parts[1])
    }

    private mutating func expectations(
        into command: inout EvaluateCommand, isOldFailure: Bool
    ) throws(ScriptError) {
        var series: [SeriesDescription] = []
        while let line = nextLineOfCommand() {
            if isOldFailure, line.hasPrefix("expected_fail_message") {
                command.failure = [try pattern("msg", ByteString(line.bytes.dropFirst(21)))]
                return
            }
            if isOldFailure, line.hasPrefix("expected_fail_regexp") {
                command.failure = [try pattern("regex", ByteString(line.bytes.dropFirst(20)))]
                return
            }
            if line.hasPrefix("expect range vector") {
                try rangeVector(line, into: &command)
            } else if line.hasPrefix("expect string") {
                try string(line, into: &command)
            } else if line == "expect" || line.hasPrefix("expect ") {
                try expectation(line, into: &command)
            } else if series.isEmpty, let number = Self.number(line) {
                command.result = .scalar(number)
                return
            } else {
                let description = try self.series(line)
                if case .instant = command.time, command.rangeVector == nil, description.values.count > 1 {
                    throw failure(
                        "expecting multiple values in instant evaluation not allowed. consider using 'expect range "
                            + "vector' directive to enable a range vector result for an instant query")
                }
                // A series that comes twice counts as written last.
                series.removeAll { $0.labels == description.labels }
                series.append(description)
                command.result = .series(series)
            }
        }
    }

    private func rangeVector(_ line: ByteString, into command: inout EvaluateCommand) throws(ScriptError) {
        let form = #"expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)"#
        guard let parts = try groups(ByteString(form), in: line) else {
            throw failure("invalid range vector definition \(Quoting.quote(line))")
        }
        let times = try times(parts[1], parts[2], parts[3])
        command.rangeVector = times
        command.time = .instant(times.end)
        command.comparesRange = false
    }

    private func string(_ line: ByteString, into command: inout EvaluateCommand) throws(ScriptError) {
        let literal = Self.trimmed(ByteString(line.bytes.dropFirst("expect string".utf8.count)))
        guard let expression = try? Self.parser.parseExpression(literal), case .string(let string) = expression else {
            throw failure("expected string literal not valid - check that the string is correctly quoted")
        }
        command.result = .string(string.value)
        command.comparesRange = false
    }

    private func expectation(_ line: ByteString, into command: inout EvaluateCommand) throws(ScriptError) {
        let form = #"expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?"#
        guard let parts = try groups(ByteString(form), in: line) else {
            throw failure("invalid expect statement, must match `expect <type> <match_type>: <string>` format")
        }
        let pattern = try pattern(
            parts[2].isEmpty ? "regex" : parts[2].string, parts[2].isEmpty ? ".*" : parts[3])
        switch parts[1] {
        case "ordered": command.isOrdered = true
        case "fail":
            if command.failure?.isEmpty == false {
                throw failure("invalid expect lines, multiple expect fail lines are not allowed")
            }
            command.failure = [pattern]
        case "warn": try Self.add(pattern, to: &command.warnings, "warn", self)
        case "info": try Self.add(pattern, to: &command.infos, "info", self)
        case "no_warn": try Self.exclude(&command.warnings, "warn", self)
        default: try Self.exclude(&command.infos, "info", self)
        }
    }

    private static func add(
        _ pattern: EvaluateCommand.Pattern, to expectation: inout EvaluateCommand.AnnotationExpectation,
        _ name: String, _ parser: ScriptParser
    ) throws(ScriptError) {
        switch expectation {
        case .anything: expectation = .matching([pattern])
        case .matching(let patterns): expectation = .matching(patterns + [pattern])
        case .none: throw parser.clash(name)
        }
    }

    private static func exclude(
        _ expectation: inout EvaluateCommand.AnnotationExpectation, _ name: String, _ parser: ScriptParser
    ) throws(ScriptError) {
        if case .matching = expectation { throw parser.clash(name) }
        expectation = .none
    }

    private func clash(_ name: String) -> ScriptError {
        failure("invalid expect lines, \(name) and no_\(name) cannot be used together")
    }

    /// A text (`msg`) or an expression (`regex`) that may match anywhere.
    private func pattern(_ kind: String, _ text: ByteString) throws(ScriptError) -> EvaluateCommand.Pattern {
        let trimmed = Self.trimmed(text)
        if kind == "msg" { return .text(trimmed.string) }
        do throws(RegularExpression.CompileError) {
            let anywhere = try RegularExpression(ByteString("(?s:.*?)(?:\(trimmed))(?s:.*)"))
            return .expression(source: trimmed.string, anywhere)
        } catch {
            throw failure("invalid regex \(trimmed)")
        }
    }

    /// A line that is one number, signs allowed.
    private static func number(_ line: ByteString) -> Double? {
        guard let expression = try? parser.parseExpression(line), case .number(let literal) = expression,
            !literal.isDuration
        else { return nil }
        return literal.value
    }
}
