internal import ByteCoding
internal import NIOCore

/// Takes a request body out of the bytes of a connection, whatever its framing; knows no limits.
///
/// Source: RFC 9112, section 7.1; as strict about line ends as Go's net/http/internal (`chunkedReader`).
struct HTTP1BodyReader {
    private enum Place {
        case length(Int)
        case chunkSize(digits: Int, size: Int)
        case chunkExtension(size: Int, seen: Int)
        case chunkSizeFeed(size: Int)
        case chunk(Int)
        case chunkReturn
        case chunkFeed
        case trailer(lineLength: Int, total: Int)
        case end
    }

    /// The largest chunk extension and the largest trailer: neither is used for anything.
    private static let sidelineLimit = 4096
    private var place: Place

    init(_ framing: HTTPBodyFraming) {
        switch framing {
        case .none: place = .end
        case .length(let length): place = length > 0 ? .length(length) : .end
        case .chunked: place = .chunkSize(digits: 0, size: 0)
        }
    }

    /// Whether the whole body was read.
    var isComplete: Bool {
        if case .end = place { return true }
        return false
    }

    /// The bytes still to come, if that is known.
    var remaining: Int? {
        switch place {
        case .length(let length): length
        case .end: 0
        default: nil
        }
    }

    /// The next bytes of the body, or nil if all of `input` is used up or the body is complete.
    /// - Throws: ``HTTPRequestFault/malformed(_:)``.
    mutating func next(_ input: inout ByteBuffer) throws(HTTPRequestFault) -> ByteBuffer? {
        while input.readableBytes > 0 {
            switch place {
            case .end: return nil
            case .length(let length):
                let piece = input.readSlice(length: min(length, input.readableBytes))
                let rest = length - (piece?.readableBytes ?? 0)
                place = rest > 0 ? .length(rest) : .end
                return piece
            case .chunk(let size):
                let piece = input.readSlice(length: min(size, input.readableBytes))
                let rest = size - (piece?.readableBytes ?? 0)
                place = rest > 0 ? .chunk(rest) : .chunkReturn
                return piece
            default:
                guard let byte = input.readInteger(as: UInt8.self) else { return nil }
                try step(byte)
            }
        }
        return nil
    }

    private mutating func step(_ byte: UInt8) throws(HTTPRequestFault) {
        let feed = UInt8(ascii: "\n")
        let carriageReturn = UInt8(ascii: "\r")
        switch place {
        case .chunkSize(let digits, let size):
            if let digit = PercentCoding.digit(byte) {
                guard digits < 15 else { throw .malformed("http chunk length too large") }
                place = .chunkSize(digits: digits + 1, size: size << 4 | Int(digit))
            } else if digits == 0 {
                throw .malformed("invalid byte in chunk length")
            } else if byte == carriageReturn {
                place = .chunkSizeFeed(size: size)
            } else if byte == UInt8(ascii: ";") || byte == 0x20 || byte == 0x09 {
                place = .chunkExtension(size: size, seen: 0)
            } else {
                throw .malformed("invalid byte in chunk length")
            }
        case .chunkExtension(let size, let seen):
            if byte == carriageReturn {
                place = .chunkSizeFeed(size: size)
            } else {
                guard seen < Self.sidelineLimit, byte != feed else { throw .malformed("malformed chunked encoding") }
                place = .chunkExtension(size: size, seen: seen + 1)
            }
        case .chunkSizeFeed(let size):
            guard byte == feed else { throw .malformed("malformed chunked encoding") }
            place = size > 0 ? .chunk(size) : .trailer(lineLength: 0, total: 0)
        case .chunkReturn:
            guard byte == carriageReturn else { throw .malformed("malformed chunked encoding") }
            place = .chunkFeed
        case .chunkFeed:
            guard byte == feed else { throw .malformed("malformed chunked encoding") }
            place = .chunkSize(digits: 0, size: 0)
        case .trailer(let lineLength, let total):
            guard total < Self.sidelineLimit else {
                throw .malformed("http: suspiciously long trailer after chunked body")
            }
            if byte == feed {
                place = lineLength == 0 ? .end : .trailer(lineLength: 0, total: total + 1)
            } else {
                let length = byte == carriageReturn ? lineLength : lineLength + 1
                place = .trailer(lineLength: length, total: total + 1)
            }
        case .length, .chunk, .end: break
        }
    }
}
