import NarthexClient
import Web

/// `narthex push`: pushes a file, standard input, or samples given as arguments.
enum PushCommand {
    static let command = Command(
        "push", "Push metrics: narthex push --job backup size_bytes=1048576, or a file in the text format, or - .",
        flags: GroupFlags.flags + [
            .toggle("replace", "Replace the whole group (PUT) instead of the families of the same name (POST).")
        ] + GatewayAccess.flags,
        arguments: [
            .init(
                "input", "A file, - for standard input (the default), or samples: NAME{LABEL=\"VALUE\"}=NUMBER.",
                isRequired: false, isRepeatable: true)
        ],
        action: { flags in await JobFiles.reporting("push") { try await push(flags) } })

    private static func push(_ flags: ParsedFlags) async throws {
        let key = try GroupFlags.key(flags)
        let body = try body(flags.argument("input"))
        let mode: PushGateway.Mode = flags.isOn("replace") ? .replaceGroup : .replaceFamilies
        try await GatewayAccess(flags).withGateway { try await $0.push(body, key: key, mode: mode) }
    }

    private static func body(_ input: [String]) throws -> [UInt8] {
        guard let first = input.first else { return try JobFiles.read("-", limit: 256 << 20) }
        let samples = input.compactMap(SampleArgument.init)
        if samples.count == input.count { return SampleArgument.body(samples) }
        if samples.isEmpty && input.count == 1 { return try JobFiles.read(first, limit: 256 << 20) }
        let other = input.first { SampleArgument($0) == nil } ?? ""
        throw CommandLineError(
            "'\(other)' is no sample of the form NAME{LABEL=\"VALUE\"}=NUMBER; or give a single file")
    }
}

/// `narthex delete`: deletes a group.
enum DeleteCommand {
    static let command = Command(
        "delete", "Delete a group: narthex delete --job backup --instance db1",
        flags: GroupFlags.flags + GatewayAccess.flags,
        action: { flags in
            await JobFiles.reporting("delete") {
                let key = try GroupFlags.key(flags)
                try await GatewayAccess(flags).withGateway { try await $0.delete(key) }
            }
        })
}
