import FuzzBodies
import FuzzDriver

@main struct FuzzPromQL {
    static func main() { FuzzDriver.fuzz(FuzzPromQLBody.run) }
}
