/// What an expression evaluates to.
package enum ValueType: String, Sendable, Hashable {
    case scalar
    case string
    /// An instant vector.
    case vector
    /// A range vector.
    case matrix

    /// The words that the documentation and error messages use.
    package var documentedName: String {
        switch self {
        case .vector: "instant vector"
        case .matrix: "range vector"
        case .scalar, .string: rawValue
        }
    }
}
