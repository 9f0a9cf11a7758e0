internal import ByteCoding
internal import Exposition
package import Gateway
internal import MetricModel

/// The group that the path of a push names: `/metrics/job/JOB/LABEL/VALUE…`, with `@base64` behind a name for values
/// that a path cannot hold.
///
/// Source: prometheus/pushgateway handler/push.go (`splitLabels`, `decodeBase64`).
package enum PushTarget {
    /// Why a path names no group, in upstream's words.
    package struct Invalid: Error, Equatable, CustomStringConvertible {
        package let description: String
        /// 400, or 413 for a limit.
        package let status: HTTPStatus
        /// Whether the path is well formed, but no group can have its labels: to delete that is no error.
        package let namesNoGroup: Bool

        /// The reason `description`.
        package init(description: String, status: HTTPStatus = .badRequest, namesNoGroup: Bool = false) {
            self.description = description
            self.status = status
            self.namesNoGroup = namesNoGroup
        }
    }

    private static let base64Suffix: ByteString = "@base64"
    private static let reservedPrefix: ByteString = "__"

    /// Reads the parts of a decoded path.
    /// - Parameters:
    ///   - job: What follows `/metrics/job/`.
    ///   - isBase64: Whether the path began with `/metrics/job@base64/`.
    ///   - rest: What follows the job, with its leading slash; empty if nothing does.
    ///   - allowsUTF8: `--push.enable-utf8-names`: names may be escaped with `U__` and hold any text.
    /// - Throws: ``Invalid``.
    package static func group(
        job: ArraySlice<UInt8>, isBase64: Bool, rest: ArraySlice<UInt8>, allowsUTF8: Bool,
        limits: GatewaySettings.Limits = .init()
    ) throws(Invalid) -> GroupingKey {
        let jobValue = try self.job(job, isBase64: isBase64)
        var labels: [LabelPair] = []
        if rest.count > 1 {
            let parts = rest.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            guard parts.count.isMultiple(of: 2) else {
                throw Invalid(
                    description: "odd number of components in label string \(Quoting.quote(ByteString(rest)))")
            }
            guard parts.count / 2 < limits.groupLabels else {
                throw Invalid(
                    description: "the path has more labels than the limit of \(limits.groupLabels)",
                    status: .contentTooLarge)
            }
            labels.reserveCapacity(parts.count / 2 + 1)
            for index in stride(from: 0, to: parts.count, by: 2) {
                labels.append(try label(parts[index], parts[index + 1], allowsUTF8: allowsUTF8))
            }
        }
        guard !jobValue.isEmpty else { throw Invalid(description: "job name is required") }
        // Of a repeated label the last wins: the job of the path, not one among the labels.
        labels.append(LabelPair("job", jobValue))
        try check(labels, limits)
        return GroupingKey(labels)
    }

    private static func check(_ labels: [LabelPair], _ limits: GatewaySettings.Limits) throws(Invalid) {
        for label in labels {
            guard label.value.isValidUTF8 else {
                throw Invalid(
                    description: "improper value \(Quoting.quote(label.value)) of label \(label.name): it is not UTF-8",
                    namesNoGroup: true)
            }
            guard label.name.count <= limits.metrics.maximumNameLength,
                label.value.count <= limits.metrics.maximumLabelValueLength
            else {
                throw Invalid(
                    description: "a label of the path is longer than the limit of "
                        + "\(limits.metrics.maximumNameLength) bytes for names and "
                        + "\(limits.metrics.maximumLabelValueLength) bytes for values", status: .contentTooLarge)
            }
        }
    }

    private static func job(_ job: ArraySlice<UInt8>, isBase64: Bool) throws(Invalid) -> ByteString {
        guard isBase64 else { return ByteString(job) }
        do throws(Base64.Corrupt) {
            return ByteString(try Base64.decodeURL(trimmed(job)))
        } catch {
            throw Invalid(
                description: "invalid base64 encoding in job name \(Quoting.quote(ByteString(partial(job)))): \(error)")
        }
    }

    private static func label(
        _ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, allowsUTF8: Bool
    ) throws(Invalid) -> LabelPair {
        let whole = ByteString(name)
        let isBase64 = whole.hasSuffix(base64Suffix)
        let given = isBase64 ? ByteString(name.dropLast(base64Suffix.count)) : whole
        let unescaped = allowsUTF8 ? NameEscaping.values.unescape(given) : given
        let validation: NameValidation = allowsUTF8 ? .utf8 : .legacy
        guard validation.isLabelName(unescaped), !given.hasPrefix(reservedPrefix) else {
            throw Invalid(description: "improper label name \(Quoting.quote(given))")
        }
        guard isBase64 else { return LabelPair(unescaped, ByteString(value)) }
        do throws(Base64.Corrupt) {
            return LabelPair(unescaped, ByteString(try Base64.decodeURL(trimmed(value))))
        } catch {
            throw Invalid(
                description: "invalid base64 encoding for label \(given)=\(Quoting.quote(ByteString(value))): \(error)")
        }
    }

    /// Without any `=` at the end.
    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text
        while text.last == UInt8(ascii: "=") { text.removeLast() }
        return text
    }

    /// What upstream shows of a job that is no base64: what Go's decoder has written before it fails, which is whole
    /// groups of four characters.
    private static func partial(_ job: ArraySlice<UInt8>) -> [UInt8] {
        let text = trimmed(job)
        do throws(Base64.Corrupt) {
            return try Base64.decodeURL(text)
        } catch {
            return (try? Base64.decodeURL(text.prefix(error.offset / 4 * 4))) ?? []
        }
    }
}
