import FuzzBodies
import FuzzDriver

@main struct FuzzGateway {
    static func main() { FuzzDriver.fuzz(FuzzGatewayBody.run) }
}
