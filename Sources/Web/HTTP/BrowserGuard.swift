/// Keeps pages of other sites from writing through the browser of someone who can reach this server.
///
/// A browser sends `Origin` with every request that writes, and new ones `Sec-Fetch-Site`; programs send neither. What
/// comes from a page of another origin is refused unless that origin is allowed.
package enum BrowserGuard {
    /// The answer to a request that must not go on; nil for one that may.
    /// - Parameter allowed: Origins as browsers write them: `https://example.org`.
    package static func refusal(_ head: HTTPRequestHead, allowed: [String]) -> HTTPResponse? {
        switch head.method {
        case .get, .head, .options: return nil
        case .post, .put, .delete, .patch, .connect, .trace, .other: break
        }
        guard let origin = head["origin"] else {
            guard let site = head["sec-fetch-site"], site == "cross-site" || site == "same-site" else { return nil }
            return refused
        }
        if allowed.contains(origin) || isOwn(origin, head) { return nil }
        return refused
    }

    private static let refused = HTTPResponse.error(
        .forbidden, "a page of another origin may not write here; see --web.allowed-origin")

    /// Whether the page came from this server, by the name that the client used for it.
    private static func isOwn(_ origin: String, _ head: HTTPRequestHead) -> Bool {
        guard let host = head["host"]?.lowercased() else { return false }
        let name = origin.lowercased()
        return name == "http://" + host || name == "https://" + host
    }
}
