/// What a DNS record says.
package enum DNSRecord: Sendable, Hashable {
    /// Four or sixteen bytes.
    case address([UInt8])
    case service(target: String, port: UInt16)
    case mailExchange(String)
    case nameServer(String)
    case other
}

/// Questions and answers of the domain name system.
///
/// Source: RFC 1035, RFC 2782 (SRV), RFC 3596 (AAAA), RFC 6891 (EDNS).
package enum DNSMessage {
    /// A malformed answer, or one to another question.
    package struct Malformed: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// What a server answered.
    package struct Answer: Sendable, Hashable {
        /// Whether it did not fit into a datagram, and is to be asked for by TCP.
        package var isTruncated: Bool
        /// 0 for success, 3 where the name does not exist.
        package var code: UInt8
        /// In the order of the message.
        package var records: [DNSRecord]
    }

    /// The most answers that are read.
    private static let maximumRecords = 10_000
    /// How large an answer by UDP may be.
    static let datagramSize: UInt16 = 4096

    static func number(_ type: DNSDiscoveryConfiguration.RecordType) -> UInt16 {
        switch type {
        case .a: 1
        case .ns: 2
        case .mx: 15
        case .aaaa: 28
        case .srv: 33
        }
    }

    /// The question for records of `type` of `name`; nil if that is no domain name.
    package static func query(
        _ name: String, _ type: DNSDiscoveryConfiguration.RecordType, id: UInt16, isExtended: Bool
    )
        -> [UInt8]?
    {
        var bytes: [UInt8] = [UInt8(id >> 8), UInt8(id & 0xFF), 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, isExtended ? 1 : 0]
        let parts = name.split(separator: ".", omittingEmptySubsequences: true)
        guard !parts.isEmpty, name.utf8.count <= 253 else { return nil }
        for part in parts {
            guard let length = UInt8(exactly: part.utf8.count), length <= 63 else { return nil }
            bytes.append(length)
            bytes += Array(part.utf8)
        }
        bytes += [0, 0, UInt8(number(type)), 0, 1]
        if isExtended { bytes += [0, 0, 41, UInt8(datagramSize >> 8), UInt8(datagramSize & 0xFF), 0, 0, 0, 0, 0, 0] }
        return bytes
    }

    /// Reads the answer to the question with `id`.
    /// - Throws: `Malformed`.
    /// - Complexity: O(bytes), whatever they hold.
    package static func answer(_ bytes: [UInt8], id: UInt16) throws(Malformed) -> Answer {
        var reader = Reader(bytes: bytes)
        guard try reader.word() == id else { throw Malformed(description: "answer to another question") }
        let flags = try reader.word()
        guard flags & 0x8000 != 0 else { throw Malformed(description: "not an answer") }
        let questions = try reader.word()
        let answers = try reader.word()
        _ = try reader.word()
        _ = try reader.word()
        var result = Answer(isTruncated: flags & 0x0200 != 0, code: UInt8(flags & 0xF), records: [])
        if result.isTruncated { return result }
        for _ in 0..<questions {
            _ = try reader.name()
            _ = try reader.word()
            _ = try reader.word()
        }
        for _ in 0..<min(Int(answers), maximumRecords) { result.records.append(try record(&reader)) }
        return result
    }

    private static func record(_ reader: inout Reader) throws(Malformed) -> DNSRecord {
        _ = try reader.name()
        let type = try reader.word()
        _ = try reader.word()
        _ = try reader.word()
        _ = try reader.word()
        let length = Int(try reader.word())
        let end = reader.index + length
        guard end <= reader.bytes.count else { throw Malformed(description: "record goes beyond the message") }
        defer { reader.index = end }
        switch type {
        case 1 where length == 4, 28 where length == 16: return .address(Array(reader.bytes[reader.index..<end]))
        case 2: return .nameServer(try reader.name())
        case 15:
            _ = try reader.word()
            return .mailExchange(try reader.name())
        case 33:
            _ = try reader.word()
            _ = try reader.word()
            let port = try reader.word()
            return .service(target: try reader.name(), port: port)
        default: return .other
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func word() throws(Malformed) -> UInt16 {
            guard index + 2 <= bytes.count else { throw Malformed(description: "message too short") }
            defer { index += 2 }
            return UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
        }

        /// A name with its final dot. References must point backwards, so that reading ends.
        mutating func name() throws(Malformed) -> String {
            var text = ""
            var position = index
            var limit = index
            var hasJumped = false
            while true {
                guard position < bytes.count else { throw Malformed(description: "name goes beyond the message") }
                let length = Int(bytes[position])
                if length == 0 {
                    if !hasJumped { index = position + 1 }
                    return text.isEmpty ? "." : text
                }
                if length & 0xC0 == 0xC0 {
                    guard position + 1 < bytes.count else {
                        throw Malformed(description: "name goes beyond the message")
                    }
                    let target = (length & 0x3F) << 8 | Int(bytes[position + 1])
                    if !hasJumped { index = position + 2 }
                    hasJumped = true
                    guard target < limit else { throw Malformed(description: "name refers to itself") }
                    limit = target
                    position = target
                    continue
                }
                guard length < 64, position + 1 + length <= bytes.count, text.utf8.count + length < 256 else {
                    throw Malformed(description: "malformed name")
                }
                text += String(decoding: bytes[(position + 1)..<(position + 1 + length)], as: UTF8.self) + "."
                position += 1 + length
            }
        }
    }
}
