internal import ByteCoding
internal import Compression
internal import MetricModel
internal import Scrape
internal import TSDB

/// The OTLP receiver.
///
/// Source: prometheus/prometheus storage/remote/write_otlp_handler.go, storage/remote/codec.go.
extension ServerAPI {
    func otlp(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        guard settings.enablesOTLP else {
            return .plainError(404, "otlp write receiver needs to be enabled with --web.enable-otlp-receiver")
        }
        var message: OTLPMessage
        do throws(OTLPFault) {
            message = try otlpMessage(request)
        } catch {
            return .plainError(400, error.message)
        }
        if settings.convertsOTLPDeltas { deltas.accumulate(&message, now: process.now()) }
        let appender = try database().appender()
        let options = OTLPTranslation.Options(
            allowsDeltas: settings.storesOTLPDeltas, addsTypeAndUnitLabels: settings.addsTypeAndUnitLabels,
            addsStartZeros: settings.addsStartZeros,
            lookbackDelta: settings.lookbackDelta, latest: process.now() &+ 600_000)
        var translation = OTLPTranslation(appender, process.otlp(), options)
        translation.append(message)
        counters.note(translation)
        guard translation.failure.messages.isEmpty else {
            appender.rollback()
            let text = translation.failure.messages.joined(separator: "\n")
            return .plainError(translation.failure.isClientsFault ? 400 : 500, text)
        }
        do throws(StoreError) {
            _ = try appender.commit(settings.durability)
        } catch {
            return .plainError(Self.status(of: error), error.description)
        }
        return ServerResponse(200)
    }

    private func otlpMessage(_ request: ServerRequest) throws(OTLPFault) -> OTLPMessage {
        let (json, protobuf) = ("application/json", "application/x-protobuf")
        let type = request.fields["content-type"] ?? ""
        guard type == json || type == protobuf else {
            throw OTLPFault(message: "unsupported content type: \(type), supported: [\(json), \(protobuf)]")
        }
        var body = request.body
        let coding = request.fields["content-encoding"] ?? ""
        switch coding {
        case "": break
        case "gzip": body = try unzipped(body)
        default:
            throw OTLPFault(
                message: "unsupported compression: \(coding). Only \"gzip\" or no compression supported")
        }
        if type == json { return try OTLPJSON.read(body) }
        let read = body.withUnsafeBytes { bytes -> Result<OTLPMessage, WireReader.Fault> in
            do throws(WireReader.Fault) {
                return .success(try OTLPProtobuf.read(bytes))
            } catch {
                return .failure(error)
            }
        }
        do throws(WireReader.Fault) {
            return try read.get()
        } catch {
            throw OTLPFault(message: error.description)
        }
    }

    private func unzipped(_ body: [UInt8]) throws(OTLPFault) -> [UInt8] {
        var output: [UInt8] = []
        let reader = GzipReader()
        let limits = DecompressionLimits(maximumBytes: settings.remoteWriteLimit)
        var failure: CompressionError?
        body.withUnsafeBytes { bytes in
            do throws(CompressionError) {
                try reader.unpack(bytes, limits: limits, into: &output)
                try reader.finish()
            } catch {
                failure = error
            }
        }
        if let failure { throw OTLPFault(message: failure.description) }
        return output
    }
}
