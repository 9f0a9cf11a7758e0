internal import ByteCoding
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
        case "warn": command.needsWarning = true
        case "info": command.needsInfo = true
        default: break
        }
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
        // Lines that count in the order of an ordered result: upstream counts texts and range vectors, too.
        var position = 0
        var failures = 0
        while let line = nextLineOfCommand() {
            // What follows the text of an old failure, or a number, is the next command.
            if isOldFailure, line.hasPrefix("expected_fail_message") {
                let text = try pattern("msg", ByteString(line.bytes.dropFirst(21)))
                if case .text("") = text { return }
                command.failure?.append(text)
                return
            }
            if isOldFailure, line.hasPrefix("expected_fail_regexp") {
                command.failure?.append(try pattern("regex", ByteString(line.bytes.dropFirst(20))))
                return
            }
            if line == "expect" || line.hasPrefix("expect "), !line.hasPrefix("expect range vector"),
                !line.hasPrefix("expect string")
            {
                try expectation(line, into: &command, failures: &failures)
                continue
            }
            position += 1
            if line.hasPrefix("expect range vector") {
                try rangeVector(line, into: &command)
            } else if line.hasPrefix("expect string") {
                try string(line, into: &command)
            } else if let number = Self.number(line) {
                command.result.scalar = number
                return
            } else {
                try series(line, at: position, into: &command)
            }
        }
    }

    private func series(
        _ line: ByteString, at position: Int, into command: inout EvaluateCommand
    ) throws(ScriptError) {
        let description = try series(line)
        if case .instant = command.time, command.rangeVector == nil, description.values.count > 1 {
            throw failure(
                "expecting multiple values in instant evaluation not allowed. consider using 'expect range vector' "
                    + "directive to enable a range vector result for an instant query")
        }
        // A series that comes twice counts as written last.
        command.result.series.removeAll { $0.description.labels == description.labels }
        command.result.series.append(EvaluateCommand.ExpectedSeries(description: description, position: position))
    }

    private func rangeVector(_ line: ByteString, into command: inout EvaluateCommand) throws(ScriptError) {
        let form = #"expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)"#
        guard let parts = try groups(ByteString(form), in: line) else {
            throw failure("invalid range vector definition \(Quoting.quote(line))")
        }
        let times = try times(parts[1], parts[2], parts[3])
        command.comparesRange = false
        guard case .instant = command.time else {
            command.time = .range(start: times.start, end: times.end, step: times.step)
            return
        }
        command.rangeVector = times
        command.time = .instant(times.end)
    }

    private func string(_ line: ByteString, into command: inout EvaluateCommand) throws(ScriptError) {
        let literal = ByteString(line.bytes.dropFirst("expect string ".utf8.count))
        if literal.isEmpty { throw failure("expected string literal not valid - a quoted string literal is required") }
        // Single quotes hold one character, as in Go.
        guard line.hasPrefix("expect string "), let quote = literal.bytes.first, quote != 0x20, quote != 0x09,
            let expression = try? Self.parser.parseExpression(literal), case .string(let string) = expression,
            quote != UInt8(ascii: "'") || string.value.string.unicodeScalars.count == 1
        else { throw failure("expected string literal not valid - check that the string is correctly quoted") }
        command.result.text = string.value
        command.comparesRange = false
    }

    private func expectation(
        _ line: ByteString, into command: inout EvaluateCommand, failures: inout Int
    ) throws(ScriptError) {
        let form = #"expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?"#
        guard let parts = try groups(ByteString(form), in: line) else {
            throw failure("invalid expect statement, must match `expect <type> <match_type>: <string>` format")
        }
        let pattern = try pattern(
            parts[2].isEmpty ? "regex" : parts[2].string, parts[2].isEmpty ? "^.*$" : parts[3])
        switch parts[1] {
        case "ordered": command.isOrdered = true
        case "fail":
            failures += 1
            if failures > 1 { throw failure("invalid expect lines, multiple expect fail lines are not allowed") }
            command.failure = (command.failure ?? []) + [pattern]
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
            // Refused here, not completed by the parentheses around it.
            _ = try RegularExpression(trimmed)
            let anywhere = try RegularExpression(ByteString("(?s:.*?)(?-s:\(trimmed))(?s:.*)"))
            return .expression(source: trimmed.string, anywhere)
        } catch {
            throw failure("invalid regex \(trimmed)")
        }
    }

    /// A line that is one number as Go reads it: an integer with any prefix, or a decimal or hexadecimal fraction.
    private static func number(_ line: ByteString) -> Double? {
        var digits = line.bytes[...]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        if let integer = integer(digits) { return isNegative ? 0 - Double(integer) : Double(integer) }
        return FloatText.parse(line.bytes, .go)
    }

    /// An integer with prefix `0b`, `0o`, `0x`, or an octal one with `0`; nil if that is not what it is.
    private static func integer(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard digits.count > 1, digits.first == UInt8(ascii: "0") else { return nil }
        let letter = digits.dropFirst().first.map { $0 | 0x20 }
        let radix = letter == UInt8(ascii: "x") ? 16 : letter == UInt8(ascii: "b") ? 2 : 8
        let hasLetter = radix != 8 || letter == UInt8(ascii: "o")
        let rest = digits.dropFirst(hasLetter ? 2 : 1)
        guard rest.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
        return Int64(String(decoding: rest.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self), radix: radix)
    }
}
