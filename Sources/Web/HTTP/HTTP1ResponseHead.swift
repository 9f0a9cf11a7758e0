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
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(days[date.weekday]), \(two(date.day)) \(months[date.month - 1]) \(date.year) "
            + "\(two(date.hour)):\(two(date.minute)):\(two(date.second)) GMT"
    }
}

/// A moment in UTC by the Gregorian calendar.
package struct CivilTime: Sendable {
    package var year: Int
    package var month: Int
    package var day: Int
    package var hour: Int
    package var minute: Int
    package var second: Int
    /// 0 is Sunday.
    package var weekday: Int

    /// The moment `second` seconds after 1970 began; leap seconds do not count.
    package init(second: Int64) {
        // Clamped to the years 0 to 9999, so that nothing below can overflow.
        let clamped = min(max(second, -62_167_219_200), 253_402_300_799)
        var days = Int(clamped / 86_400)
        var rest = Int(clamped % 86_400)
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        hour = rest / 3600
        minute = rest / 60 % 60
        self.second = rest % 60
        weekday = ((days + 4) % 7 + 7) % 7
        // The days of each 400-year era, counted from March, so that the leap day ends the year.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// `2006-01-02T15:04:05` and, unless it is 0, a fraction of `nanosecond` without trailing zeros, and `Z`: RFC 3339 as
    /// Go marshals times to JSON.
    package static func rfc3339(second: Int64, nanosecond: Int) -> String {
        var text = CivilTime(second: second).dateAndTime
        if nanosecond > 0 {
            var digits = String(nanosecond)
            digits = String(repeating: "0", count: max(0, 9 - digits.count)) + digits
            while digits.hasSuffix("0") { digits.removeLast() }
            text += "." + digits
        }
        return text + "Z"
    }

    /// `2006-01-02T15:04:05`.
    package var dateAndTime: String {
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
            + "T\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
    }
}
