internal import ByteCoding
internal import Compression
internal import MetricModel
internal import PromQL
internal import Synchronization
internal import TSDB

/// The remote write receiver, versions 1 and 2.
///
/// Source: prometheus/prometheus storage/remote/write_handler.go; prometheus/client_golang exp/api/remote.
extension ServerAPI {
    /// A request that is answered in plain text, as the receiver's answers are.
    struct RemoteFault: Error {
        let status: Int
        let message: String
    }

    func remoteWrite(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        guard settings.enablesRemoteWrite else {
            return .plainError(
                404, "remote write receiver needs to be enabled with --web.enable-remote-write-receiver")
        }
        do throws(RemoteFault) {
            let encoding = request.fields["content-encoding"] ?? ""
            if !encoding.isEmpty, encoding != "snappy" {
                throw RemoteFault(
                    status: 415,
                    message: "\(encoding) encoding (compression) is not accepted by this server; only snappy is "
                        + "acceptable")
            }
            let body = try Self.decompressed(request.body, limit: settings.remoteWriteLimit)
            let version = try version(request.fields["content-type"] ?? "")
            return try store(body, version)
        } catch {
            return .plainError(error.status, error.message)
        }
    }

    /// The status for samples that cannot be stored: 503 where trying again later is of use.
    static func status(of error: StoreError) -> Int {
        switch error {
        case .diskFull, .closed, .refused: 503
        case .file, .corrupt, .locked, .readOnly, .invalidOptions: 500
        }
    }

    static func decompressed(_ body: [UInt8], limit: Int) throws(RemoteFault) -> [UInt8] {
        let corrupt = RemoteFault(status: 400, message: "snappy: corrupt input")
        guard body.count <= limit else {
            throw RemoteFault(status: 413, message: "request body exceeds the \(limit) bytes limit")
        }
        guard let size = body.withUnsafeBytes({ SnappyBlock.uncompressedSize($0) }) else { throw corrupt }
        guard size <= limit else {
            throw RemoteFault(status: 400, message: "decoded size exceeds the \(limit) bytes limit")
        }
        var isSound = false
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { target, count in
            // SAFETY: the buffer has `size` bytes, of which the call says how many it wrote.
            let written = body.withUnsafeBytes {
                SnappyBlock.decompress($0, into: UnsafeMutableRawBufferPointer(target))
            }
            isSound = written == size
            count = written ?? 0
        }
        if !isSound { throw corrupt }
        return bytes
    }

    private func version(_ header: String) throws(RemoteFault) -> RemoteWriteMessage {
        let type = header.isEmpty ? "application/x-protobuf" : header.trimmedSpace
        let parts = type.split(separator: ";", omittingEmptySubsequences: false)
        if parts.first != "application/x-protobuf" {
            throw RemoteFault(
                status: 415,
                message: "expected application/x-protobuf as the first (media) part, got \(type) content-type")
        }
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false)
            if pair.count != 2 {
                throw RemoteFault(
                    status: 415,
                    message: "as per https://www.rfc-editor.org/rfc/rfc9110#parameter expected parameters to be "
                        + "key-values, got \(part) in \(type) content-type")
            }
            guard pair[0] == "proto" else { continue }
            guard let message = RemoteWriteMessage(rawValue: String(pair[1])) else {
                let supported = RemoteWriteMessage.allNames.joined(separator: ", ")
                throw RemoteFault(
                    status: 415,
                    message: "got \(type) content type; unknown type for remote write protobuf message \(pair[1]), "
                        + "supported: \(supported)")
            }
            return try accepted(message, type)
        }
        return try accepted(.one, type)
    }

    private func accepted(_ message: RemoteWriteMessage, _ type: String) throws(RemoteFault) -> RemoteWriteMessage {
        if settings.acceptedMessages.contains(message) { return message }
        let names = settings.acceptedMessages.map(\.rawValue).sorted().joined(separator: ", ")
        throw RemoteFault(
            status: 415,
            message: "\(message.rawValue) protobuf message is not accepted by this server; only accepts \(names)")
    }

    private func store(_ body: [UInt8], _ version: RemoteWriteMessage) throws(RemoteFault) -> ServerResponse {
        let database: Database
        do throws(APIError) {
            database = try self.database()
        } catch {
            throw RemoteFault(status: 503, message: error.message)
        }
        let options = RemoteWriteBatch.Options(
            addsStartZeros: settings.addsStartZeros, addsTypeAndUnitLabels: settings.addsTypeAndUnitLabels,
            storesMetadata: settings.storesMetadata)
        var batch = RemoteWriteBatch(database, version, latest: process.now() &+ 600_000, options)
        defer { counters.invalidLabelSamples.add(batch.invalidLabelSamples, ordering: .relaxed) }
        // SAFETY: the reader lives within the call that lends it the bytes.
        try body.withUnsafeBufferPointer { (bytes) throws(RemoteFault) in
            var reader: RemoteWriteReader
            do throws(WireReader.Fault) {
                reader = try RemoteWriteReader(UnsafeRawBufferPointer(bytes), version)
            } catch {
                throw RemoteFault(status: 400, message: error.description)
            }
            try batch.append(&reader)
        }
        try batch.commit(settings.durability)
        return batch.response
    }
}

extension String {
    /// Without blanks at either end.
    fileprivate var trimmedSpace: String {
        var text = self[...]
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
