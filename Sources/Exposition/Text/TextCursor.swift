internal import ByteCoding
internal import MetricModel

/// Reads tokens of the text format. Every token is a piece of the body, or, where escapes were taken out, a piece of
/// a second buffer of the same size, at the same place; so tokens stay valid until ``release()``.
///
/// Source of the rules: prometheus/common expfmt/text_parse.go (`readTokenAs…`).
struct TextCursor {
    let bytes: UnsafeBufferPointer<UInt8>
    let end: Int
    var position = 0
    var line = 0
    /// Whether quotes were part of the last name read, so that its validity is still open.
    var isNameQuoted = false
    private var decoded: UnsafeMutableBufferPointer<UInt8>?

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        end = bytes.count
    }

    /// Frees the buffer of decoded tokens. Tokens must not be used afterwards.
    mutating func release() {
        decoded?.deallocate()
        decoded = nil
    }

    /// The byte at the position, which must not be at the end.
    @inline(__always)
    var current: UInt8 { bytes[position] }

    @inline(__always)
    var isAtBlank: Bool { current == UInt8(ascii: " ") || current == UInt8(ascii: "\t") }

    func error(_ message: String) -> ParseError { .text(line: line, message: message) }

    private var endOfInput: ParseError { error("unexpected end of input stream") }

    /// Moves over blanks and tabs, perhaps to the end.
    @inline(__always)
    mutating func skipBlanks() {
        var at = position
        while at < end, bytes[at] == UInt8(ascii: " ") || bytes[at] == UInt8(ascii: "\t") { at &+= 1 }
        position = at
    }

    /// Moves to the next byte that is neither blank nor tab, at least one byte on.
    @inline(__always)
    mutating func advanceOverBlanks() throws(ParseError) {
        position &+= 1
        skipBlanks()
        guard position < end else { throw endOfInput }
    }

    /// Moves behind the line feed, if one is next.
    @inline(__always)
    mutating func endLine() -> Bool {
        guard current == UInt8(ascii: "\n") else { return false }
        position &+= 1
        return true
    }

    /// Moves behind the next line feed.
    mutating func skipLine() throws(ParseError) {
        while position < end, bytes[position] != UInt8(ascii: "\n") { position &+= 1 }
        guard position < end else { throw endOfInput }
        position &+= 1
    }

    @inline(__always)
    func piece(_ start: Int, _ end: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: bytes[start..<end])
    }

    /// Reads up to a blank, tab or line feed, which becomes current.
    @inline(__always)
    mutating func readUntilWhitespace() throws(ParseError) -> UnsafeBufferPointer<UInt8> {
        let start = position
        var at = position
        while at < end {
            let byte = bytes[at]
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") { break }
            at &+= 1
        }
        position = at
        guard at < end else { throw endOfInput }
        return piece(start, at)
    }

    /// Reads up to the line feed and moves behind it; backslashes are dropped, as upstream does.
    mutating func readRestOfLine() throws(ParseError) -> UnsafeBufferPointer<UInt8> {
        let start = position
        var hasBackslash = false
        while position < end, bytes[position] != UInt8(ascii: "\n") {
            if bytes[position] == UInt8(ascii: "\\") { hasBackslash = true }
            position &+= 1
        }
        guard position < end else { throw endOfInput }
        let stop = position
        position &+= 1
        if !hasBackslash { return piece(start, stop) }
        let output = decodingBuffer()
        var length = 0
        for index in start..<stop where bytes[index] != UInt8(ascii: "\\") {
            output[start &+ length] = bytes[index]
            length &+= 1
        }
        return UnsafeBufferPointer(rebasing: UnsafeBufferPointer(output)[start..<(start &+ length)])
    }

    /// Reads a help text up to the line feed and moves behind it.
    mutating func readHelp() throws(ParseError) -> UnsafeBufferPointer<UInt8> {
        let start = position
        var at = position
        while at < end, bytes[at] != UInt8(ascii: "\n"), bytes[at] != UInt8(ascii: "\\") { at &+= 1 }
        position = at
        guard at < end else { throw endOfInput }
        if bytes[at] == UInt8(ascii: "\n") {
            position = at &+ 1
            return piece(start, at)
        }
        let text = try readEscaped(from: start, until: UInt8(ascii: "\n"))
        position &+= 1
        return text
    }

    /// Reads a label value whose opening quote is current; the closing quote becomes current.
    @inline(__always)
    mutating func readLabelValue() throws(ParseError) -> UnsafeBufferPointer<UInt8> {
        let start = position &+ 1
        var at = start
        var all: UInt8 = 0
        while at < end {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                position = at
                let text = piece(start, at)
                if all & 0x80 != 0, !UTF8Validation.isValid(text) {
                    throw error("invalid label value \(Excerpt.quoted(text))")
                }
                return text
            }
            if byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "\n") { break }
            all |= byte
            at &+= 1
        }
        return try readOddLabelValue(from: start, at: at)
    }

    private mutating func readOddLabelValue(
        from start: Int, at stop: Int
    ) throws(ParseError) -> UnsafeBufferPointer<UInt8> {
        position = stop
        guard stop < end else { throw endOfInput }
        let text = try readEscaped(from: start, until: UInt8(ascii: "\""))
        guard UTF8Validation.isValid(text) else { throw error("invalid label value \(Excerpt.quoted(text))") }
        return text
    }

    /// Decodes from `start` until the unescaped `terminator`, which becomes current. `position` says how far the
    /// bytes are known to be plain.
    private mutating func readEscaped(
        from start: Int, until terminator: UInt8
    ) throws(ParseError) -> UnsafeBufferPointer<UInt8> {
        let output = decodingBuffer()
        var length = position &- start
        for index in 0..<length { output[start &+ index] = bytes[start &+ index] }
        func text() -> UnsafeBufferPointer<UInt8> {
            UnsafeBufferPointer(rebasing: UnsafeBufferPointer(output)[start..<(start &+ length)])
        }
        while position < end {
            var byte = bytes[position]
            if byte == terminator { return text() }
            if byte == UInt8(ascii: "\n") {
                throw error("label value \(Excerpt.quoted(text())) contains unescaped new-line")
            }
            if byte == UInt8(ascii: "\\") {
                position &+= 1
                guard position < end else { throw endOfInput }
                byte = try unescaped(bytes[position])
            }
            output[start &+ length] = byte
            length &+= 1
            position &+= 1
        }
        throw endOfInput
    }

    private func unescaped(_ byte: UInt8) throws(ParseError) -> UInt8 {
        switch byte {
        case UInt8(ascii: "\\"), UInt8(ascii: "\""): return byte
        case UInt8(ascii: "n"): return UInt8(ascii: "\n")
        default:
            throw error("invalid escape sequence '\\\(Unicode.Scalar(byte))'")
        }
    }

    private mutating func decodingBuffer() -> UnsafeMutableBufferPointer<UInt8> {
        if let decoded { return decoded }
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: end)
        decoded = buffer
        return buffer
    }
}

// MARK: - Names

extension TextCursor {
    /// Reads a metric name; empty if the current byte starts none. The byte behind it becomes current.
    @inline(__always)
    mutating func readMetricName() throws(ParseError) -> UnsafeBufferPointer<UInt8> {
        try readName(colons: true)
    }

    /// Reads a label name; empty if the current byte starts none. The byte behind it becomes current.
    @inline(__always)
    mutating func readLabelName() throws(ParseError) -> UnsafeBufferPointer<UInt8> {
        try readName(colons: false)
    }

    @inline(__always)
    private mutating func readName(colons: Bool) throws(ParseError) -> UnsafeBufferPointer<UInt8> {
        isNameQuoted = false
        let start = position
        var at = position
        guard Self.isNameByte(bytes[at], colons) || bytes[at] == UInt8(ascii: "\"") else {
            isNameQuoted = true  // empty: whoever takes it as a name has to refuse it
            return piece(start, start)
        }
        if bytes[at] &- UInt8(ascii: "0") < 10 {
            isNameQuoted = true
            return piece(start, start)
        }
        while at < end, Self.isNameByte(bytes[at], colons) { at &+= 1 }
        position = at
        guard at < end else { throw endOfInput }
        if bytes[at] == UInt8(ascii: "\"") { return try readQuotedName(from: start, colons: colons) }
        return piece(start, at)
    }

    /// A name with quotes, or, as upstream has it, with a quoted part.
    private mutating func readQuotedName(
        from start: Int, colons: Bool
    ) throws(ParseError) -> UnsafeBufferPointer<UInt8> {
        isNameQuoted = true
        let output = decodingBuffer()
        var length = position &- start
        for index in 0..<length { output[start &+ index] = bytes[start &+ index] }
        func text() -> UnsafeBufferPointer<UInt8> {
            UnsafeBufferPointer(rebasing: UnsafeBufferPointer(output)[start..<(start &+ length)])
        }
        position &+= 1  // the opening quote
        while position < end {
            var byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position &+= 1
                guard position < end else { throw endOfInput }
                return text()
            }
            if byte == UInt8(ascii: "\n") {
                let kind = colons ? "metric" : "label"
                throw error("\(kind) name \(Excerpt.quoted(text())) contains unescaped new-line")
            }
            if byte == UInt8(ascii: "\\") {
                position &+= 1
                guard position < end else { throw endOfInput }
                byte = try unescaped(bytes[position])
            }
            output[start &+ length] = byte
            length &+= 1
            position &+= 1
        }
        throw endOfInput
    }

    @inline(__always)
    static func isNameByte(_ byte: UInt8, _ colons: Bool) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "_")
            || colons && byte == UInt8(ascii: ":")
    }
}

// MARK: - Comparison of pieces

@inline(__always)
func equals(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    for index in 0..<left.count where left[index] != right[index] { return false }
    return true
}

@inline(__always)
func equals(_ left: UnsafeBufferPointer<UInt8>, _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    // SAFETY: the buffer is only read within the call.
    return right.withUnsafeBufferPointer { equals(left, $0) }
}

@inline(__always)
func equals(_ left: UnsafeBufferPointer<UInt8>, _ word: StaticString) -> Bool {
    // SAFETY: a literal's bytes live as long as the program.
    equals(left, UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
}

/// Whether `left` is `word`, which is in lower case, in any case.
func equalsIgnoringCase(_ left: UnsafeBufferPointer<UInt8>, _ word: StaticString) -> Bool {
    guard left.count == word.utf8CodeUnitCount else { return false }
    for index in 0..<left.count {
        let byte = left[index]
        let lower = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
        if lower != word.utf8Start[index] { return false }
    }
    return true
}

/// The bytes of a piece as an array of its own.
@inline(__always)
func copy(_ piece: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    // Not `init(unsafeUninitializedCapacity:)`, which looks up the array's type anew each time.
    var bytes: [UInt8] = []
    bytes.reserveCapacity(piece.count)
    bytes.append(contentsOf: piece)
    return bytes
}
