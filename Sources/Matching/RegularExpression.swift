internal import ByteCoding
internal import CRE2
package import MetricModel

/// A regular expression of RE2, the syntax of Go's `regexp`; `.` matches line feeds, as in Prometheus 3.
///
/// Matching takes time linear in the text, whatever the pattern. Safe to use from many threads.
package final class RegularExpression: Sendable {
    /// Why a pattern was refused.
    package struct CompileError: Error, Equatable, CustomStringConvertible {
        /// What is wrong, in the words of Go's `regexp/syntax`: users know these texts, and search for them.
        package let reason: String
        /// The part of the pattern that it is about.
        package let argument: String

        /// The whole sentence, as Go's `regexp` says it.
        package var message: String { "error parsing regexp: \(reason): `\(argument)`" }

        package var description: String { message }
    }

    /// The pattern as given.
    package let pattern: ByteString
    /// What it comes down to, where that can be said without the automaton.
    package let shape: PatternShape
    // SAFETY: RE2 objects are immutable once compiled, and their matching is thread-safe; freed once, in deinit.
    private nonisolated(unsafe) let regex: OpaquePointer

    /// Memory that RE2 may take for one pattern, in bytes.
    package static let memoryLimit: Int64 = 8 << 20

    /// Compiles `pattern`.
    /// - Throws: ``CompileError`` where the syntax is wrong or the pattern needs more than ``memoryLimit``.
    package init(_ pattern: ByteString, caseInsensitive: Bool = false) throws(CompileError) {
        self.pattern = pattern
        shape = caseInsensitive ? .automaton(prefix: "", suffix: "", inner: "") : PatternShape(pattern)
        let compiled = pattern.bytes.withUnsafeBytes { bytes in
            // SAFETY: RE2 copies the pattern.
            cre2_compile(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, Self.memoryLimit, caseInsensitive)
        }
        guard let compiled else { throw CompileError(reason: "expression too large", argument: pattern.string) }
        guard cre2_ok(compiled) else {
            let error = CompileError(compiled)
            cre2_free(compiled)
            throw error
        }
        regex = compiled
    }

    deinit { cre2_free(regex) }

    /// Whether the whole of `text` matches.
    /// - Complexity: O(text).
    package func matches(_ text: ByteString) -> Bool {
        text.bytes.withUnsafeBytes { matches($0) }
    }

    /// Whether the whole of `text` matches: by the pattern's shape where that suffices, else by the automaton.
    /// - Complexity: O(text).
    package func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        switch shape {
        case .texts(let texts): return Self.contains(texts, text)
        case .glob(let glob): return glob.matches(text)
        case .anyOf(let globs): return globs.contains { $0.matches(text) }
        case .automaton(let prefix, let suffix, let inner):
            guard LiteralSearch.starts(text, with: prefix.bytes, at: 0),
                LiteralSearch.starts(text, with: suffix.bytes, at: text.count - suffix.count),
                LiteralSearch.find(inner.bytes, in: text, from: 0, to: text.count) != nil
            else { return false }
            return matchesByAutomaton(text)
        }
    }

    /// Whether `text` is one of `texts`, which are sorted.
    private static func contains(_ texts: [ByteString], _ text: UnsafeRawBufferPointer) -> Bool {
        var low = 0
        var high = texts.count
        while low < high {
            let middle = (low + high) / 2
            let order = ByteOrder.compare(text, texts[middle].bytes)
            if order == 0 { return true }
            if order > 0 { low = middle + 1 } else { high = middle }
        }
        return false
    }

    /// Whether the whole of `text` matches, by RE2 alone: what all fast paths are tested against.
    /// - Complexity: O(text).
    package func matchesByAutomaton(_ text: UnsafeRawBufferPointer) -> Bool {
        // SAFETY: the buffer is only read within the call.
        cre2_full_match(regex, text.baseAddress?.assumingMemoryBound(to: CChar.self), text.count)
    }

    /// Number of capture groups, without the whole match.
    package var groupCount: Int { Int(cre2_group_count(regex)) }

    /// Where the whole match (first) and each group lie in `text`; nil without a match, nil members for groups
    /// that took no part.
    /// - Complexity: O(text).
    package func groups(in text: ByteString) -> [Range<Int>?]? {
        let count = groupCount + 1
        var offsets = [Int](repeating: -1, count: 2 * count)
        let matched = text.bytes.withUnsafeBytes { bytes in
            // SAFETY: `offsets` has room for `count` pairs.
            cre2_full_match_groups(
                regex, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, &offsets, Int32(count))
        }
        guard matched else { return nil }
        return (0..<count).map { offsets[2 * $0] < 0 ? nil : offsets[2 * $0]..<offsets[2 * $0 + 1] }
    }

    /// The name of group `index` (from 1), or nil.
    package func groupName(_ index: Int) -> ByteString? {
        var length = 0
        guard let text = cre2_group_name(regex, Int32(index), &length) else { return nil }
        return ByteString(Array(UnsafeRawBufferPointer(start: text, count: length)))
    }
}

extension RegularExpression.CompileError {
    /// Why `failed` did not compile: RE2's codes in Go's words.
    fileprivate init(_ failed: OpaquePointer) {
        var length = 0
        let text = cre2_error_argument(failed, &length)
        let argument = String(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
        let code = cre2_error_code(failed)
        self.argument = code == 8 ? "" : argument
        reason =
            switch code {
            case 2: "invalid escape sequence"
            case 3, 4: "invalid character class range"
            case 5: "missing closing ]"
            case 6: "missing closing )"
            case 7: "unexpected )"
            case 8: "trailing backslash at end of expression"
            case 9: "missing argument to repetition operator"
            case 10: "invalid repeat count"
            case 11: "invalid nested repetition operator"
            case 12: "invalid or unsupported Perl syntax"
            case 13: "invalid UTF-8"
            case 14: "invalid named capture"
            case 15: "expression too large"
            default: "regexp/syntax: internal error"
            }
    }
}
