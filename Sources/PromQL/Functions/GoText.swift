internal import ByteCoding

/// Numbers in messages.
enum GoText {
    /// As `%v` and `%g` print them.
    static func general(_ value: Double) -> String { FloatText.string(value, .general) }
}
