import ByteCoding
import Exposition
import MetricModel

/// What the fuzzer of expositions in all formats does with an input.
package enum FuzzExpositionBody {
    /// The first byte chooses the parser; what it accepts has to survive being written and read again.
    package static func run(_ input: [UInt8]) throws {
        guard let choice = input.first else { return }
        let body = Array(input.dropFirst())
        switch choice % 8 {
        case 0: roundTrip(try? TextParser.parse(body, names: .legacy))
        case 1: roundTrip(try? TextParser.parse(body, names: .utf8))
        case 2: _ = try? OpenMetricsParser.parse(body, names: .utf8)
        case 3: roundTripProtobuf(try? ProtobufParser.parse(body))
        case 4: read(body, .text)
        case 5: read(body, .openMetrics)
        case 6: readProtobuf(body)
        default:
            let text = String(decoding: body, as: UTF8.self)
            _ = Negotiation.format(accept: text, includesOpenMetrics: true)
            _ = Negotiation.contentCoding(acceptEncoding: [text])
            _ = Negotiation.pushFormat(contentType: text, acceptsOpenMetrics: true)
            for scheme in NameEscaping.allCases { _ = scheme.unescape(scheme.escape(ByteString(body))) }
            if let number = FloatText.parse(body, .go), !number.isNaN {
                try hold(FloatText.parse(FloatText.string(number, .general)) == number)
            }
        }
    }

    private static func roundTrip(_ families: [MetricFamily]?) {
        guard let families else { return }
        var output: [UInt8] = []
        for family in families { TextEncoder.append(family, escaping: .allowUTF8, to: &output) }
        var again: [UInt8] = []
        guard let second = try? TextParser.parse(output, names: .utf8) else { return }
        for family in second { TextEncoder.append(family, escaping: .allowUTF8, to: &again) }
    }

    private static func roundTripProtobuf(_ families: [MetricFamily]?) {
        guard let families else { return }
        var output: [UInt8] = []
        for family in families {
            ProtobufEncoder.append(family, to: &output)
            ProtobufTextEncoder.append(family, isCompact: true, to: &output)
            TextEncoder.append(family, to: &output)
            OpenMetricsEncoder.append(family, withCreated: true, to: &output)
        }
    }

    private static func read(_ body: [UInt8], _ dialect: ExpositionReader.Dialect) {
        body.withUnsafeBufferPointer { bytes in
            var reader = ExpositionReader(bytes, dialect)
            while let entry = try? reader.next() {
                if entry == .series { _ = (reader.labels, reader.exemplar) } else { _ = reader.metadataText }
            }
        }
    }

    private static func readProtobuf(_ body: [UInt8]) {
        var options = ProtobufReader.Options()
        options.keepsClassicHistograms = body.count & 1 == 0
        options.convertsClassicHistograms = body.count & 2 == 0
        body.withUnsafeBytes { bytes in
            var reader = ProtobufReader(bytes, options: options)
            while let entry = try? reader.next() {
                if entry == .series || entry == .histogram { _ = (reader.labels, reader.exemplars) }
            }
        }
    }
}
