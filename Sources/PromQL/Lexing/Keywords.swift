/// The words that mean something where an expression is expected.
package enum Keywords {
    private static let kinds: [String: TokenKind] = {
        var kinds: [String: TokenKind] = ["inf": .number, "nan": .number]
        for operation in [BinaryOperator.and, .or, .unless, .atan2] { kinds[operation.rawValue] = .binary(operation) }
        for operation in AggregateOperator.allCases { kinds[operation.rawValue] = .aggregate(operation) }
        for keyword in Keyword.allCases { kinds[keyword.rawValue] = .keyword(keyword) }
        for word in Preprocessor.allCases { kinds[word.rawValue] = .preprocessor(word) }
        return kinds
    }()

    private static let longest = kinds.keys.reduce(0) { max($0, $1.utf8.count) }

    /// What `word` means, in any mixture of cases; nil for ordinary names.
    static func kind(of word: ArraySlice<UInt8>) -> TokenKind? {
        word.count <= longest ? kinds[Lexer.lowercased(word)] : nil
    }
}
