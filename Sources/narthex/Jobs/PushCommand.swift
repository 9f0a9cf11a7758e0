import FoundationEssentials
import MetricModel
import NarthexClient
import Web

/// `narthex push`: pushes a file, standard input, or samples given as arguments.
enum PushCommand {
    static let command = Command(
        "push", "Push metrics: a file in the text format, standard input, or samples given as arguments.",
        flags: GroupFlags.flags + [
            .toggle("replace", "Replace the whole group (PUT) instead of the families of the same name (POST)."),
            .toggle(
                "accumulate",
                "Add to what is stored (PATCH; Narthex only). Samples given as arguments are counters then."),
            .init("lifetime", GroupFlags.lifetimeHelp, placeholder: "15m"),
            .init(
                "idempotency-key",
                "Name of this request: sent again with the same name it has its effect once (Narthex only)."),
        ] + GatewayAccess.flags,
        arguments: [
            .init(
                "input", "A file, - for standard input (the default), or samples: NAME{LABEL=\"VALUE\"}=NUMBER.",
                isRequired: false, isRepeatable: true)
        ],
        examples: [
            "narthex push --job=backup size_bytes=1048576 'rows{table=\"users\"}=42'",
            "narthex push --job=nightly --lifetime=48h metrics.prom",
            "my-exporter | narthex push --job=report --instance=db1 --replace -",
        ],
        action: { flags in await JobFiles.reporting("push") { try await push(flags) } })

    private static func push(_ flags: ParsedFlags) async throws {
        let key = try GroupFlags.key(flags)
        let body = try body(flags.argument("input"), isAdded: flags.isOn("accumulate"))
        guard !(flags.isOn("replace") && flags.isOn("accumulate")) else {
            throw CommandLineError("--replace and --accumulate exclude each other")
        }
        let mode: PushGateway.Mode =
            flags.isOn("accumulate") ? .accumulate : flags.isOn("replace") ? .replaceGroup : .replaceFamilies
        let lifetime = try GroupFlags.lifetime(flags)
        let name = flags["idempotency-key"]
        try await GatewayAccess(flags).withGateway { gateway in
            try await gateway.push(
                body, key: key, mode: mode, lifetime: lifetime, idempotencyKey: name.isEmpty ? nil : name)
        }
    }

    private static func body(_ input: [String], isAdded: Bool) throws -> [UInt8] {
        guard let first = input.first else { return try JobFiles.read("-", limit: 256 << 20) }
        let samples = input.compactMap(SampleArgument.init)
        if samples.count == input.count { return SampleArgument.body(samples, isAdded: isAdded) }
        if samples.isEmpty && input.count == 1 { return try JobFiles.read(first, limit: 256 << 20) }
        let other = input.first { SampleArgument($0) == nil } ?? ""
        throw CommandLineError(
            "'\(other)' is no sample of the form NAME{LABEL=\"VALUE\"}=NUMBER; or give a single file")
    }
}

/// `narthex delete`: deletes a group, or all groups that a selector selects.
enum DeleteCommand {
    static let command = Command(
        "delete", "Delete a group, or all groups that a selector selects.",
        flags: GroupFlags.flags + [
            .init(
                "match",
                "Delete the groups that this selector over grouping labels selects; may be given several times.",
                isRepeatable: true),
            .init("older-than", "With --match: only groups whose last push is at least so long ago, such as 24h."),
            .toggle("dry-run", "With --match: only say which groups would go."),
        ] + GatewayAccess.flags,
        examples: [
            "narthex delete --job=backup --instance=db1",
            "narthex delete --match='{job=~\"ci-.*\"}' --older-than=24h --dry-run",
        ],
        action: { flags in await JobFiles.reporting("delete") { try await delete(flags) } })

    private static func delete(_ flags: ParsedFlags) async throws {
        let selectors = flags.all("match")
        guard !selectors.isEmpty else {
            let key = try GroupFlags.key(flags)
            try await GatewayAccess(flags).withGateway { try await $0.delete(key) }
            return
        }
        guard flags["job"].isEmpty else { throw CommandLineError("give either --job or --match") }
        var query = selectors.map { ("match[]", $0) }
        if !flags["older-than"].isEmpty { query.append(("older_than", flags["older-than"])) }
        if flags.isOn("dry-run") { query.append(("dry_run", "true")) }
        let path = "/api/v1/groups?" + QueryText.encode(query)
        let body = try await GatewayAccess(flags).withGateway { try await $0.delete(path: path) }
        let deletion = try JSONDecoder().decode(Deletion.self, from: Data(body)).data
        for group in deletion.groups {
            let pairs = group.sorted { $0.key < $1.key }.map { "\($0.key)=\(Quoting.quote(ByteString($0.value)))" }
            Command.print("{\(pairs.joined(separator: ", "))}\n", to: 1)
        }
        let verb = deletion.isDryRun ? "would be deleted" : "deleted"
        Command.print("\(deletion.deleted) groups \(verb)\n", to: 2)
    }
}

/// What the gateway says of a deletion by selector.
private struct Deletion: Decodable {
    struct Content: Decodable {
        enum CodingKeys: String, CodingKey {
            case isDryRun = "dry_run"
            case deleted, groups
        }

        var isDryRun: Bool
        var deleted: Int
        var groups: [[String: String]]
    }

    var data: Content
}
