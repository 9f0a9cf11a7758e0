internal import MetricModel
internal import Scrape

/// Names of OTLP made names of Prometheus.
///
/// Source of the rules: prometheus/otlptranslator (metric_namer.go, label_namer.go, unit_namer.go).
struct OTLPNames {
    /// What kind of metric is named.
    enum Kind {
        case gauge, counter, other
    }

    let settings: OTLPConfiguration

    private static let units: [String: String] = [
        "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds",
        "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes",
        "TiBy": "tibibytes", "KBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes",
        "m": "meters", "V": "volts", "A": "amperes", "J": "joules", "W": "watts", "g": "grams", "Cel": "celsius",
        "Hz": "hertz", "1": "", "%": "percent",
    ]
    private static let perUnits: [String: String] = [
        "s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year",
    ]

    // MARK: Metrics

    /// The name of a metric.
    /// - Throws: Where nothing is left of it.
    func metric(_ name: ByteString, unit: ByteString, _ kind: Kind) throws(OTLPFault) -> ByteString {
        guard settings.escapes else { return ByteString(suffixed(name.string, unit.string, kind)) }
        let result =
            settings.addsSuffixes ? normalized(name.string, unit.string, kind) : Self.joined(name.string, keeps: "_")
        if result.isEmpty {
            throw OTLPFault(message: "normalization for metric \(Quoting.quote(name)) resulted in empty name")
        }
        let bytes = ByteString(result)
        if bytes != name, result.allSatisfy({ $0 == "_" }) {
            throw OTLPFault(
                message: "normalization for metric \(Quoting.quote(name)) resulted in invalid name "
                    + Quoting.quote(bytes))
        }
        return bytes
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == ":")
    }

    private static func tokens(_ text: String, keeps extra: Unicode.Scalar? = nil) -> [String] {
        text.unicodeScalars.split { !isPlain($0) && $0 != extra }.map { String(String.UnicodeScalarView($0)) }
    }

    private static func joined(_ name: String, keeps extra: Unicode.Scalar) -> String {
        prefixed(tokens(name, keeps: extra).joined(separator: "_"))
    }

    /// A name must not begin with a digit.
    private static func prefixed(_ name: String) -> String {
        guard let first = name.unicodeScalars.first, ("0"..."9").contains(first) else { return name }
        return "_" + name
    }

    private func normalized(_ name: String, _ unit: String, _ kind: Kind) -> String {
        var tokens = Self.tokens(name)
        let (main, per) = Self.suffixes(unit)
        Self.add(Self.cleaned(main), Self.cleaned(per), to: &tokens)
        if kind == .counter { tokens = tokens.filter { $0 != "total" } + ["total"] }
        if unit == "1", kind == .gauge { tokens = tokens.filter { $0 != "ratio" } + ["ratio"] }
        return Self.prefixed(tokens.joined(separator: "_"))
    }

    private static func add(_ main: String, _ per: String, to tokens: inout [String]) {
        var main = tokens.contains(main) ? "" : main
        var per = per == "per_" ? "" : per
        if per.hasSuffix("_") { per.removeLast() }
        if tokens.contains(per) { per = "" }
        if !per.isEmpty, main.hasSuffix("_") { main.removeLast() }
        if !main.isEmpty { tokens.append(main) }
        if !per.isEmpty { tokens.append(per) }
    }

    /// The name with its unit and kind behind it, nothing escaped.
    private func suffixed(_ name: String, _ unit: String, _ kind: Kind) -> String {
        guard settings.addsSuffixes else { return name }
        var name = name
        var tail = ""
        func move(_ suffix: String) {
            if name.hasSuffix(suffix), name.utf8.count > suffix.utf8.count + 1 {
                name = String(name.dropLast(suffix.count + 1))
            }
            tail = "_\(suffix)" + tail
        }
        if unit == "1", kind == .gauge { move("ratio") }
        if kind == .counter { move("total") }
        let (main, per) = Self.suffixes(unit)
        if !per.isEmpty { move(per) }
        if !main.isEmpty, !name.hasSuffix(main) { name += "_" + main }
        return name + tail
    }

    // MARK: Units

    private static func suffixes(_ unit: String) -> (main: String, per: String) {
        let parts = unit.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(trimmed)
        func known(_ part: String, _ names: [String: String]) -> String {
            part.isEmpty || part.contains("{") || part.contains("}") ? "" : names[part] ?? part
        }
        let per = parts.count > 1 ? known(parts[1], perUnits) : ""
        return (known(parts.first ?? "", units), per.isEmpty ? "" : "per_" + per)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }

    /// Whatever does not belong into a name becomes an underscore, several in a row one, none at the beginning.
    private static func cleaned(_ unit: String) -> String {
        var result = ""
        for scalar in unit.unicodeScalars {
            if isPlain(scalar) {
                result.unicodeScalars.append(scalar)
            } else if !result.hasSuffix("_") {
                result += "_"
            }
        }
        return result.hasPrefix("_") ? String(result.dropFirst()) : result
    }

    /// The unit as metadata has it.
    static func unit(_ unit: ByteString) -> ByteString {
        let (main, per) = suffixes(unit.string)
        var result = [cleaned(main), cleaned(per)].filter { !$0.isEmpty }.joined(separator: "_")
        if result.hasPrefix("_") { result.removeFirst() }
        if result.hasSuffix("_") { result.removeLast() }
        return ByteString(result)
    }

    // MARK: Labels

    /// The name of a label.
    /// - Throws: Where nothing is left of it.
    func label(_ name: ByteString) throws(OTLPFault) -> ByteString {
        if name.isEmpty { throw OTLPFault(message: "label name is empty") }
        let isBlank = { (text: ByteString) in text.bytes.allSatisfy { $0 == UInt8(ascii: "_") } }
        guard settings.escapes else {
            if isBlank(name) {
                throw OTLPFault(message: "label name \(Quoting.quote(name)) contains only underscores")
            }
            return name
        }
        var result = escaped(name)
        if let first = result.bytes.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) {
            result = ByteString("key_".utf8 + result.bytes)
        } else if settings.sanitizesUnderscores, result.hasPrefix("_"), !result.hasPrefix("__") {
            result = ByteString("key".utf8 + result.bytes)
        }
        if isBlank(result) {
            throw OTLPFault(
                message: "normalization for label name \(Quoting.quote(name)) resulted in invalid name "
                    + Quoting.quote(result))
        }
        return result
    }

    private func escaped(_ name: ByteString) -> ByteString {
        let underscore = UInt8(ascii: "_")
        let isReserved =
            !settings.preservesUnderscores && name.count > 4 && name.hasPrefix("__") && name.hasSuffix("__")
        let inner = isReserved ? ByteString(name.bytes.dropFirst(2).dropLast(2)) : name
        var result: [UInt8] = []
        var wasUnderscore = false
        for scalar in inner.string.unicodeScalars {
            if scalar.isASCII, Self.isPlain(scalar), scalar != ":" {
                result.append(UInt8(truncatingIfNeeded: scalar.value))
                wasUnderscore = false
            } else if settings.preservesUnderscores || !wasUnderscore {
                result.append(underscore)
                wasUnderscore = true
            }
        }
        return ByteString(isReserved ? [underscore, underscore] + result + [underscore, underscore] : result)
    }
}
