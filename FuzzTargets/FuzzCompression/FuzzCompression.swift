import FuzzBodies
import FuzzDriver

@main struct FuzzCompression {
    static func main() { FuzzDriver.fuzz(FuzzCompressionBody.run) }
}
