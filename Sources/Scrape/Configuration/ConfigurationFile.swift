#if canImport(Glibc)
internal import Glibc
#endif
package import DurableFiles
internal import MetricModel
package import YAML

/// What keeps a configuration file from being used.
package enum ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// The file cannot be read.
    case unreadable(SmallFile.Unreadable)
    /// The file is read, and wrong.
    case invalid(path: String, YAMLError)
    /// A file that `scrape_config_files` names is wrong.
    case scrapeFile(path: String, String)
    /// A pattern of `scrape_config_files` is none.
    case scrapePattern(String)

    package var description: String {
        switch self {
        case .unreadable(let error): error.description
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
        let text = try Self.read(path)
        do throws(YAMLError) {
            var configuration = try Configuration(
                text, ignoring: ignored, defaults: defaults, environment: environment)
            configuration.setDirectory(FilePath.directory(of: path))
            return configuration
        } catch {
            throw .invalid(path: path, error)
        }
    }

    private static func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
        do throws(SmallFile.Unreadable) { return try SmallFile.read(path) } catch { throw .unreadable(error) }
    }

    /// The files that `scrape_config_files` stands for now.
    package var matchingScrapeFiles: [String] { scrapeConfigurationFiles.flatMap { PathPattern.matches($0) } }

    /// All jobs: those of the file itself and those of the files that `scrape_config_files` names, read anew.
    /// - Throws: `ConfigurationError` if a file is wrong, or names a job again.
    package func allScrapeConfigurations() throws(ConfigurationError) -> [ScrapeConfiguration] {
        var result = scrapeConfigurations
        var origins: [String: String] = [:]
        for configuration in result { origins[configuration.jobName] = "main config file" }
        for pattern in scrapeConfigurationFiles {
            guard PathPattern.isSound(pattern) else { throw .scrapePattern(pattern) }
            for path in PathPattern.matches(pattern) {
                let text = try Self.read(path)
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
