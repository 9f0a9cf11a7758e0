import NarthexClient

/// Brings pushes to the gateway without ever failing the job: tries again with growing pauses, then keeps them on disk.
struct JobDelivery {
    let gateway: PushGateway
    let spool: Spool
    let key: JobKey
    let tries: Int

    /// One try; a failure is only said. For pushes that the next one makes obsolete.
    func attempt(_ body: [UInt8]) async {
        do {
            try await gateway.push(body, key: key)
        } catch {
            if !Task.isCancelled { JobFiles.complain("narthex exec: \(error)") }
        }
    }

    /// Several tries, then the spool. A push that the gateway refuses for good is said and dropped.
    func deliver(_ body: [UInt8]) async {
        var pause: Int64 = 250
        for attempt in 1...max(tries, 1) {
            do {
                try await gateway.push(body, key: key)
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
                body, target: key.path, mode: .replaceFamilies,
                nanoseconds: JobFiles.now())
            JobFiles.complain("narthex exec: the push is kept on disk and delivered by the next run")
        } catch {
            JobFiles.complain("narthex exec: the push is lost: \(error)")
        }
    }

    /// Delivers what earlier runs left; stops at the first failure that more tries would repeat.
    func flushSpool() async {
        guard let entries = try? spool.entries() else { return }
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
}
