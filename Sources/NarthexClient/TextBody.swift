internal import ByteCoding

/// Writes metrics in the text format 0.0.4.
struct TextBody {
    private(set) var bytes: [UInt8] = []

    mutating func family(_ name: String, help: String?, type: String) {
        if let help {
            let escaped = Self.escape(help, quotes: false)
            bytes.append(contentsOf: "# HELP \(name) \(escaped)\n".utf8)
        }
        bytes.append(contentsOf: "# TYPE \(name) \(type)\n".utf8)
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        bytes.append(contentsOf: name.utf8)
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.0)=\"\(Self.escape($0.1, quotes: true))\"" }
            bytes.append(contentsOf: "{\(pairs.joined(separator: ","))}".utf8)
        }
        bytes.append(UInt8(ascii: " "))
        FloatText.append(value, .general, to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
