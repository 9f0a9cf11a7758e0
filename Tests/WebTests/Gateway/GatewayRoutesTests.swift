import Testing
import Web

/// Every route with the right it needs. A route that is not in this list is a mistake here or there.
@Suite struct GatewayRoutesTests {
    private var everything: GatewaySettings {
        var settings = GatewaySettings()
        settings.enablesAdminAPI = true
        settings.servesGroups = true
        settings.ownMetrics = .separate
        return settings
    }

    private static let table = [
        "PUT /metrics/job/{job}/… push", "POST /metrics/job/{job}/… push", "DELETE /metrics/job/{job}/… delete",
        "GET /group/job/{job}/… read", "PUT /metrics/job@base64/{job}/… push",
        "POST /metrics/job@base64/{job}/… push", "DELETE /metrics/job@base64/{job}/… delete",
        "GET /group/job@base64/{job}/… read", "GET /metrics read", "GET /-/healthy health", "GET /-/ready health",
        "GET /status read", "GET /refused read", "GET / read", "GET /static/… open", "PUT /-/quit admin",
        "POST /-/quit admin",
        "GET /-/quit open", "GET /api/v1/status read", "GET /api/v1/metrics read", "GET /api/v1/groups read",
        "PATCH /metrics/job/{job}/… push", "PATCH /metrics/job@base64/{job}/… push",
        "GET /metrics/job/{job}/… read", "GET /metrics/job@base64/{job}/… read", "GET /metrics/self read",
        "DELETE /api/v1/groups admin", "PUT /api/v1/push push", "POST /api/v1/push push", "PATCH /api/v1/push push",
        "GET /api/v1/watch read", "PUT /api/v1/admin/wipe admin", "OPTIONS /api/v1/… open",
    ]

    @Test func `each route needs the right that the table says`() {
        let routes = GatewayRoutes.entries(everything).map { "\($0.method.name) \($0.path) \($0.right.rawValue)" }
        #expect(Set(routes) == Set(Self.table))
        #expect(routes.count == Self.table.count)
    }

    @Test func `what changes groups needs more than the right to read`() {
        for entry in GatewayRoutes.entries(everything) where entry.method != .get && entry.method != .options {
            #expect(entry.right != .open && entry.right != .read, "\(entry.method.name) \(entry.path)")
        }
    }

    @Test func `the prefix stands before all paths but one`() {
        var settings = everything
        settings.routePrefix = "/p"
        for entry in GatewayRoutes.entries(settings) where entry.path != "/-/quit" {
            #expect(entry.path.hasPrefix("/p/"))
        }
    }
}
