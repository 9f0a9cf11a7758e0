/// Which handler belongs to a method and a path, and what is answered where none does.
///
/// The answers beside the routes (trailing slashes, other case, other methods, `OPTIONS`) are those of
/// github.com/julienschmidt/httprouter, which the replaced programs use. Routes are few: they are tried in turn.
package struct RouteTable<Handler: Sendable>: Sendable {
    /// What paths a route serves.
    package enum Pattern: Sendable {
        /// This path.
        case exact([UInt8])
        /// The prefix, one part, and whatever follows a slash behind it: `/metrics/job/:job/*labels`.
        case part(prefix: [UInt8])
        /// The prefix, a slash, and anything: `/static/*filepath`.
        case below(prefix: [UInt8])
    }

    /// A route that was found.
    package struct Hit: Sendable {
        /// What answers.
        package let handler: Handler
        /// The part of ``Pattern/part(prefix:)``, where it lies in the path.
        package let part: Range<Int>
        /// The rest with its leading slash, where it lies in the path; empty if there is none.
        package let rest: Range<Int>
    }

    /// What to do with a request.
    package enum Result: Sendable {
        case found(Hit)
        /// The path is almost one that is served.
        case redirect([UInt8])
        /// Other methods are served at this path: the value of `Allow`.
        case methodNotAllowed(allow: String)
        /// The answer to `OPTIONS`: the value of `Allow`.
        case options(allow: String)
        case notFound
    }

    private struct Route: Sendable {
        let method: HTTPMethod
        let pattern: Pattern
        let handler: Handler
        let isAdvertised: Bool
    }

    private var routes: [Route] = []

    /// No routes.
    package init() {}

    /// Adds a route; where two match, the first counts.
    /// - Parameter isAdvertised: Whether `Allow` names the method.
    package mutating func add(
        _ method: HTTPMethod, _ pattern: Pattern, _ handler: Handler, isAdvertised: Bool = true
    ) {
        routes.append(Route(method: method, pattern: pattern, handler: handler, isAdvertised: isAdvertised))
    }

    /// Looks up a decoded path.
    /// - Complexity: O(routes × length of the path) at worst; no allocation where a route is found.
    package func find(_ method: HTTPMethod, _ path: [UInt8]) -> Result {
        for route in routes where route.method == method {
            if let hit = match(route, path) { return .found(hit) }
        }
        if method != .connect, path != [UInt8(ascii: "/")], let fixed = fixedPath(method, path) {
            return .redirect(fixed)
        }
        let allow = allowed(path, except: method)
        if method == .options { return allow.isEmpty ? .notFound : .options(allow: allow) }
        return allow.isEmpty ? .notFound : .methodNotAllowed(allow: allow)
    }

    private func match(_ route: Route, _ path: [UInt8]) -> Hit? {
        let slash = UInt8(ascii: "/")
        switch route.pattern {
        case .exact(let exact):
            guard exact == path else { return nil }
            return Hit(handler: route.handler, part: 0..<0, rest: 0..<0)
        case .part(let prefix):
            guard path.count > prefix.count, path.starts(with: prefix) else { return nil }
            let end = path[prefix.count...].firstIndex(of: slash) ?? path.count
            // An empty part counts where something follows it, so that the handler can say what is missing.
            guard end > prefix.count || end < path.count else { return nil }
            return Hit(handler: route.handler, part: prefix.count..<end, rest: end..<path.count)
        case .below(let prefix):
            guard path.count > prefix.count, path.starts(with: prefix), path[prefix.count] == slash else { return nil }
            return Hit(handler: route.handler, part: 0..<0, rest: prefix.count..<path.count)
        }
    }

    /// The path that was probably meant: with or without the slash at its end, or in the case of the route.
    private func fixedPath(_ method: HTTPMethod, _ path: [UInt8]) -> [UInt8]? {
        let slash = UInt8(ascii: "/")
        let other = path.last == slash ? Array(path.dropLast()) : path + [slash]
        for route in routes where route.method == method && match(route, other) != nil { return other }
        if path.last == slash, parts(at: path, method) { return other }
        for candidate in [path, other] {
            let lower = candidate.map(HTTPSyntax.lowercase)
            for route in routes where route.method == method {
                switch route.pattern {
                case .exact(let exact):
                    if exact.map(HTTPSyntax.lowercase) == lower { return exact }
                case .part(let prefix), .below(let prefix):
                    guard lower.starts(with: prefix.map(HTTPSyntax.lowercase)) else { continue }
                    let fixed = prefix + candidate[prefix.count...]
                    if match(route, fixed) != nil { return fixed }
                }
            }
        }
        return nil
    }

    /// Whether `path` is the prefix of a route with parts and, without its slash, the beginning of another one's: such
    /// a path is sent on to the one without the slash, which nobody serves.
    private func parts(at path: [UInt8], _ method: HTTPMethod) -> Bool {
        let prefixes = routes.compactMap { route -> [UInt8]? in
            guard route.method == method, case .part(let prefix) = route.pattern else { return nil }
            return prefix
        }
        return prefixes.contains(path) && prefixes.contains { $0 != path && $0.starts(with: path.dropLast()) }
    }

    private func allowed(_ path: [UInt8], except method: HTTPMethod) -> String {
        var names: Set<String> = []
        for route in routes
        where route.isAdvertised && route.method != method && route.method != .options && match(route, path) != nil {
            names.insert(route.method.name)
        }
        guard !names.isEmpty else { return "" }
        names.insert("OPTIONS")
        return names.sorted().joined(separator: ", ")
    }
}

/// Redirects and the shortest form of paths, as Go's net/http has them.
package enum PathRules {
    /// The path without empty, `.` and `..` parts; a slash at the end stays. Nil if it is in that form already.
    ///
    /// Source: Go net/http/server.go (`cleanPath`).
    package static func cleaned(_ path: ArraySlice<UInt8>) -> [UInt8]? {
        guard needsCleaning(path) else { return nil }
        var parts: [ArraySlice<UInt8>] = []
        for part in path.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) { parts = parts.dropLast() } else { parts.append(part) }
        }
        var result: [UInt8] = []
        for part in parts { result += [UInt8(ascii: "/")] + part }
        let last = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).last
        if result.isEmpty || last?.isEmpty == true { result.append(UInt8(ascii: "/")) }
        return result.elementsEqual(path) ? nil : result
    }

    private static func needsCleaning(_ path: ArraySlice<UInt8>) -> Bool {
        guard path.first == UInt8(ascii: "/") else { return true }
        var previous: UInt8 = 0
        for byte in path {
            if previous == UInt8(ascii: "/"), byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".") { return true }
            previous = byte
        }
        return false
    }

    /// A redirect in the form of Go's `http.Redirect`.
    /// - Parameter location: Already encoded.
    package static func redirect(_ head: HTTPRequestHead, to location: String, _ status: HTTPStatus) -> HTTPResponse {
        var location = location
        if let query = head.rawQuery { location += "?" + String(decoding: query, as: UTF8.self) }
        var response = HTTPResponse(status, fields: [HTTPField("Location", location)])
        if head.method == .get || head.method == .head {
            response.fields.append(HTTPField("Content-Type", "text/html; charset=utf-8"))
            let page: Markup = "<a href=\"\(location)\">\(status.phrase)</a>.\n\n"
            response.body = .bytes(page.bytes)
        }
        return response
    }

    /// For a path that is not in its shortest form: 301, or for other methods than GET 307, which keeps method and body.
    package static func redirectStatus(_ method: HTTPMethod) -> HTTPStatus {
        method == .get || method == .head ? .movedPermanently : .temporaryRedirect
    }

    /// For a path that is almost one that is served: 301, or for other methods than GET 308.
    package static func fixedPathStatus(_ method: HTTPMethod) -> HTTPStatus {
        method == .get ? .movedPermanently : .permanentRedirect
    }
}
