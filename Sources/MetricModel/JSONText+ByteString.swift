package import ByteCoding

extension JSONText {
    /// Appends `text` in quotes, as ``append(_:shortControls:to:)`` does.
    package static func append(_ text: ByteString, shortControls: Bool = false, to json: inout [UInt8]) {
        append(text.bytes[...], shortControls: shortControls, to: &json)
    }
}
