@main
struct Narthex {
    static func main() {}
}
