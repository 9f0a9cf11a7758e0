internal import AsyncHTTPClient
#if canImport(Glibc)
internal import Glibc
#endif
package import MetricModel
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// What became of the connections that were opened, by whom they were opened for: a job, or a kind of discovery.
///
/// Source: mwitkow/go-conntrack dialer_reporter.go, whose names and help texts these are.
package final class DialerMetrics: Sendable {
    /// Why a connection was not made.
    enum Failure: Int, CaseIterable {
        case refused, resolution, timeout, unknown
    }

    private struct Counts {
        var established: UInt64 = 0
        var closed: UInt64 = 0
        var failed = [UInt64](repeating: 0, count: Failure.allCases.count)

        var attempted: UInt64 { established + failed.reduce(0, +) }
    }

    private let dialers = Mutex<[String: Counts]>([:])

    init() {}

    /// Shows `name` before its first connection.
    func show(_ name: String) { dialers.withLock { $0[name, default: Counts()].established += 0 } }

    /// Forgets `name`, which is gone.
    func forget(_ name: String) { dialers.withLock { $0[name] = nil } }

    /// Counts a connection, and its end when that comes.
    func note(_ channel: any Channel, for name: String) -> EventLoopFuture<Void> {
        dialers.withLock { $0[name, default: Counts()].established += 1 }
        channel.closeFuture.whenComplete { [self] _ in dialers.withLock { $0[name]?.closed += 1 } }
        return channel.eventLoop.makeSucceededVoidFuture()
    }

    /// Counts what kept a request from getting a connection; other errors are none of this.
    func note(_ error: any Error, for name: String) {
        guard let failure = Self.failure(error) else { return }
        dialers.withLock { $0[name, default: Counts()].failed[failure.rawValue] += 1 }
    }

    private static func failure(_ error: any Error) -> Failure? {
        if let error = error as? HTTPClientError { return error == .connectTimeout ? .timeout : nil }
        if let error = error as? NIOConnectionError {
            guard let first = error.connectionErrors.first else { return .resolution }
            return failure(first.error) ?? .unknown
        }
        guard let error = error as? IOError else { return nil }
        switch error.errnoCode {
        case ECONNREFUSED: return .refused
        case ETIMEDOUT: return .timeout
        // The connection had been made.
        case ECONNRESET, EPIPE, EBADF: return nil
        default: return .unknown
        }
    }

    /// The families as `/metrics` shows them.
    package var families: [MetricFamily] {
        let all = dialers.withLock { $0 }.sorted { ByteString($0.key) < ByteString($1.key) }
        func family(_ name: ByteString, _ help: ByteString, _ value: (Counts) -> UInt64) -> MetricFamily {
            MetricFamily(
                name: name, help: help, type: .counter,
                metrics: all.map { dialer, counts in
                    Metric(
                        labels: [LabelPair("dialer_name", ByteString(dialer))],
                        value: .counter(CounterValue(Double(value(counts)))))
                })
        }
        let failures = all.flatMap { dialer, counts in
            Failure.allCases.map { failure in
                Metric(
                    labels: [
                        LabelPair("dialer_name", ByteString(dialer)), LabelPair("reason", ByteString("\(failure)")),
                    ], value: .counter(CounterValue(Double(counts.failed[failure.rawValue]))))
            }
        }
        return [
            family(
                "net_conntrack_dialer_conn_attempted_total",
                "Total number of connections attempted by the given dialer a given name.", \.attempted),
            family(
                "net_conntrack_dialer_conn_established_total",
                "Total number of connections successfully established by the given dialer a given name.", \.established
            ),
            family(
                "net_conntrack_dialer_conn_closed_total",
                "Total number of connections closed which originated from the dialer of a given name.", \.closed),
            MetricFamily(
                name: "net_conntrack_dialer_conn_failed_total",
                help: "Total number of connections failed to dial by the dialer a given name.", type: .counter,
                metrics: failures),
        ]
    }
}
