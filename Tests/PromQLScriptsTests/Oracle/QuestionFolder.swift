import Foundation
import MetricModel
import PromQL

/// Questions that another program has written: the files of the folder that `NARTHEX_QUESTIONS` names.
enum QuestionFolder {
    private static let folder = ProcessInfo.processInfo.environment["NARTHEX_QUESTIONS"]
        .map { URL(fileURLWithPath: $0) }

    /// The names of the files with an ending, without it.
    static func names(_ ending: String) -> [String] {
        guard let folder else { return [] }
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix("." + ending) }.map { String($0.dropLast(ending.count + 1)) }.sorted()
    }

    static func text(_ name: String, _ ending: String) throws -> String {
        guard let folder else { return "" }
        return String(
            decoding: try Data(contentsOf: folder.appendingPathComponent("\(name).\(ending)")), as: UTF8.self)
    }

    static func lines(_ name: String, _ ending: String) throws -> [Substring] {
        try text(name, ending).split(separator: "\n")
    }

    /// The text that a literal in double quotes stands for; nil if it is none.
    static func unquoted(_ literal: String) -> ByteString? {
        guard case .string(let string) = try? Parser(options: .everything).parseExpression(ByteString(literal)) else {
            return nil
        }
        return string.value
    }
}
