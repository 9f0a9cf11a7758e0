import NarthexClient
import Web

/// Brings pushes to the gateway without ever failing the job: tries again with growing pauses, then keeps them on disk.
struct JobDelivery {
    let gateway: PushGateway
    let spool: Spool
    let key: JobKey
    let tries: Int
    /// How long the gateway keeps the group; nil for as it is configured.
    let lifetime: String?
    /// How the last push meets what is stored.
    let mode: PushGateway.Mode

    /// One try; a failure is only said. For pushes that the next one makes obsolete.
    func attempt(_ body: [UInt8]) async {
        do {
            try await gateway.push(body, key: key, lifetime: lifetime)
        } catch {
            if !Task.isCancelled { JobFiles.complain("narthex exec: \(error)") }
        }
    }

    /// Several tries, then the spool. A push that the gateway refuses for good is said and dropped.
    func deliver(_ body: [UInt8]) async {
        let name = Self.plain("\(key.job)-\(WallClock.nanoseconds())-\(UInt64.random(in: 0 ... .max))")
        var pause: Int64 = 250
        for attempt in 1...max(tries, 1) {
            do {
                try await gateway.push(body, key: key, mode: mode, lifetime: lifetime, idempotencyKey: name)
                return
            } catch let failure as PushGateway.Failure {
                JobFiles.complain("narthex exec: \(failure)")
                guard failure.isRetriable else { return }
            } catch {
                JobFiles.complain("narthex exec: \(error)")
            }
            if attempt < tries {
                try? await Task.sleep(for: .milliseconds(pause))
                pause *= 2
            }
        }
        do {
            try spool.keep(
                body, target: PushGateway.target(key, lifetime: lifetime), mode: mode, idempotencyKey: name,
                nanoseconds: WallClock.nanoseconds())
            JobFiles.complain("narthex exec: the push is kept on disk and delivered by the next run")
        } catch {
            JobFiles.complain("narthex exec: the push is lost: \(error)")
        }
    }

    /// Delivers what earlier runs left; stops at the first failure that more tries would repeat.
    func flushSpool() async {
        let entries: [Spool.Entry]
        do {
            entries = try spool.entries()
        } catch {
            return JobFiles.complain("narthex exec: kept pushes cannot be read: \(error)")
        }
        for entry in entries {
            do {
                try await gateway.deliver(entry)
            } catch let failure as PushGateway.Failure where !failure.isRetriable {
                JobFiles.complain("narthex exec: a kept push was refused and is dropped: \(failure)")
            } catch {
                return
            }
            spool.remove(entry)
        }
    }

    /// What a field of HTTP can carry, not too long.
    private static func plain(_ text: String) -> String {
        String(text.unicodeScalars.suffix(200).map { (0x21...0x7E).contains($0.value) ? Character($0) : "_" })
    }
}
