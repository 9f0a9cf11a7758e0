/// What a fuzzer found: something that should hold for every input and does not for this one.
package struct FuzzFinding: Error, CustomStringConvertible {
    /// What does not hold, and for what.
    package let description: String
}

/// Claims something of the input in hand.
/// - Parameter explanation: what to show if it does not hold; asked for only then.
/// - Throws: ``FuzzFinding`` if it does not hold.
package func hold(
    _ condition: @autoclosure () throws -> Bool, _ explanation: @autoclosure () -> String = "",
    file: StaticString = #fileID, line: Int = #line
) throws {
    if try !condition() { throw FuzzFinding(description: "\(file):\(line): \(explanation())") }
}
