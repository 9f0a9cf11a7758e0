/// A number of bytes as Prometheus' files write it: `10MB`, `1GiB`, both counted by 1024.
///
/// Source: github.com/alecthomas/units Base2Bytes, which Prometheus reads sizes with.
package struct ByteSize: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var bytes: Int64

    /// A size of `bytes`.
    package init(bytes: Int64) { self.bytes = bytes }

    package static func < (left: ByteSize, right: ByteSize) -> Bool { left.bytes < right.bytes }

    /// What is wrong with a size's text.
    package struct Malformed: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    private static let prefixes = ["", "K", "M", "G", "T", "P", "E"]

    /// Reads `1GiB512MiB` or `1.5GB`; a sign may stand in front.
    package init(_ text: String) throws(Malformed) {
        do throws(Malformed) {
            bytes = try Self.read(text, suffix: "iB")
        } catch {
            bytes = try Self.read(text, suffix: "B")
        }
    }

    private static func read(_ text: String, suffix: String) throws(Malformed) -> Int64 {
        let invalid = Malformed(description: "units: invalid \(text)")
        var rest = Array(text.utf8)[...]
        var sign = 1.0
        if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            sign = first == UInt8(ascii: "-") ? -1 : 1
            rest = rest.dropFirst()
        }
        if rest.elementsEqual("0".utf8) { return 0 }
        guard !rest.isEmpty else { throw invalid }
        var total = 0.0
        func isNumeric(_ byte: UInt8) -> Bool {
            byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || byte == UInt8(ascii: ".")
        }
        while !rest.isEmpty {
            let digits = rest.prefix(while: isNumeric)
            rest = rest.dropFirst(digits.count)
            guard digits.contains(where: { $0 != UInt8(ascii: ".") }),
                let number = Double(normalised(String(decoding: digits, as: UTF8.self)))
            else { throw invalid }
            let unit = String(decoding: rest.prefix { !isNumeric($0) }, as: UTF8.self)
            rest = rest.dropFirst(unit.utf8.count)
            guard let exponent = prefixes.firstIndex(where: { ($0.isEmpty ? "B" : $0 + suffix) == unit }) else {
                throw Malformed(description: "units: unknown unit \(unit) in \(text)")
            }
            total += number * Double(Int64(1) << Int64(10 * exponent))
        }
        guard let exact = Int64(exactly: (sign * total).rounded(.towardZero)) else {
            throw Malformed(description: "units: overflow parsing unit")
        }
        return exact
    }

    /// `.5` and `5.` with the zeros that Swift wants.
    private static func normalised(_ text: String) -> String {
        (text.hasPrefix(".") ? "0" : "") + text + (text.hasSuffix(".") ? "0" : "")
    }

    /// `1GiB512MiB`.
    package var description: String {
        var rest = bytes
        var parts: [String] = []
        for (index, prefix) in Self.prefixes.enumerated() {
            let part = rest % 1024
            if part != 0 || index == 0 && rest == 0 { parts.append("\(part)\(prefix)\(index == 0 ? "B" : "iB")") }
            rest /= 1024
            if rest == 0 { break }
        }
        return parts.reversed().joined()
    }
}
