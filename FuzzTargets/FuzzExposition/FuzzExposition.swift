import FuzzBodies
import FuzzDriver

@main struct FuzzExposition {
    static func main() { FuzzDriver.fuzz(FuzzExpositionBody.run) }
}
