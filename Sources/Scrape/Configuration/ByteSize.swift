/// A number of bytes as Prometheus' files write it: `10MB`, `1GiB`, both counted by 1024.
///
/// Source: github.com/alecthomas/units Base2Bytes, which Prometheus reads sizes with.
package struct ByteSize: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// How many.
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
        func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
        while !rest.isEmpty {
            let whole = rest.prefix(while: isDigit)
            rest = rest.dropFirst(whole.count)
            var fraction: ArraySlice<UInt8> = []
            if rest.first == UInt8(ascii: ".") {
                fraction = rest.dropFirst().prefix(while: isDigit)
                rest = rest.dropFirst(1 + fraction.count)
            }
            guard !whole.isEmpty || !fraction.isEmpty, fits(whole), fits(fraction),
                let number = Double("0\(self.text(whole)).\(self.text(fraction))0")
            else { throw invalid }
            let unitBytes = rest.prefix { !isDigit($0) && $0 != UInt8(ascii: ".") }
            let unit = self.text(unitBytes)
            rest = rest.dropFirst(unitBytes.count)
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

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Whether upstream's numbers, which are of 64 bits, can hold these digits.
    private static func fits(_ digits: ArraySlice<UInt8>) -> Bool {
        digits.isEmpty || Int64(text(digits)).map { $0 <= Int64.max - 8 } ?? false
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
