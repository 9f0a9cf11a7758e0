internal import Matching
package import MetricModel
internal import PromQL

extension Script {
    /// Parses a script.
    /// - Throws: ``ScriptError`` at the first line that makes no sense; queries that must fail to parse do.
    package init(_ text: ByteString) throws(ScriptError) {
        var parser = ScriptParser(text)
        commands = try parser.script()
    }
}

/// Reads a script line by line.
struct ScriptParser {
    /// Without space at either end; comments are empty.
    private let lines: [ByteString]
    private var index = 0
    static let parser = Parser(options: .everything)

    init(_ text: ByteString) {
        lines = text.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            let trimmed = Self.trimmed(line)
            return trimmed.first == UInt8(ascii: "#") ? "" : ByteString(trimmed)
        }
    }

    static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }
        var result = text.drop(while: isSpace)
        while let last = result.last, isSpace(last) { result.removeLast() }
        return result
    }

    static func trimmed(_ text: ByteString) -> ByteString { ByteString(trimmed(text.bytes[...])) }

    // MARK: Lines

    /// The number of the line read last, from 1.
    var lineNumber: Int { index }

    func failure(_ message: String) -> ScriptError { ScriptError(message: message, line: index) }

    /// The next line of the current command, or nil at an empty one.
    mutating func nextLineOfCommand() -> ByteString? {
        guard index < lines.count, !lines[index].isEmpty else { return nil }
        index += 1
        return lines[index - 1]
    }

    mutating func script() throws(ScriptError) -> [ScriptCommand] {
        var commands: [ScriptCommand] = []
        while index < lines.count {
            let line = lines[index]
            index += 1
            if line.isEmpty { continue }
            let word = line.bytes.prefix { $0 != 0x20 && $0 != 0x09 }
            let command = String(decoding: word, as: UTF8.self).lowercased()
            if command == "clear" {
                commands.append(.clear)
            } else if command.hasPrefix("load") {
                commands.append(.load(try load(line)))
            } else if command.hasPrefix("eval") {
                commands.append(.evaluate(try evaluate(line)))
            } else {
                throw failure("invalid command \(Quoting.quote(line))")
            }
        }
        return commands
    }

    // MARK: Pieces

    /// The groups of `pattern` in `line`, empty where they took no part; nil if it does not match.
    func groups(_ pattern: ByteString, in line: ByteString) throws(ScriptError) -> [ByteString]? {
        do throws(RegularExpression.CompileError) {
            return try RegularExpression(pattern).groups(in: line)?.map { range in
                range.map { ByteString(line.bytes[$0]) } ?? ""
            }
        } catch {
            throw failure(error.message)
        }
    }

    /// A duration in milliseconds.
    func duration(_ text: ByteString, _ what: String) throws(ScriptError) -> Int64 {
        do throws(DurationGrammar.Refusal) {
            return try DurationGrammar.parse(text).milliseconds
        } catch {
            throw failure("invalid \(what) definition \(Quoting.quote(text)): \(error)")
        }
    }

    func times(
        _ from: ByteString, _ to: ByteString, _ step: ByteString
    ) throws(ScriptError) -> (start: Timestamp, end: Timestamp, step: Int64) {
        let start = try duration(from, "start timestamp")
        let end = try duration(to, "end timestamp")
        if end < start {
            throw failure("invalid test definition, end timestamp (\(to)) is before start timestamp (\(from))")
        }
        return (start, end, try duration(step, "step"))
    }

    func series(_ line: ByteString) throws(ScriptError) -> SeriesDescription {
        do throws(ParseError) {
            return try Self.parser.parseSeriesDescription(line)
        } catch {
            throw failure(error.description)
        }
    }
}
