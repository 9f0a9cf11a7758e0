internal import ByteCoding

/// The parameters of a query or a form body, in their order.
package struct QueryParameters: Sendable {
    /// Decoded names and values, in the order given.
    package private(set) var pairs: [(name: String, value: String)] = []

    /// Reads `a=1&b=2`; pairs that are not well encoded are left out, as Go's `url.ParseQuery` does, and so are
    /// those with a semicolon.
    package init(_ text: some Collection<UInt8>) {
        for part in text.split(separator: UInt8(ascii: "&")) where !part.contains(UInt8(ascii: ";")) {
            let mark = part.firstIndex(of: UInt8(ascii: "="))
            let name = part[..<(mark ?? part.endIndex)]
            let value = mark.map { part[part.index(after: $0)...] } ?? part[part.endIndex...]
            guard let name = PercentCoding.decode(name, plusIsSpace: true),
                let value = PercentCoding.decode(value, plusIsSpace: true)
            else { continue }
            pairs.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
        }
    }

    /// The first value of `name`, or nil.
    package subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }

    /// All values of `name`.
    package func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    /// Adds the pairs of another, behind these.
    package mutating func append(_ other: QueryParameters) { pairs += other.pairs }
}
