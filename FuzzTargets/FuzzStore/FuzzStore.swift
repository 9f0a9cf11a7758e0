import FuzzBodies
import FuzzDriver

@main struct FuzzStore {
    static func main() { FuzzDriver.fuzz(FuzzStoreBody.run) }
}
