import FuzzBodies
import FuzzDriver

@main struct FuzzBlocks {
    static func main() { FuzzDriver.fuzz(FuzzBlocksBody.run) }
}
