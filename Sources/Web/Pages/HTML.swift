package import MetricModel

/// A piece of markup. Text goes in escaped; only ``Markup/literal(_:)``, which takes text fixed when the program was
/// compiled, goes in as it is. So nothing that was pushed or scraped can become part of a page.
package struct Markup: Sendable {
    /// UTF-8.
    package private(set) var bytes: [UInt8]

    /// Nothing.
    package init() { bytes = [] }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Markup that stands in the source code.
    package static func literal(_ text: StaticString) -> Markup {
        Markup(bytes: text.withUTF8Buffer { Array($0) })
    }

    /// Text, escaped for content and for attributes in double quotes.
    package static func text(_ text: String) -> Markup { escaped(text.utf8) }

    /// Text, escaped; bytes that are not UTF-8 become U+FFFD.
    package static func text(_ text: ByteString) -> Markup { escaped(text.string.utf8) }

    private static func escaped(_ text: some Sequence<UInt8>) -> Markup {
        var bytes: [UInt8] = []
        for byte in text {
            switch byte {
            case UInt8(ascii: "&"): bytes.append(contentsOf: "&amp;".utf8)
            case UInt8(ascii: "<"): bytes.append(contentsOf: "&lt;".utf8)
            case UInt8(ascii: ">"): bytes.append(contentsOf: "&gt;".utf8)
            case UInt8(ascii: "\""): bytes.append(contentsOf: "&quot;".utf8)
            case UInt8(ascii: "'"): bytes.append(contentsOf: "&#39;".utf8)
            case 0: bytes.append(contentsOf: "\u{FFFD}".utf8)
            default: bytes.append(byte)
            }
        }
        return Markup(bytes: bytes)
    }

    /// Appends a piece.
    package static func += (left: inout Markup, right: Markup) { left.bytes.append(contentsOf: right.bytes) }

    /// Two pieces in a row.
    package static func + (left: Markup, right: Markup) -> Markup { Markup(bytes: left.bytes + right.bytes) }

    /// Several pieces in a row.
    package static func join(_ pieces: some Sequence<Markup>) -> Markup {
        var result = Markup()
        for piece in pieces { result += piece }
        return result
    }
}

/// Markup written as a literal with values in it: the literal parts stand in the source code, the values are escaped
/// unless they are markup themselves.
extension Markup: ExpressibleByStringInterpolation {
    /// Markup that stands in the source code.
    package init(stringLiteral value: StaticString) { self = .literal(value) }

    /// Markup put together from an interpolated literal.
    package init(stringInterpolation: Interpolation) { self = stringInterpolation.markup }

    /// Collects the parts of an interpolated literal.
    package struct Interpolation: StringInterpolationProtocol {
        var markup = Markup()

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: StaticString) { markup += .literal(literal) }

        package mutating func appendInterpolation(_ value: Markup) { markup += value }

        package mutating func appendInterpolation(_ value: String) { markup += .text(value) }

        package mutating func appendInterpolation(_ value: ByteString) { markup += .text(value) }

        package mutating func appendInterpolation(_ value: Int) { markup += .text(String(value)) }
    }
}
