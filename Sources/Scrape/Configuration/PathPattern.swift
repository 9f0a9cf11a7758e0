#if canImport(Glibc)
internal import Glibc
#endif

/// Patterns for paths, as Go's `filepath.Match` reads them.
enum PathPattern {
    /// The paths that `pattern` stands for, sorted.
    static func matches(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(pattern, 0, nil, &result) == 0 else { return [] }
        // SAFETY: `gl_pathv` has `gl_pathc` terminated strings, which live until `globfree`.
        return (0..<Int(result.gl_pathc)).compactMap { result.gl_pathv[$0].map { String(cString: $0) } }
    }

    /// Whether Go takes the pattern: every class is closed and holds something, and nothing ends in a backslash.
    ///
    /// Source: Go path/filepath/match.go (`matchChunk`, `getEsc`).
    static func isSound(_ pattern: String) -> Bool {
        var rest = Array(pattern.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\\"): if rest.popFirst() == nil { return false }
            case UInt8(ascii: "["): if !takeClass(&rest) { return false }
            default: break
            }
        }
        return true
    }

    /// Takes what follows a bracket, up to the one that closes it.
    private static func takeClass(_ rest: inout ArraySlice<UInt8>) -> Bool {
        if rest.first == UInt8(ascii: "^") { rest.removeFirst() }
        var ranges = 0
        while true {
            if ranges > 0, rest.first == UInt8(ascii: "]") {
                rest.removeFirst()
                return true
            }
            guard takeBound(&rest) else { return false }
            if rest.first == UInt8(ascii: "-") {
                rest.removeFirst()
                guard takeBound(&rest) else { return false }
            }
            ranges += 1
        }
    }

    /// Takes one end of a range; something has to stand behind it.
    private static func takeBound(_ rest: inout ArraySlice<UInt8>) -> Bool {
        guard let byte = rest.popFirst(), byte != UInt8(ascii: "-"), byte != UInt8(ascii: "]") else { return false }
        if byte == UInt8(ascii: "\\"), rest.popFirst() == nil { return false }
        return !rest.isEmpty
    }
}
