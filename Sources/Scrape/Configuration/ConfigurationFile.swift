#if canImport(Glibc)
internal import Glibc
#endif
internal import MetricModel
package import YAML

/// What keeps a configuration file from being used.
package enum ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// The file cannot be read.
    case unreadable(path: String, reason: String)
    /// The file is read, and wrong.
    case invalid(path: String, YAMLError)
    /// A file that `scrape_config_files` names is wrong.
    case scrapeFile(path: String, String)
    /// A pattern of `scrape_config_files` is none.
    case scrapePattern(String)

    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "open \(path): \(reason)"
        case .invalid(let path, let error): "parsing YAML file \(path): \(error)"
        case .scrapeFile(let path, let message): "\(Quoting.quote(ByteString(path))): \(message)"
        case .scrapePattern(let pattern):
            "error retrieving scrape config files for \(Quoting.quote(ByteString(pattern))): syntax error in pattern"
        }
    }
}

extension Configuration {
    /// Reads and checks the file at `path`; relative paths in it count from its directory.
    /// - Parameters:
    ///   - path: of a `prometheus.yml`.
    ///   - ignored: top-level keys that belong to somebody else.
    ///   - defaults: of the global section.
    ///   - environment: gives the variables that external labels may name; the process' own by default.
    /// - Throws: `ConfigurationError`.
    package static func load(
        _ path: String, ignoring ignored: Set<String> = [],
        defaults: GlobalConfiguration.Defaults = GlobalConfiguration.Defaults(),
        environment: (String) -> String? = ProcessEnvironment.value
    ) throws(ConfigurationError) -> Configuration {
        let text = try TextFile.read(path)
        do throws(YAMLError) {
            var configuration = try Configuration(
                text, ignoring: ignored, defaults: defaults, environment: environment)
            configuration.setDirectory(FilePath.directory(of: path))
            return configuration
        } catch {
            throw .invalid(path: path, error)
        }
    }

    /// The files that `scrape_config_files` stands for now.
    package var matchingScrapeFiles: [String] { scrapeConfigurationFiles.flatMap { TextFile.glob($0) } }

    /// All jobs: those of the file itself and those of the files that `scrape_config_files` names, read anew.
    /// - Throws: `ConfigurationError` if a file is wrong, or names a job again.
    package func allScrapeConfigurations() throws(ConfigurationError) -> [ScrapeConfiguration] {
        var result = scrapeConfigurations
        var origins: [String: String] = [:]
        for configuration in result { origins[configuration.jobName] = "main config file" }
        for pattern in scrapeConfigurationFiles {
            guard PathPattern.isSound(pattern) else { throw .scrapePattern(pattern) }
            for path in TextFile.glob(pattern) {
                let text = try TextFile.read(path)
                do throws(YAMLError) {
                    for var configuration in try additionalScrapeConfigurations(text) {
                        if let origin = origins[configuration.jobName] {
                            throw .invalid(
                                "found multiple scrape configs with job name \"\(configuration.jobName)\", first found in"
                                    + " \(origin)", line: 0)
                        }
                        origins[configuration.jobName] = Quoting.quote(ByteString(FilePath.absolute(path)))
                        configuration.setDirectory(FilePath.directory(of: path))
                        result.append(configuration)
                    }
                } catch {
                    throw .scrapeFile(path: FilePath.absolute(path), error.description)
                }
            }
        }
        return result
    }
}

/// The variables of the process.
package enum ProcessEnvironment {
    /// The value of `name`, or nil.
    package static func value(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value)
    }
}

/// Small files: configurations, target lists, credentials.
enum TextFile {
    /// No such file is larger.
    static let maximumSize = 256 << 20

    /// The bytes of the file at `path`.
    /// - Throws: `ConfigurationError.unreadable`.
    static func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path: path, reason: reason(errno)) }
        defer { close(descriptor) }
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw .unreadable(path: path, reason: reason(errno))
            }
            if count == 0 { return result }
            guard result.count + count <= maximumSize else {
                throw .unreadable(path: path, reason: "the file is larger than \(maximumSize) bytes")
            }
            result.append(contentsOf: chunk[..<count])
        }
    }

    /// When the file was last changed and how large it is; nil if there is none.
    static func stamp(_ path: String) -> Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Stamp(
            seconds: Int64(status.st_mtim.tv_sec), nanoseconds: Int64(status.st_mtim.tv_nsec),
            size: Int64(status.st_size),
            inode: UInt64(status.st_ino))
    }

    /// What changes when a file is written or replaced.
    struct Stamp: Sendable, Hashable {
        var seconds: Int64
        var nanoseconds: Int64
        var size: Int64
        var inode: UInt64
    }

    /// The paths that `pattern` stands for, sorted.
    static func glob(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard Glibc.glob(pattern, 0, nil, &result) == 0 else { return [] }
        var paths: [String] = []
        for index in 0..<Int(result.gl_pathc) {
            if let path = result.gl_pathv[index] { paths.append(String(cString: path)) }
        }
        return paths
    }

    /// The system's sentence for an error number, in Go's lower case.
    static func reason(_ number: Int32) -> String {
        guard let text = strerror(number) else { return "error \(number)" }
        let sentence = String(cString: text)
        return sentence.prefix(1).lowercased() + sentence.dropFirst()
    }
}
