import Foundation
import Testing

/// Files beside the tests.
enum Fixture {
    /// The lines of a file in `Fixtures`, without empty ones.
    static func lines(_ name: String) throws -> [String] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
        let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        return text.split(separator: "\n").map(String.init)
    }

    /// A column with `\n`, `\t`, `\r`, `\0` and `\\` resolved.
    static func unescaped(_ column: Substring) -> String {
        var result = ""
        var isEscaped = false
        for scalar in column.unicodeScalars {
            if isEscaped {
                switch scalar {
                case "n": result += "\n"
                case "t": result += "\t"
                case "r": result += "\r"
                case "0": result += "\0"
                default: result.unicodeScalars.append(scalar)
                }
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
