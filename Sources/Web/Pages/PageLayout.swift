/// What surrounds every page: head, navigation, main part, footer.
package struct PageLayout: Sendable {
    /// One entry of the navigation.
    package struct Link: Sendable {
        let title: String
        /// Relative to the route prefix, without a leading slash.
        let path: String
        /// For pages of the other program in this process: where it listens.
        let port: Int?

        /// A link to `path` below the route prefix, or of the program that listens on `port` of the same machine.
        package init(_ title: String, _ path: String, port: Int? = nil) {
            self.title = title
            self.path = path
            self.port = port
        }
    }

    /// The route prefix: empty, or with a leading and without a trailing slash.
    package let prefix: String
    /// The name in the corner: "Narthex", "Narthex gateway".
    package let product: String
    /// Shown at the foot.
    package let version: String
    /// Of the menu.
    package let links: [Link]

    /// The frame of one program's pages.
    package init(prefix: String, product: String, version: String, links: [Link]) {
        self.prefix = prefix
        self.product = product
        self.version = version
        self.links = links
    }

    /// The policy that every page is served with: nothing from elsewhere, no inline script.
    ///
    /// Styles of elements are set by script through the object model, which needs no `unsafe-inline`.
    package static let contentSecurityPolicy =
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

    /// A whole page.
    /// - Parameters:
    ///   - path: Which navigation entry is current.
    ///   - script: Path of a module below `/static/`, or nil.
    ///   - host: The request's Host field, for links to the other program in this process.
    package func page(
        title: String, path: String, script: String? = nil, host: String? = nil, main: Markup
    ) -> [UInt8] {
        let navigation = Markup.join(
            links.map { link in
                let current: Markup = link.path == path && link.port == nil ? " aria-current=\"page\"" : ""
                let place = link.port.map { PortAddress.origin(host: host, port: $0) } ?? prefix
                return "<a href=\"\(place)/\(link.path)\"\(current)>\(link.title)</a>"
            })
        let module: Markup = script.map { "<script type=\"module\" src=\"\(prefix)/static/\($0)\"></script>" } ?? ""
        let page: Markup = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="base" content="\(prefix)">
            <title>\(title) – \(product)</title>
            <link rel="icon" href="\(prefix)/static/favicon.svg" type="image/svg+xml">
            <link rel="stylesheet" href="\(prefix)/static/app.css">
            \(module)
            </head>
            <body>
            <a class="skip" href="#main">Skip to the content</a>
            <header class="site">
            <a class="brand" href="\(prefix)/"><svg viewBox="0 0 24 24" aria-hidden="true"><path fill="currentColor" fill-rule="evenodd" d="M12 1.5C6.8 1.5 3.5 5.6 3.5 10v12.5H8V13a4 4 0 0 1 8 0v9.5h4.5V10c0-4.4-3.3-8.5-8.5-8.5z"/></svg>\(product)</a>
            <nav aria-label="Pages">\(navigation)</nav>
            </header>
            <main id="main">
            \(main)
            </main>
            <footer class="site">Narthex \(version)</footer>
            </body>
            </html>

            """
        return page.bytes
    }
}
