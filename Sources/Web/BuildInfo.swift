internal import CBuildInfo
package import MetricModel

/// What this program is, for `--version`, `/api/v1/status` and `pushgateway_build_info`.
package enum BuildInfo {
    /// Of Narthex.
    package static let version = "0.1.0"
    /// The commit, or `unknown`.
    package static let revision = String(cString: narthex_revision())
    /// The branch, or `unknown`.
    package static let branch = String(cString: narthex_branch())
    /// Who built it, and where.
    package static let buildUser = String(cString: narthex_build_user())
    /// When the commit was made.
    package static let buildDate = String(cString: narthex_build_date())
    /// Shown where upstream shows Go's.
    package static let swiftVersion = "swift6.3"
    /// System and processor.
    package static let platform = "linux/\(architecture)"
    /// Go's build tags, of which there are none.
    package static let tags = "unknown"

    /// The processor, by Go's name.
    package static var architecture: String {
        #if arch(x86_64)
        "amd64"
        #elseif arch(arm64)
        "arm64"
        #else
        "unknown"
        #endif
    }

    /// What `--version` prints.
    ///
    /// Source of the layout: prometheus/common version/info.go.
    package static func text(_ program: String) -> String {
        """
        \(program), version \(version) (branch: \(branch), revision: \(revision))
          build user:       \(buildUser)
          build date:       \(buildDate)
          go version:       \(swiftVersion)
          platform:         \(platform)
          tags:             \(tags)

        """
    }

    /// `(version=…, branch=…, revision=…)`, as the first log line has it.
    package static var info: String { "(version=\(version), branch=\(branch), revision=\(revision))" }

    /// The fields of `/api/v1/status`, with the names that clients of the replaced programs read.
    package static let fields: [(name: String, value: String)] = [
        ("branch", branch), ("buildDate", buildDate), ("buildUser", buildUser), ("goVersion", swiftVersion),
        ("revision", revision), ("version", version),
    ]

    /// The family `NAME_build_info`, always 1.
    package static func family(_ program: String) -> MetricFamily {
        let labels = [
            ("branch", branch), ("goarch", architecture), ("goos", "linux"), ("goversion", swiftVersion),
            ("revision", revision), ("tags", tags), ("version", version),
        ].map { LabelPair(ByteString($0.0), ByteString($0.1)) }
        return MetricFamily(
            name: ByteString(program + "_build_info"),
            help: ByteString(
                "A metric with a constant '1' value labeled by version, revision, branch, goversion from which \(program) "
                    + "was built, and the goos and goarch for the build."),
            type: .gauge, metrics: [Metric(labels: labels, value: .gauge(1))])
    }
}
