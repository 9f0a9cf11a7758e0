internal import Compression
internal import Exposition
internal import Gateway
internal import MetricModel
internal import NIOCore

/// The body of a push: unpacks it, tells its format, and parses it.
struct PushBody: Sendable {
    /// Why a body cannot be read.
    struct Refused: Error, Sendable {
        let status: HTTPStatus
        let reason: String
    }

    /// Bodies beyond this size are read on a thread of their own: the event loop has other connections.
    private static let inlineLimit = 64 << 10

    let request: HTTPRequest
    let coding: BodyCoding?

    /// Whether it may be read on an event loop.
    var isSmall: Bool { coding == nil && request.body.readableBytes <= Self.inlineLimit }

    /// The numbers of the body, if it is small, plain text and of a shape that is known.
    func reading(_ settings: GatewaySettings, known bodies: KnownBodies) -> KnownBodies.Reading? {
        guard isSmall, Self.format(request.head, acceptsOpenMetrics: settings.acceptsOpenMetrics) == .text else {
            return nil
        }
        return request.body.withUnsafeReadableBytes { raw in
            // SAFETY: the bytes are only read within the call.
            raw.withMemoryRebound(to: UInt8.self) { bodies.reading(of: $0) }
        }
    }

    /// The families of the body, and their shape if it was learned; `bodies` are those of this service's settings.
    /// - Throws: As ``families(_:)``.
    func families(
        _ settings: GatewaySettings, learning bodies: KnownBodies
    ) throws(Refused) -> (families: [MetricFamily], shape: PushShape?) {
        guard isSmall, Self.format(request.head, acceptsOpenMetrics: settings.acceptsOpenMetrics) == .text else {
            return (try families(settings), nil)
        }
        // The closure cannot throw a typed error, so it returns one.
        let learned: (families: [MetricFamily], shape: PushShape?)? = request.body.withUnsafeReadableBytes { raw in
            // SAFETY: the bytes are only read within the call.
            raw.withMemoryRebound(to: UInt8.self) { bytes in
                var places: [TextTemplate.Place] = []
                guard !settings.isLenient || LineEnds.repaired(bytes) == nil,
                    let families = Self.read(bytes, settings, &places)
                else { return nil }
                let shape = bodies.learn(bytes, places) { probe in
                    var places: [TextTemplate.Place] = []
                    return Self.read(probe, settings, &places)
                }
                return (families, shape)
            }
        }
        // What cannot be read as it is may be repaired; else the error is told.
        if let learned { return learned }
        return (try families(settings), nil)
    }

    private static func read(
        _ bytes: UnsafeBufferPointer<UInt8>, _ settings: GatewaySettings, _ places: inout [TextTemplate.Place]
    ) -> [MetricFamily]? {
        let names: NameValidation = settings.allowsUTF8Names ? .utf8 : .legacy
        return try? TextParser.parse(bytes, names: names, limits: settings.limits.metrics, places: &places)
    }

    /// The families of the body.
    /// - Throws: ``Refused`` with 400, or 413 for a limit.
    func families(_ settings: GatewaySettings) throws(Refused) -> [MetricFamily] {
        guard let coding else {
            // The closure cannot throw a typed error, so it returns one.
            let result: Result<[MetricFamily], Refused> = request.body.withUnsafeReadableBytes { raw in
                // SAFETY: the parsers use the bytes during the call only.
                raw.withMemoryRebound(to: UInt8.self) { bytes in
                    do throws(Refused) {
                        return .success(try parse(bytes, settings))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            return try result.get()
        }
        let decoded: [UInt8]
        do throws(CompressionError) {
            decoded = try coding.decode(request.body, limits: settings.limits)
        } catch {
            throw Refused(status: error.isLimit ? .contentTooLarge : .badRequest, reason: error.description)
        }
        // SAFETY: the parsers use the bytes during the call only.
        return try decoded.withUnsafeBufferPointer { (bytes) throws(Refused) in try parse(bytes, settings) }
    }

    private func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, _ settings: GatewaySettings
    ) throws(Refused) -> [MetricFamily] {
        let format = Self.format(request.head, acceptsOpenMetrics: settings.acceptsOpenMetrics)
        do throws(ParseError) {
            if settings.isLenient, format != .protobufDelimited, let repaired = LineEnds.repaired(bytes) {
                // SAFETY: as above.
                return try repaired.withUnsafeBufferPointer { (bytes) throws(ParseError) in
                    try Self.parse(bytes, format, settings)
                }
            }
            return try Self.parse(bytes, format, settings)
        } catch {
            let hint = settings.isLenient ? "" : LineEnds.hint(for: error, bytes) ?? ""
            throw Refused(
                status: error.isLimit ? .contentTooLarge : .badRequest, reason: error.description + hint)
        }
    }

    private static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, _ format: Negotiation.PushFormat, _ settings: GatewaySettings
    ) throws(ParseError) -> [MetricFamily] {
        let names: NameValidation = settings.allowsUTF8Names ? .utf8 : .legacy
        switch format {
        case .text: return try TextParser.parse(bytes, names: names, limits: settings.limits.metrics)
        case .protobufDelimited:
            var families = try ProtobufParser.parse(UnsafeRawBufferPointer(bytes), limits: settings.limits.metrics)
            // Upstream takes units and never shows them.
            if !settings.acceptsOpenMetrics { for index in families.indices { families[index].unit = "" } }
            return families
        case .openMetrics:
            return try OpenMetricsParser.parse(Array(bytes), names: names, limits: settings.limits.metrics)
        }
    }

    /// The format by `Content-Type`; what nearly all clients send is told from its first bytes.
    private static func format(_ head: HTTPRequestHead, acceptsOpenMetrics: Bool) -> Negotiation.PushFormat {
        guard let range = head.range(of: "content-type") else { return .text }
        if head.bytes[range].starts(with: "text/plain".utf8) { return .text }
        return Negotiation.pushFormat(contentType: head["content-type"], acceptsOpenMetrics: acceptsOpenMetrics)
    }
}

/// What editors and shells do to the ends of lines: upstream's parser takes a line feed behind each line and nothing
/// else.
enum LineEnds {
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// `bytes` with LF for each CR LF, and with a line feed at the end; nil if that changes nothing.
    /// - Complexity: O(n).
    static func repaired(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard let last = bytes.last else { return nil }
        let hasReturns = bytes.contains(carriageReturn)
        guard hasReturns || last != lineFeed else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + 1)
        for (index, byte) in bytes.enumerated() {
            let next = index + 1
            if byte == carriageReturn, next == bytes.count || bytes[next] == lineFeed { continue }
            result.append(byte)
        }
        if result.last != lineFeed { result.append(lineFeed) }
        return result
    }

    /// What to do about an error that comes of line ends, as the end of a sentence.
    static func hint(for error: ParseError, _ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        guard case .text(_, let message) = error else { return nil }
        if zip(bytes, bytes.dropFirst()).contains(where: { $0 == carriageReturn && $1 == lineFeed }) {
            return "; lines end with CR LF, which the format does not allow: send LF alone, or start the gateway with "
                + "--push.lenient"
        }
        guard message == "unexpected end of input stream", let last = bytes.last, last != lineFeed else { return nil }
        return "; the last line has no line feed at its end: add one, or start the gateway with --push.lenient"
    }
}
