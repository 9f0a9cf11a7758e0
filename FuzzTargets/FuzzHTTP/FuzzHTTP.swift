import FuzzNetworkBodies
import FuzzDriver

@main struct FuzzHTTP {
    static func main() { FuzzDriver.fuzz(FuzzHTTPBody.run) }
}
