// swift-tools-version: 6.3
// The map of the house: each target is one room, and imports only targets listed above it.
// What each room owns stands in docs/architecture.md.

import PackageDescription

// Stands first: the lists below use it while this file runs from top to bottom.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
]

/// What `--version` says of the build: `NARTHEX_REVISION` and its like in the environment, which `make` sets. Git is
/// not asked here: an evaluated manifest is kept for long, and would name an old commit.
func buildInfo(_ name: String) -> CSetting {
    let text = (Context.environment[name] ?? "").filter { $0.isLetter || $0.isNumber || "-_.:@/+".contains($0) }
    return .define(name, to: "\"" + (text.isEmpty ? "unknown" : text) + "\"")
}

let system: [Target] = [
    .target(name: "CCRC32C"),
    .target(name: "CPrefetch"),
    .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
    .systemLibrary(name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),
]

/// The rooms that need no network: they build in seconds and are tested without a socket.
let core: [Target] = [
    room("ByteCoding", ["CCRC32C"]),
    room("MetricModel", ["ByteCoding"]),
    room("Matching", ["ByteCoding", "MetricModel", "CRE2"]),
    room("YAML", ["MetricModel", "CYAML"]),
    room("Compression", ["ByteCoding", "CSnappy", "CZlib", "CZstd"]),
    room("Exposition", ["ByteCoding", "MetricModel"]),
    room("DurableFiles", ["ByteCoding"]),
    room(
        "Gateway", ["ByteCoding", "MetricModel", "Matching", "Compression", "Exposition", "DurableFiles", "CPrefetch"]),
    room("TSDB", ["ByteCoding", "MetricModel", "Matching", "Compression", "DurableFiles", "CPrefetch"]),
    room("Bridge", ["ByteCoding", "MetricModel", "Exposition", "Gateway", "TSDB"]),
    room("PromQL", ["ByteCoding", "MetricModel", "Matching"]),
    room("PromQLScripts", ["ByteCoding", "MetricModel", "Matching", "PromQL"]),
    room("TestSupport", ["ByteCoding", "MetricModel", "DurableFiles"]),
]

let coreTests: [Target] = [
    tests("ByteCoding"),
    tests("MetricModel"),
    tests("Matching"),
    tests("YAML"),
    tests("Compression"),
    tests("Exposition"),
    tests("DurableFiles"),
    tests("Gateway", fixtures: true),
    tests("TSDB"),
    tests("Bridge", ["Exposition", "Gateway", "Matching", "MetricModel", "TSDB"]),
    tests("PromQL", fixtures: true),
    tests("PromQLScripts", ["ByteCoding", "Matching", "MetricModel", "PromQL", "TSDB"], fixtures: true),
]

let serverStack: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
    .product(name: "Logging", package: "swift-log"),
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
]

let network: [Target] = [
    .target(name: "CAllocator"),
    .target(name: "CWebAssets"),
    .target(
        name: "CBuildInfo",
        cSettings: ["NARTHEX_REVISION", "NARTHEX_BRANCH", "NARTHEX_BUILD_USER", "NARTHEX_BUILD_DATE"].map(buildInfo)),
    room(
        "Scrape",
        ["ByteCoding", "MetricModel", "Matching", "YAML", "Compression", "Exposition", "DurableFiles"],
        [
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
            .product(name: "Crypto", package: "swift-crypto"), .product(name: "CryptoExtras", package: "swift-crypto"),
        ] + serverStack),
    room(
        "Web",
        [
            "ByteCoding", "MetricModel", "Matching", "YAML", "Compression", "Exposition", "DurableFiles", "Gateway",
            "TSDB", "PromQL", "Scrape", "CWebAssets", "CBuildInfo", "CCrypt",
        ],
        [
            .product(name: "NIOHTTP2", package: "swift-nio-http2"),
            .product(name: "Crypto", package: "swift-crypto"),
        ] + serverStack, exclude: ["Assets"]),
    .executableTarget(
        name: "narthex",
        dependencies: [
            "ByteCoding", "MetricModel", "Matching", "Compression", "Exposition", "DurableFiles", "Gateway", "TSDB",
            "Bridge", "PromQL", "PromQLScripts", "Scrape", "Web", "YAML", "NarthexClient", "CAllocator",
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
        ] + serverStack,
        swiftSettings: strict),
]

/// A library for Swift jobs that push; the job commands of `narthex` stand on it.
let client: [Target] = [
    room(
        "NarthexClient", ["ByteCoding", "MetricModel", "Exposition"],
        [
            .product(name: "CoreMetrics", package: "swift-metrics"),
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
        ])
]

let networkTests: [Target] = [
    tests("NarthexClient"),
    tests(
        "Scrape",
        [
            "Exposition", .product(name: "Logging", package: "swift-log"),
            .product(name: "Crypto", package: "swift-crypto"), .product(name: "CryptoExtras", package: "swift-crypto"),
        ]),
    tests("Web", [.product(name: "Logging", package: "swift-log"), .product(name: "NIOPosix", package: "swift-nio")]),
    .testTarget(name: "WholeProcessTests", dependencies: ["TestSupport"], swiftSettings: strict),
]

let networkPackages: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
]

/// A target of ours: its own rooms first, then packages.
func room(
    _ name: String, _ rooms: [String], _ packages: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
    .target(
        name: name, dependencies: rooms.map { .byName(name: $0) } + packages, exclude: exclude,
        swiftSettings: strict)
}

/// The tests beside a room; they use `package` API only, so that they also run in release builds.
func tests(_ room: String, _ packages: [Target.Dependency] = [], fixtures: Bool = false) -> Target {
    .testTarget(
        name: room + "Tests", dependencies: [.byName(name: room), "TestSupport"] + packages,
        exclude: fixtures ? ["Fixtures"] + (room == "PromQL" ? ["compare-with-prometheus"] : []) : [], resources: [],
        swiftSettings: strict)
}

/// `BENCHMARKS=1 swift build -c release` adds the measuring programs.
let benchmarks: [Target] =
    Context.environment["BENCHMARKS"] == "1"
    ? [
        .executableTarget(
            name: "TSDBBenchmarks",
            dependencies: [
                "ByteCoding", "MetricModel", "Matching", "Compression", "DurableFiles", "TSDB", "TestSupport",
                "CAllocationCounter",
            ],
            path: "Benchmarks/TSDBBenchmarks", swiftSettings: strict),
        .executableTarget(
            name: "PromQLBenchmarks", dependencies: ["MetricModel", "Matching", "PromQL", "TSDB"],
            path: "Benchmarks/PromQLBenchmarks", swiftSettings: strict),
        .executableTarget(
            name: "GatewayBenchmarks",
            dependencies: ["MetricModel", "Exposition", "DurableFiles", "Gateway", "CAllocationCounter"],
            path: "Benchmarks/GatewayBenchmarks", swiftSettings: strict),
        .target(name: "CAllocationCounter", path: "Benchmarks/CAllocationCounter"),
        .executableTarget(
            name: "ExpositionBenchmarks",
            dependencies: ["ByteCoding", "MetricModel", "Exposition", "Compression", "CAllocationCounter"],
            path: "Benchmarks/ExpositionBenchmarks", swiftSettings: strict),
    ] : []

/// What each fuzzer does with an input, as libraries: for libFuzzer, and for the tests that run it over the corpora.
let fuzzBodies: [Target] = [
    .target(
        name: "FuzzBodies",
        dependencies: [
            "ByteCoding", "MetricModel", "Matching", "Compression", "Exposition", "DurableFiles", "Gateway", "TSDB",
            "PromQL", "PromQLScripts", "TestSupport",
        ],
        path: "FuzzTargets/Bodies", swiftSettings: strict),
    .testTarget(name: "FuzzTests", dependencies: ["FuzzBodies"], swiftSettings: strict),
]

/// Those that need a network stack.
let networkFuzzBodies: [Target] = [
    .target(
        name: "FuzzNetworkBodies",
        dependencies: [
            "ByteCoding", "MetricModel", "Gateway", "Web", "FuzzBodies",
            .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
        ],
        path: "FuzzTargets/NetworkBodies", swiftSettings: strict),
    .testTarget(name: "FuzzNetworkTests", dependencies: ["FuzzBodies", "FuzzNetworkBodies"], swiftSettings: strict),
]

/// A program that throws random bytes at parsers; see FuzzTargets/README.md.
func fuzzer(_ name: String, _ bodies: String) -> Target {
    .executableTarget(
        name: name, dependencies: ["FuzzDriver", .byName(name: bodies)], path: "FuzzTargets/" + name,
        exclude: ["Corpus"], swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])],
        linkerSettings: [.unsafeFlags(["-use-ld=lld"])])
}

/// `FUZZ=1 swift build -c release -Xswiftc -sanitize=fuzzer,address` adds the fuzzers.
let fuzzers: [Target] =
    Context.environment["FUZZ"] == "1"
    ? [.target(name: "FuzzDriver", path: "FuzzTargets/Driver", swiftSettings: strict)]
        + ["FuzzExposition", "FuzzCompression", "FuzzPromQL", "FuzzStore", "FuzzBlocks", "FuzzGateway"].map {
            fuzzer($0, "FuzzBodies")
        }
    : []

/// Those that need a network stack.
let networkFuzzers: [Target] =
    Context.environment["FUZZ"] == "1" ? [fuzzer("FuzzHTTP", "FuzzNetworkBodies")] : []

// `NARTHEX_CORE=1 swift test` leaves out everything that needs a network stack: seconds instead of minutes.
let coreOnly = Context.environment["NARTHEX_CORE"] == "1"

let package = Package(
    name: "narthex",
    products: coreOnly
        ? []
        : [
            .executable(name: "narthex", targets: ["narthex"]),
            .library(name: "NarthexClient", targets: ["NarthexClient"]),
        ],
    dependencies: coreOnly ? [] : networkPackages,
    targets: system + core + coreTests + benchmarks + fuzzBodies + fuzzers
        + (coreOnly ? [] : network + networkFuzzBodies + networkFuzzers + client + networkTests),
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
