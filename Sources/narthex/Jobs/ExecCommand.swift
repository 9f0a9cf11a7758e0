import DurableFiles
import NarthexClient
import Web

#if canImport(Glibc)
import Glibc
#endif

/// `narthex exec`: runs a job and pushes how it went.
///
/// The job's output passes through untouched and its exit status becomes ours. Signals are forwarded. An unreachable
/// gateway never harms the job: the push is tried again, then kept on disk for the next run to deliver.
struct ExecCommand: Sendable {
    static let command = Command(
        "exec", "Run a job and push how it went.",
        flags: GroupFlags.flags + [
            .init(
                "heartbeat", "How often to push a sign of life while the job runs.", kind: .duration, placeholder: "30s"
            ),
            .init(
                "timeout", "End the job with SIGTERM after this time, and with SIGKILL ten seconds later.",
                kind: .duration, placeholder: "2h"),
            .init("lifetime", GroupFlags.lifetimeHelp, placeholder: "24h"),
            .toggle(
                "accumulate",
                "Add the job's own metrics to those of earlier runs (PATCH; Narthex only). What exec itself pushes is that "
                    + "of the latest run all the same."),
            .init(
                "spool",
                "Folder for pushes that could not be delivered. Also NARTHEX_SPOOL; else ~/.local/state/narthex/spool."),
            .init("tries", "How often a push is tried before it is kept on disk.", kind: .integer, default: "4"),
        ] + GatewayAccess.flags,
        arguments: [.init("command", "The job and its arguments, after --.", isRepeatable: true)],
        examples: [
            "narthex exec --job=backup -- /usr/local/bin/backup --full",
            "narthex exec --job=import --label=shop=berlin --heartbeat=30s --timeout=2h --lifetime=48h -- ./import.sh",
        ], action: run)

    private let command: [String]
    private let key: JobKey
    private let tries: Int
    private let lifetime: String?
    private let mode: PushGateway.Mode
    private let heartbeat: Duration?
    private let timeout: Duration?

    private static func run(_ flags: ParsedFlags) async -> Int32 {
        do {
            let job = ExecCommand(
                command: flags.argument("command"), key: try GroupFlags.key(flags),
                tries: max(1, min(flags.integer("tries"), 20)), lifetime: try GroupFlags.lifetime(flags),
                mode: flags.isOn("accumulate") ? .accumulate : .replaceFamilies,
                heartbeat: flags["heartbeat"].isEmpty ? nil : max(flags.duration("heartbeat"), .milliseconds(10)),
                timeout: flags["timeout"].isEmpty ? nil : flags.duration("timeout"))
            let spool = Spool(folder: spoolFolder(flags["spool"]))
            let metricsFile = "\(Environment["TMPDIR"] ?? "/tmp")/narthex-\(getpid())-\(WallClock.nanoseconds()).prom"
            defer { unlink(metricsFile) }
            return try await GatewayAccess(flags).withGateway { gateway in
                await job.runJob(through: gateway, spool: spool, metricsFile: metricsFile)
            }
        } catch {
            // Nothing was started: 125, as of other programs that run programs.
            JobFiles.complain("narthex exec: \(error)")
            return 125
        }
    }

    private func runJob(through gateway: PushGateway, spool: Spool, metricsFile: String) async -> Int32 {
        let delivery = JobDelivery(
            gateway: gateway, spool: spool, key: key, tries: tries, lifetime: lifetime, mode: mode)
        var report = JobReport(start: WallClock.nanoseconds())
        let process: JobProcess
        do {
            process = try JobProcess(command, variables: ["NARTHEX_METRICS_FILE": metricsFile])
        } catch let failure as JobProcess.StartFailure {
            JobFiles.complain("narthex exec: \(failure.message)")
            report.end(
                at: WallClock.nanoseconds(),
                JobProcess.Ending(
                    exitCode: failure.exitCode, signal: nil, cpuSeconds: 0, peakMemoryBytes: 0))
            await delivery.deliver(report.final(own: []))
            return failure.exitCode
        } catch {
            return 126
        }
        process.forwardSignals()
        let started = report.started()
        let ending = await withTaskGroup(of: JobProcess.Ending?.self) { group in
            group.addTask { await process.ending() }
            group.addTask {
                // Beside the job, so that a gateway that is slow to answer delays nothing.
                await delivery.attempt(started)
                await pushHeartbeats(delivery)
                return nil
            }
            group.addTask {
                await enforceTimeout(on: process)
                return nil
            }
            for await ending in group where ending != nil {
                group.cancelAll()
                return ending
            }
            return nil
        }
        guard let ending else { return 255 }
        report.end(at: WallClock.nanoseconds(), ending)
        // What earlier runs left goes first: this run's push must be the last word on its group.
        await delivery.flushSpool()
        await delivery.deliver(report.final(own: own(metricsFile)))
        return ending.exitCode
    }

    /// What the job wrote into the file that it was given; most jobs write none.
    private func own(_ metricsFile: String) -> [UInt8] {
        do throws(SmallFile.Unreadable) {
            return try SmallFile.read(metricsFile, limit: 16 << 20)
        } catch {
            if !error.isMissing { JobFiles.complain("narthex exec: the job's own metrics are left out: \(error)") }
            return []
        }
    }

    private func pushHeartbeats(_ delivery: JobDelivery) async {
        guard let beat = heartbeat else { return }
        while true {
            do { try await Task.sleep(for: beat) } catch { return }
            await delivery.attempt(JobReport.heartbeat(at: WallClock.nanoseconds()))
        }
    }

    private func enforceTimeout(on process: JobProcess) async {
        guard let limit = timeout else { return }
        do {
            try await Task.sleep(for: limit)
            JobFiles.complain("narthex exec: time limit of \(limit) reached, ending the job")
            process.send(SIGTERM)
            try await Task.sleep(for: .seconds(10))
            process.send(SIGKILL)
        } catch {
            // The job has ended by itself.
        }
    }

    private static func spoolFolder(_ flag: String) -> String {
        if !flag.isEmpty { return flag }
        if let folder = Environment["NARTHEX_SPOOL"] { return folder }
        if let state = Environment["XDG_STATE_HOME"] { return "\(state)/narthex/spool" }
        return Environment["HOME"].map { "\($0)/.local/state/narthex/spool" } ?? "/var/tmp/narthex-spool"
    }
}
