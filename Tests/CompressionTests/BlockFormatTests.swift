import Compression
import Testing

@Suite struct BlockFormatTests {
    private let text = [UInt8](String(repeating: "http_requests_total{job=\"api\"} ", count: 200).utf8)

    @Test func `a snappy block comes back as it was, and smaller in between`() throws {
        let packed = pack(SnappyBlock.maximumCompressedSize(text.count)) { SnappyBlock.compress($0, into: $1) }
        #expect(packed.count < text.count / 4)
        let size = try #require(packed.withUnsafeBytes { SnappyBlock.uncompressedSize($0) })
        #expect(unpack(packed, size) { SnappyBlock.decompress($0, into: $1) } == text)
        #expect(unpack(Array(packed.dropLast(3)), size) { SnappyBlock.decompress($0, into: $1) } == nil)
    }

    @Test func `a zstd frame comes back as it was, and smaller in between`() throws {
        let packed = pack(ZstdFrame.maximumCompressedSize(text.count)) { ZstdFrame.compress($0, into: $1) }
        #expect(packed.count < text.count / 4)
        let size = try #require(packed.withUnsafeBytes { ZstdFrame.uncompressedSize($0) })
        #expect(unpack(packed, size) { ZstdFrame.decompress($0, into: $1) } == text)
        #expect(unpack(Array(packed.dropLast(3)), size) { ZstdFrame.decompress($0, into: $1) } == nil)
    }

    @Test func `a snappy block that announces more than it can hold is refused`() {
        let bomb: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0]
        #expect(bomb.withUnsafeBytes { SnappyBlock.uncompressedSize($0) } == nil)
    }

    private func pack(
        _ room: Int, _ body: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) -> Int
    ) -> [UInt8] {
        var target = [UInt8](repeating: 0, count: room)
        let count = text.withUnsafeBytes { source in target.withUnsafeMutableBytes { body(source, $0) } }
        return Array(target.prefix(count))
    }

    private func unpack(
        _ bytes: [UInt8], _ size: Int, _ body: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) -> Int?
    ) -> [UInt8]? {
        var target = [UInt8](repeating: 0, count: size)
        let count = bytes.withUnsafeBytes { source in target.withUnsafeMutableBytes { body(source, $0) } }
        return count.map { Array(target.prefix($0)) }
    }
}
