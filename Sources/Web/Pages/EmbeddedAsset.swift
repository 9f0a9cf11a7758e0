internal import ByteCoding
internal import CWebAssets

/// A file that was compiled into the program, for `/static/`.
package struct EmbeddedAsset: Sendable {
    /// What the file holds.
    package let bytes: [UInt8]
    /// By the end of its name.
    package let contentType: String

    /// The file at `path` below `Sources/Web/Assets`, or nil.
    /// - Complexity: O(assets).
    package init?(_ path: String) {
        var count = 0
        guard let assets = web_assets(&count) else { return nil }
        for index in 0..<count {
            // SAFETY: the list has `count` entries, whose paths end in a zero byte and whose bytes live as long as the
            // program.
            let asset = assets[index]
            guard String(cString: asset.path) == path else { continue }
            bytes = Array(UnsafeBufferPointer(start: asset.bytes, count: asset.length))
            contentType = Self.type(of: path)
            return
        }
        return nil
    }

    /// What tells this content from any other (RFC 9110, section 8.8.3), so that browsers ask but do not fetch again.
    package var tag: String { "\"\(String(XXHash64.hash(bytes), radix: 16))\"" }

    /// The fields of every answer about it.
    package var fields: [(name: String, value: String)] {
        [
            ("Content-Type", contentType), ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-cache"),
            ("ETag", tag),
        ]
    }

    private static func type(of path: String) -> String {
        switch path.split(separator: ".").last {
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        case "html": "text/html; charset=utf-8"
        case "png": "image/png"
        case "ico": "image/x-icon"
        default: "application/octet-stream"
        }
    }
}
