internal import MetricModel
internal import NIOCore

/// How the end of a response is marked.
enum HTTPResponseFraming: Equatable {
    case length(Int)
    case chunked
    /// HTTP/1.0 without a known length: the end of the connection.
    case untilClose
    /// No body and no length, as 204 and 304 have it.
    case none
}

/// Writes the heads of HTTP/1 responses.
enum HTTP1ResponseHead {
    /// Appends the head to `buffer`.
    ///
    /// Line ends inside of field values become blanks, so that no value can start a field of its own.
    /// - Parameter date: The value of `Date`.
    static func write(
        _ response: HTTPResponse, framing: HTTPResponseFraming, version: Int, keepsAlive: Bool, date: [UInt8],
        to buffer: inout ByteBuffer
    ) {
        buffer.writeStaticString(version == 0 ? "HTTP/1.0 " : "HTTP/1.1 ")
        writeNumber(response.status.code, to: &buffer)
        buffer.writeStaticString(" ")
        if response.status.code == 200 {
            buffer.writeStaticString("OK")
        } else {
            buffer.writeString(response.status.phrase)
        }
        buffer.writeStaticString("\r\n")
        for field in response.fields {
            buffer.writeString(field.name)
            buffer.writeStaticString(": ")
            writeValue(field.value, to: &buffer)
            buffer.writeStaticString("\r\n")
        }
        buffer.writeStaticString("Date: ")
        buffer.writeBytes(date)
        switch framing {
        case .length(let length):
            buffer.writeStaticString("\r\nContent-Length: ")
            writeNumber(length, to: &buffer)
        case .chunked: buffer.writeStaticString("\r\nTransfer-Encoding: chunked")
        case .untilClose, .none: break
        }
        if !keepsAlive {
            buffer.writeStaticString("\r\nConnection: close")
        } else if version == 0 {
            buffer.writeStaticString("\r\nConnection: keep-alive")
        }
        buffer.writeStaticString("\r\n\r\n")
    }

    private static func writeValue(_ value: String, to buffer: inout ByteBuffer) {
        if value.utf8.contains(where: { $0 == 0x0D || $0 == 0x0A }) {
            buffer.writeBytes(value.utf8.map { $0 == 0x0D || $0 == 0x0A ? 0x20 : $0 })
        } else {
            buffer.writeString(value)
        }
    }

    static func writeNumber(_ number: Int, to buffer: inout ByteBuffer) {
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        // SAFETY: 24 bytes hold the 19 digits of the largest Int; `index` stays between 0 and 24.
        withUnsafeMutableBytes(of: &digits) { raw in
            var index = raw.count
            var rest = max(number, 0)
            repeat {
                index -= 1
                raw[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: raw[index...]))
        }
    }
}

/// The value of `Date` (RFC 9110, section 5.6.7), made once a second. One for each event loop.
struct HTTPDate {
    private var second: Int64 = -1
    private var text: [UInt8] = []

    /// The text for `second`, counted from 1970.
    mutating func bytes(at second: Int64) -> [UInt8] {
        if second != self.second {
            self.second = second
            text = Array(Self.format(second).utf8)
        }
        return text
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func format(_ second: Int64) -> String {
        let date = CivilTime(second: second)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = date.day < 10 ? "0\(date.day)" : "\(date.day)"
        return "\(days[date.weekday]), \(day) \(months[date.month - 1]) \(date.year) \(date.timeText) GMT"
    }
}
