import Foundation
import Testing
import Web

@Suite struct AssetTests {
    @Test func `every file of the assets is embedded as it is`() throws {
        var package = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { package.deleteLastPathComponent() }
        let folder = package.appendingPathComponent("Sources/Web/Assets").path
        let paths = try #require(FileManager.default.enumerator(atPath: folder)?.allObjects as? [String])
        var total = 0
        for path in paths where path.contains(".") {
            let file = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(path)"))
            // A Boolean: a failure is not to print both files.
            let isSame = EmbeddedAsset(path)?.bytes == [UInt8](file)
            #expect(isSame, "\(path) is missing or outdated in CWebAssets")
            total += file.count
        }
        #expect(total > 0)
    }
}
