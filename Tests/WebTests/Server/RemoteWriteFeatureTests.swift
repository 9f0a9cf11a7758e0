import MetricModel
import TSDB
import Testing
import Web

/// What feature flags make of remote write 2.0.
@Suite struct RemoteWriteFeatureTests {
    /// Symbols 0 to 7: nothing, `__name__`, `c_seconds_total`, `job`, `a`, `Help.`, `seconds`, `__type__`.
    private static let symbols = ["", "__name__", "c_seconds_total", "job", "a", "Help.", "seconds", "__type__"]

    /// One sample at 100 s that counts since 40 s; metadata of a counter.
    private static func message(help: UInt64 = 5, references: [UInt8] = [1, 2, 3, 4]) -> [UInt8] {
        let sample = [0x09] + word(2) + number(2, 100_000) + number(3, 40_000)
        let metadata = number(1, 1) + number(3, help) + number(4, 6)
        let series = field(1, references) + field(2, sample) + field(5, metadata)
        return symbols.flatMap { field(4, Array($0.utf8)) } + field(5, series)
    }

    private static func post(_ body: [UInt8], to receiver: Receiver) -> (status: Int, text: String) {
        // Snappy: the length, and the bytes as they are.
        let packed =
            varint(UInt64(body.count)) + [61 << 2, UInt8((body.count - 1) & 0xFF), UInt8((body.count - 1) >> 8)]
        return receiver.post(
            packed + body, type: "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            to: "/api/v1/write", encoding: "snappy")
    }

    private static func receiver(_ change: (inout ServerAPI.Settings) -> Void) throws -> Receiver {
        try Receiver { settings, _ in
            settings.enablesRemoteWrite = true
            change(&settings)
        }
    }

    @Test func `without them samples are stored as they come`() throws {
        let receiver = try Self.receiver { _ in }
        #expect(Self.post(Self.message(), to: receiver).status == 204)
        #expect(try receiver.samples() == [#"{__name__="c_seconds_total", job="a"}"#: "100000=2.0"])
    }

    @Test func `a start becomes a zero`() throws {
        let receiver = try Self.receiver { $0.addsStartZeros = true }
        #expect(Self.post(Self.message(), to: receiver).status == 204)
        #expect(try receiver.samples() == [#"{__name__="c_seconds_total", job="a"}"#: "40000=0.0 100000=2.0"])
        // The same start again is nothing new.
        #expect(Self.post(Self.message(), to: receiver).status == 204)
    }

    @Test func `type and unit become labels, in the place of those that were sent`() throws {
        let receiver = try Self.receiver { $0.addsTypeAndUnitLabels = true }
        #expect(Self.post(Self.message(references: [1, 2, 7, 4, 3, 4]), to: receiver).status == 204)
        #expect(
            try receiver.samples() == [
                #"{__name__="c_seconds_total", __type__="counter", __unit__="seconds", job="a"}"#: "100000=2.0"
            ])
    }

    @Test func `metadata that refers to no symbol is refused with upstream's words`() throws {
        for isPlain in [true, false] {
            let receiver = try Self.receiver { $0.storesMetadata = !isPlain }
            let answer = Self.post(Self.message(help: 9), to: receiver)
            #expect(answer.status == 400)
            #expect(
                answer.text
                    == "parsing metadata for series [1 2 3 4]: metadata help_ref 9 outside of symbols table (size 8)\n")
            #expect(try receiver.samples().isEmpty)
        }
    }

    // MARK: Wire format

    private static func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    private static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] { varint(field << 3) + varint(value) }

    private static func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(content.count)) + content
    }

    private static func word(_ value: Double) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
}
