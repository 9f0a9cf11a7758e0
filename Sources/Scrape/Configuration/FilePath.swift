#if canImport(Glibc)
internal import Glibc
#endif

/// Paths as Prometheus' files give them: relative ones count from the file that names them.
enum FilePath {
    /// `path` under `directory`, unless it is empty or absolute.
    static func joined(_ directory: String, _ path: String) -> String {
        if path.isEmpty || path.hasPrefix("/") { return path }
        return cleaned(directory.isEmpty ? path : directory + "/" + path)
    }

    /// `path` from the root on, by the working directory of now.
    static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let directory = getcwd(nil, 0) else { return path }
        defer { free(directory) }
        return cleaned(String(cString: directory) + "/" + path)
    }

    /// The directory part, `.` if there is none.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : cleaned(String(path[..<slash]))
    }

    /// The name behind the last slash.
    static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// `path` without `.`, `..` and doubled slashes, as Go's `filepath.Clean`.
    static func cleaned(_ path: String) -> String {
        let isAbsolute = path.hasPrefix("/")
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part != ".." || !isAbsolute {
                parts.append(part)
            }
        }
        let joined = parts.joined(separator: "/")
        return isAbsolute ? "/" + joined : (joined.isEmpty ? "." : joined)
    }
}
