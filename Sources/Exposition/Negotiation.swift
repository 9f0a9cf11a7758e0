internal import ByteCoding

/// What a client accepts, and what it sends: the headers that choose formats.
package enum Negotiation {
    /// The format to answer in.
    ///
    /// Source: prometheus/common expfmt/encode.go (`Negotiate`, `NegotiateIncludingOpenMetrics`); its parser of
    /// `Accept`, github.com/munnerz/goautoneg, whose order of equal entries is kept.
    /// - Parameters:
    ///   - accept: The first `Accept` header, or nil.
    ///   - includesOpenMetrics: Whether OpenMetrics may be the answer.
    /// - Complexity: O(bytes), for at most 64 entries.
    package static func format(accept: String?, includesOpenMetrics: Bool = false) -> ExpositionFormat {
        var escaping = NameEscaping.standard
        for entry in AcceptEntry.parse(accept ?? "") {
            if let name = entry.parameters["escaping"], let known = NameEscaping(rawValue: String(name)) {
                escaping = known
            }
            let version = entry.parameters["version"] ?? ""
            switch entry.type + "/" + entry.subtype {
            case "application/vnd.google.protobuf":
                guard entry.parameters["proto"] == "io.prometheus.client.MetricFamily" else { continue }
                switch entry.parameters["encoding"] {
                case "delimited": return ExpositionFormat(.protobufDelimited, escaping: escaping)
                case "text": return ExpositionFormat(.protobufText, escaping: escaping)
                case "compact-text": return ExpositionFormat(.protobufCompactText, escaping: escaping)
                default: continue
                }
            case "text/plain" where version == "0.0.4" || version == "":
                return ExpositionFormat(.text, escaping: escaping)
            case "application/openmetrics-text" where includesOpenMetrics:
                if version == "1.0.0" { return ExpositionFormat(.openMetrics100, escaping: escaping) }
                if version == "0.0.1" || version == "" {
                    return ExpositionFormat(.openMetrics001, escaping: escaping)
                }
            default: continue
            }
        }
        return ExpositionFormat(.text, escaping: escaping)
    }

    /// How the body of an answer is compressed.
    package enum ContentCoding: String, Sendable, Hashable {
        case identity
        case gzip
        case zstd
    }

    /// The coding to answer in; the first of `offers` wins among equals.
    ///
    /// Source: prometheus/client_golang internal/github.com/golang/gddo/httputil (`NegotiateContentEncoding`).
    /// - Parameter acceptEncoding: All `Accept-Encoding` headers.
    package static func contentCoding(
        acceptEncoding: [String], offers: [ContentCoding] = [.identity, .gzip]
    ) -> ContentCoding {
        let entries = acceptEncoding.flatMap { CodingEntry.parse(Array($0.utf8)) }
        var best = ContentCoding.identity
        var bestQuality = -1.0
        for offer in offers {
            for entry in entries
            where entry.quality > bestQuality && (entry.value == "*" || entry.value == offer.rawValue) {
                bestQuality = entry.quality
                best = offer
            }
        }
        return bestQuality == 0 ? .identity : best
    }

    /// The format of a pushed body.
    package enum PushFormat: Sendable, Hashable {
        case text
        case protobufDelimited
        case openMetrics
    }

    /// The format that a `Content-Type` names; whatever is not understood is text, as in Pushgateway.
    ///
    /// Source: prometheus/pushgateway handler/push.go.
    package static func pushFormat(contentType: String?, acceptsOpenMetrics: Bool = false) -> PushFormat {
        guard let media = contentType.flatMap({ MediaType($0) }) else { return .text }
        if media.type == "application/vnd.google.protobuf", media.parameters["encoding"] == "delimited",
            media.parameters["proto"] == "io.prometheus.client.MetricFamily"
        {
            return .protobufDelimited
        }
        if acceptsOpenMetrics, media.type == "application/openmetrics-text" { return .openMetrics }
        return .text
    }
}

/// One entry of an `Accept` header.
private struct AcceptEntry {
    var type: Substring
    var subtype: Substring = ""
    var quality = 1.0
    var parameters: [Substring: Substring] = [:]

    /// More entries than this say nothing more.
    private static let maximumEntries = 64

    static func parse(_ header: String) -> [AcceptEntry] {
        var entries: [AcceptEntry] = []
        for part in header.split(separator: ",", maxSplits: maximumEntries, omittingEmptySubsequences: false)
            .prefix(maximumEntries)
        {
            guard let entry = AcceptEntry(part) else { continue }
            // Insertion, with upstream's comparison, which is no proper order.
            entries.append(entry)
            var index = entries.count - 1
            while index > 0, entries[index].precedes(entries[index - 1]) {
                entries.swapAt(index, index - 1)
                index -= 1
            }
        }
        return entries
    }

    private init?(_ part: Substring) {
        let pieces = part.split(separator: ";", omittingEmptySubsequences: false)
        let media = (pieces.first ?? "").split(separator: "/", omittingEmptySubsequences: false)
        type = trimmed(media.first ?? "")
        switch media.count {
        case 2 where !media[1].isEmpty: subtype = trimmed(media[1])
        case 1, 2:
            guard type == "*" else { return nil }
            subtype = "*"
        default: return nil
        }
        for piece in pieces.dropFirst() {
            let sides = piece.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[1].isEmpty else { continue }
            let name = trimmed(sides[0])
            if name == "q" {
                quality = FloatText.parse(String(sides[1]), .go) ?? 0
            } else {
                parameters[name] = trimmed(sides[1])
            }
        }
    }

    private func precedes(_ other: AcceptEntry) -> Bool {
        if quality > other.quality { return true }
        if type != "*" && other.type == "*" { return true }
        return subtype != "*" && other.subtype == "*"
    }
}

/// One entry of an `Accept-Encoding` header.
private struct CodingEntry {
    var value: String
    var quality: Double

    static func parse(_ header: [UInt8]) -> [CodingEntry] {
        var entries: [CodingEntry] = []
        var index = 0
        func skipSpace() {
            while index < header.count, header[index] == UInt8(ascii: " ") || header[index] == UInt8(ascii: "\t") {
                index += 1
            }
        }
        while true {
            let start = index
            while index < header.count, isToken(header[index]) || header[index] == UInt8(ascii: "/") { index += 1 }
            guard index > start else { return entries }
            var entry = CodingEntry(value: String(decoding: header[start..<index], as: UTF8.self), quality: 1)
            skipSpace()
            if index < header.count, header[index] == UInt8(ascii: ";") {
                index += 1
                skipSpace()
                guard header[index...].starts(with: "q=".utf8) else { return entries }
                index += 2
                guard let quality = parseQuality(header, &index) else { return entries }
                entry.quality = quality
            }
            entries.append(entry)
            skipSpace()
            guard index < header.count, header[index] == UInt8(ascii: ","), entries.count < 64 else { return entries }
            index += 1
            skipSpace()
        }
    }

    private static func parseQuality(_ header: [UInt8], _ index: inout Int) -> Double? {
        guard index < header.count, header[index] == UInt8(ascii: "0") || header[index] == UInt8(ascii: "1") else {
            return nil
        }
        var quality = Double(header[index] - UInt8(ascii: "0"))
        index += 1
        guard index < header.count, header[index] == UInt8(ascii: ".") else { return quality }
        index += 1
        var scale = 0.1
        while index < header.count, header[index] &- UInt8(ascii: "0") < 10 {
            quality += Double(header[index] - UInt8(ascii: "0")) * scale
            scale /= 10
            index += 1
        }
        return quality
    }

    private static func isToken(_ byte: UInt8) -> Bool { MediaType.isToken(byte) }
}

/// A `Content-Type` taken apart as Go's `mime.ParseMediaType` does.
package struct MediaType: Sendable, Hashable {
    /// In lower case.
    package var type: String
    /// Names in lower case.
    package var parameters: [String: String] = [:]

    /// Takes `text` apart.
    /// - Returns: nil where Go gives an error: a broken type or parameter, or one given twice with two values.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        var index = bytes.firstIndex(of: UInt8(ascii: ";")) ?? bytes.count
        type = String(trimmed(Substring(String(decoding: bytes[..<index], as: UTF8.self)))).lowercased()
        guard !type.isEmpty, Self.isValid(type) else { return nil }
        while index < bytes.count {
            Self.skipSpace(bytes, &index)
            guard index < bytes.count else { return }
            guard bytes[index] == UInt8(ascii: ";") else { return nil }
            index += 1
            Self.skipSpace(bytes, &index)
            if index == bytes.count { return }  // a semicolon at the end is no error
            guard let (name, value) = Self.parameter(bytes, &index) else { return nil }
            if let known = parameters[name], known != value { return nil }
            parameters[name] = value
        }
    }

    private static func isValid(_ type: String) -> Bool {
        let parts = type.split(separator: "/", omittingEmptySubsequences: false)
        return (1...2).contains(parts.count)
            && parts.allSatisfy { part in !part.isEmpty && part.utf8.allSatisfy { isToken($0) } }
    }

    private static func parameter(_ bytes: [UInt8], _ index: inout Int) -> (name: String, value: String)? {
        let start = index
        while index < bytes.count, isToken(bytes[index]) { index += 1 }
        let name = String(decoding: bytes[start..<index], as: UTF8.self).lowercased()
        guard !name.isEmpty else { return nil }
        skipSpace(bytes, &index)
        guard index < bytes.count, bytes[index] == UInt8(ascii: "=") else { return nil }
        index += 1
        skipSpace(bytes, &index)
        guard index < bytes.count else { return nil }
        if bytes[index] == UInt8(ascii: "\"") { return quoted(bytes, &index).map { (name, $0) } }
        let valueStart = index
        while index < bytes.count, isToken(bytes[index]) { index += 1 }
        guard index > valueStart else { return nil }
        return (name, String(decoding: bytes[valueStart..<index], as: UTF8.self))
    }

    private static func quoted(_ bytes: [UInt8], _ index: inout Int) -> String? {
        var value: [UInt8] = []
        index += 1
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: value, as: UTF8.self) }
            if byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") { return nil }
            if byte == UInt8(ascii: "\\"), index < bytes.count, !isToken(bytes[index]) {
                value.append(bytes[index])
                index += 1
            } else {
                value.append(byte)
            }
        }
        return nil
    }

    private static func skipSpace(_ bytes: [UInt8], _ index: inout Int) {
        while index < bytes.count, [0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D].contains(bytes[index]) { index += 1 }
    }

    static func isToken(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !"()<>@,;:\\\"/[]?=".utf8.contains(byte)
    }
}

/// Without blanks at both ends.
private func trimmed(_ text: Substring) -> Substring {
    var text = text
    while let first = text.unicodeScalars.first, first.properties.isWhitespace { text.unicodeScalars.removeFirst() }
    while let last = text.unicodeScalars.last, last.properties.isWhitespace { text.unicodeScalars.removeLast() }
    return text
}
