/// Escapes in scraped texts; unknown ones stay as they are.
enum ExpositionEscapes {
    static func removed(_ piece: UnsafeBufferPointer<UInt8>, quotes: Bool) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(piece.count)
        var index = 0
        while index < piece.count {
            let byte = piece[index]
            index &+= 1
            guard byte == UInt8(ascii: "\\"), index < piece.count else {
                output.append(byte)
                continue
            }
            switch piece[index] {
            case UInt8(ascii: "n"): output.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "\\"): output.append(byte)
            case UInt8(ascii: "\"") where quotes: output.append(UInt8(ascii: "\""))
            default:
                output.append(byte)
                continue
            }
            index &+= 1
        }
        return output
    }
}
