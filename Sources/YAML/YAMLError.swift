/// What is wrong with a YAML document, in the words of go-yaml, which users of Prometheus know.
package enum YAMLError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The text is not YAML.
    case syntax(String)
    /// Values do not fit the fields they stand for; each names its line.
    case type([String])
    /// A rule of the file's own grammar is broken; `line` is 0 where it concerns no single place.
    case invalid(String, line: Int)

    package var description: String {
        switch self {
        case .syntax(let message): "yaml: " + message
        case .type(let messages): "yaml: unmarshal errors:\n  " + messages.joined(separator: "\n  ")
        case .invalid(let message, let line): line > 0 ? "\(message) (line \(line))" : message
        }
    }
}
