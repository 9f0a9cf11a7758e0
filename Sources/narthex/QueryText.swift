import ByteCoding

/// The query of a URL, or a form's body.
enum QueryText {
    /// `a=1&b=x%20y`.
    static func encode(_ pairs: [(String, String)]) -> String {
        pairs.map { "\(PercentCoding.encode($0.0.utf8))=\(PercentCoding.encode($0.1.utf8))" }.joined(separator: "&")
    }
}
