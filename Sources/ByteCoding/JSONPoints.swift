/// Points and texts of query results as JSON, in the form of Prometheus' HTTP API.
///
/// Source: prometheus/prometheus web/api/v1/json_codec.go and util/jsonutil.
package enum JSONPoints {
    /// A moment in milliseconds and a number.
    package typealias Point = (timestamp: Int64, value: Double)

    /// Bytes that a point takes at most: 2 + 24 for the time, 3 + 32 for the number, and 3.
    private static let pointLimit = 64
    private static let batch = 64

    /// Appends `[1435781451.781,"1"]` for each point, with commas between them.
    /// - Complexity: O(points); no allocation but `output`'s growth.
    package static func append(_ points: [Point], to output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: batch * pointLimit, alignment: 8) { text in
            points.withUnsafeBufferPointer { points in
                var index = 0
                while index < points.count {
                    var length = 0
                    let end = min(points.count, index &+ batch)
                    while index < end {
                        // SAFETY: fewer than `batch` points of at most `pointLimit` bytes each stand before this one.
                        let room = UnsafeMutableRawBufferPointer(rebasing: text[length...])
                        length &+= write(points[index], isFirst: index == 0, to: room)
                        index &+= 1
                    }
                    output.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[..<length]))
                }
            }
        }
    }

    /// Appends `[1435781451.781,"1"]`.
    /// - Complexity: O(1); no allocation but `output`'s growth.
    package static func append(_ timestamp: Int64, _ value: Double, to output: inout [UInt8]) {
        withUnsafeTemporaryAllocation(byteCount: pointLimit, alignment: 8) { text in
            let length = write((timestamp, value), isFirst: true, to: text)
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[..<length]))
        }
    }

    @inline(__always)
    private static func write(_ point: Point, isFirst: Bool, to text: UnsafeMutableRawBufferPointer) -> Int {
        var length = 0
        if !isFirst {
            text[0] = UInt8(ascii: ",")
            length = 1
        }
        text[length] = UInt8(ascii: "[")
        length &+= 1
        length &+= writeSeconds(point.timestamp, to: UnsafeMutableRawBufferPointer(rebasing: text[length...]))
        text[length] = UInt8(ascii: ",")
        text[length &+ 1] = UInt8(ascii: "\"")
        length &+= 2
        length &+= FloatText.writeAPI(point.value, to: UnsafeMutableRawBufferPointer(rebasing: text[length...]))
        text[length] = UInt8(ascii: "\"")
        text[length &+ 1] = UInt8(ascii: "]")
        return length &+ 2
    }

    /// Writes milliseconds as seconds, `1435781451.781`, to the start of `text`, which has room for 25 bytes.
    /// - Returns: How many.
    @inline(__always)
    private static func writeSeconds(_ timestamp: Int64, to text: UnsafeMutableRawBufferPointer) -> Int {
        var length = 0
        if timestamp < 0 {
            text[0] = UInt8(ascii: "-")
            length = 1
        }
        let (seconds, rest) = timestamp.magnitude.quotientAndRemainder(dividingBy: 1000)
        length &+= IntegerText.write(seconds, to: UnsafeMutableRawBufferPointer(rebasing: text[length...]))
        if rest != 0 {
            text[length] = UInt8(ascii: ".")
            text[length &+ 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest / 100)
            text[length &+ 2] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest / 10 % 10)
            text[length &+ 3] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            length &+= 4
        }
        return length
    }

    /// Appends pairs of texts as an object, with what is escaped as in ``appendQuoted(_:to:)``: `{"a":"b","c":"d"}`.
    /// - Parameters:
    ///   - bytes: Where the texts lie.
    ///   - forEachPair: Calls its argument with the places of each pair, in `bytes`, none of them twice.
    /// - Complexity: O(bytes); no allocation but `output`'s growth.
    package static func appendObject(
        _ bytes: UnsafeRawBufferPointer, to output: inout [UInt8],
        forEachPair: ((_ name: Range<Int>, _ value: Range<Int>) -> Void) -> Void
    ) {
        // Room for all texts that lie in `bytes` beside a byte or more each, as those of packed labels do; a text with
        // escapes, or beyond that room, goes to `output` by itself.
        withUnsafeTemporaryAllocation(byteCount: 3 &* bytes.count &+ 8, alignment: 8) { text in
            var length = 1
            text[0] = UInt8(ascii: "{")
            func put(_ part: Range<Int>, _ before: UInt8) {
                let part = UnsafeRawBufferPointer(rebasing: bytes[part])
                if isPlain(part), length &+ part.count &+ 4 <= text.count {
                    text[length] = before
                    text[length &+ 1] = UInt8(ascii: "\"")
                    // SAFETY: there is room, as was just looked at.
                    UnsafeMutableRawBufferPointer(rebasing: text[(length &+ 2)...]).copyMemory(from: part)
                    length &+= part.count &+ 3
                    text[length &- 1] = UInt8(ascii: "\"")
                } else {
                    text[length] = before
                    output.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[...length]))
                    appendQuoted(part, to: &output)
                    length = 0
                }
            }
            var isFirst = true
            forEachPair { name, value in
                // The first name's mark is the brace.
                if isFirst { length = 0 }
                put(name, isFirst ? UInt8(ascii: "{") : UInt8(ascii: ","))
                put(value, UInt8(ascii: ":"))
                isFirst = false
            }
            text[length] = UInt8(ascii: "}")
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[...length]))
        }
    }

    /// Appends `text` in quotes; only quotes, backslashes and control characters are escaped.
    package static func appendQuoted(_ text: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        if isPlain(text) {
            output.append(contentsOf: text)
        } else {
            for byte in text { appendEscaped(byte, to: &output) }
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func appendEscaped(_ byte: UInt8, to output: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): output.append(contentsOf: #"\""#.utf8)
        case UInt8(ascii: "\\"): output.append(contentsOf: #"\\"#.utf8)
        case UInt8(ascii: "\n"): output.append(contentsOf: #"\n"#.utf8)
        case UInt8(ascii: "\r"): output.append(contentsOf: #"\r"#.utf8)
        case UInt8(ascii: "\t"): output.append(contentsOf: #"\t"#.utf8)
        case 0..<0x20: output.append(contentsOf: "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
        default: output.append(byte)
        }
    }

    /// Whether nothing in `text` needs an escape. Eight bytes at a time.
    private static func isPlain(_ text: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while index &+ 8 <= text.count {
            let word = text.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let quotes = word ^ (ones &* 0x22)
            let slashes = word ^ (ones &* 0x5C)
            // The highest bit of a byte is set if the byte is below 0x20, or was made 0.
            let small = (word &- ones &* 0x20) & ~word
            let found = small | ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes)
            if found & highs != 0 { return false }
            index &+= 8
        }
        while index < text.count {
            let byte = text[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return false }
            index &+= 1
        }
        return true
    }
}
