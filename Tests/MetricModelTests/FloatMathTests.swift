import MetricModel
import Testing

/// Bit patterns that Go's `math` gives on x86-64.
@Suite struct FloatMathTests {
    private static let functions: [String: @Sendable (Double) -> Double] = [
        "exp": FloatMath.exp, "exp2": FloatMath.exp2, "log": FloatMath.log, "log2": FloatMath.log2,
        "log10": FloatMath.log10, "sin": FloatMath.sin, "cos": FloatMath.cos, "tan": FloatMath.tan,
        "asin": FloatMath.asin, "acos": FloatMath.acos, "atan": FloatMath.atan, "sinh": FloatMath.sinh,
        "cosh": FloatMath.cosh, "tanh": FloatMath.tanh, "asinh": FloatMath.asinh, "acosh": FloatMath.acosh,
        "atanh": FloatMath.atanh,
    ]

    private static let recorded: [(String, [UInt64: UInt64])] = [
        (
            "exp",
            [
                0x3fd3333333333333: 0x3ff599058c8c1a96, 0xbfe8000000000000: 0x3fde3b40ebefcd7e,
                0x3ffb333333333333: 0x4015e552770df8a7, 0xc02a800000000000: 0x3ebd88a13d378348,
                0x40862ccccccccccd: 0x7ff0000000000000, 0x1: 0x3ff0000000000000, 0x4480f0cf064dd592: 0x7ff0000000000000,
                0xfe37e43c8800759c: 0x0, 0x40b05cebed7ce66e: 0x7ff0000000000000, 0xbfd08d1b2972c95a: 0x3fe8b539a55070c0,
                0x3fffb7ba55eb8a16: 0x401d0a0f0541832f, 0xbff7535daffeff46: 0x3fcdca462eb47b4f,
            ]
        ),
        (
            "exp2",
            [
                0x3fd3333333333333: 0x3ff3b2c47bff8329, 0xbfe8000000000000: 0x3fe306fe0a31b715,
                0x3ffb333333333333: 0x4009fdf8bcce533d, 0xc02a800000000000: 0x3f1ae89f995ad3ae,
                0x40862ccccccccccd: 0x6c48406003b2aec8, 0x1: 0x3ff0000000000000, 0x4480f0cf064dd592: 0x7ff0000000000000,
                0xfe37e43c8800759c: 0x0, 0xbfde933f23c6f582: 0x3fe6fab33adbaf20, 0xbf3afc171aebe97b: 0x3feffda98b84cc9b,
                0xbfd6b90e82b75ce8: 0x3fe904e0621a3618, 0xbfd6a69dc445d47a: 0x3fe909e00c3aa890,
            ]
        ),
        (
            "log",
            [
                0x3fd3333333333333: 0xbff34378fcbda721, 0xbfe8000000000000: 0x7ff8000000000000,
                0x3ffb333333333333: 0x3fe0fae81914a991, 0xc02a800000000000: 0x7ff8000000000000,
                0x40862ccccccccccd: 0x401a42411788849f, 0x1: 0xc08628b76e3a7b61, 0x4480f0cf064dd592: 0x40495414621954fe,
                0xfe37e43c8800759c: 0x7ff8000000000000, 0x403391a3eb9dfb70: 0x4007caa21430a34c,
                0x3fd68ab5a6efb414: 0xbff0b237c00697d1, 0x3fdc6e800e299816: 0xbfe9f6d413372508,
                0x3f9ef1f40f37bdda: 0xc00bfe7a0370dbcb,
            ]
        ),
        (
            "log2",
            [
                0x3fd3333333333333: 0xbffbca9c6f53897a, 0xbfe8000000000000: 0x7ff8000000000000,
                0x3ffb333333333333: 0x3fe87f42b972949d, 0xc02a800000000000: 0x7ff8000000000000,
                0x40862ccccccccccd: 0x4022f114d9a6cf18, 0x1: 0xc090c80000000000, 0x4480f0cf064dd592: 0x405245465683a05e,
                0xfe37e43c8800759c: 0x7ff8000000000000, 0xc05e23f1d252a99a: 0x7ff8000000000000,
                0xbf802502b3e73eed: 0x7ff8000000000000, 0x406683a56d9ec0d0: 0x401df897aacc9e7c,
                0x3fa6a62c61d1ef0c: 0xc011fe9584d37f58,
            ]
        ),
        (
            "log10",
            [
                0x3fd3333333333333: 0xbfe0bb6c34d81502, 0xbfe8000000000000: 0x7ff8000000000000,
                0x3ffb333333333333: 0x3fcd7f59aa5becb9, 0xc02a800000000000: 0x7ff8000000000000,
                0x40862ccccccccccd: 0x4006cee038ce11bf, 0x1: 0xc0733f424bcb5221, 0x4480f0cf064dd592: 0x4036000000000000,
                0xfe37e43c8800759c: 0x7ff8000000000000, 0x407a8d7e9db89782: 0x4005069cde0a7cd3,
                0x3f69e6d05e8a0e38: 0xc004002110b40f30, 0xbf7046e936cb2748: 0x7ff8000000000000,
                0xbfae4e9b9e0cb4a8: 0x7ff8000000000000,
            ]
        ),
        (
            "sin",
            [
                0x3fd3333333333333: 0x3fd2e9cd95baba33, 0xbfe8000000000000: 0xbfe5cffc16bf8f0e,
                0x3ffb333333333333: 0x3fefbbb7d72f98b7, 0xc02a800000000000: 0xbfe436283f016935,
                0x40862ccccccccccd: 0xbfd8eb51fffb352e, 0x1: 0x1, 0x4480f0cf064dd592: 0xbfeb453ab76bf398,
                0xfe37e43c8800759c: 0x3fea2c16b010e386, 0x4071b38d81ecc5dd: 0x3fdd7b055ba6d410,
                0x3f44d05c6af6197b: 0x3f44d05c537ac7de, 0xc072b0d8721d7732: 0x3fe21bf7205c9ffc,
                0xbf627e8317717ee5: 0xbf627e820fdfd095,
            ]
        ),
        (
            "cos",
            [
                0x3fd3333333333333: 0x3fee921dd42f09ba, 0xbfe8000000000000: 0x3fe769fec655211f,
                0x3ffb333333333333: 0xbfc07df9f4a26c86, 0xc02a800000000000: 0x3fe8cf2379689de9,
                0x40862ccccccccccd: 0x3fed7986235c7ca8, 0x1: 0x3ff0000000000000, 0x4480f0cf064dd592: 0x3fe0be2cef01c8f3,
                0xfe37e43c8800759c: 0xbfe2699022adc4c1, 0x3fa8412ca87129ec: 0x3feff6cf4cc89df5,
                0x3f23fb9afd04d5c3: 0x3feffffff9c2bed5, 0xc03f39211f8a8870: 0x3fef684534e8f2d3,
                0xbf55aaec5f7c980d: 0x3feffffe2a831e08,
            ]
        ),
        (
            "tan",
            [
                0x3fd3333333333333: 0x3fd3cc2a44e29998, 0xbfe8000000000000: 0xbfedcfa36110eeec,
                0x3ffb333333333333: 0xc01ec952123d33f2, 0xc02a800000000000: 0xbfea11dfa28b61eb,
                0x40862ccccccccccd: 0xbfdb0de139be3131, 0x1: 0x1, 0x4480f0cf064dd592: 0xbffa0f79c1b6b259,
                0xfe37e43c8800759c: 0xbff6be411f37ac76, 0x408f2f4db918b556: 0xc00042034ac98653,
                0x3fbe4ddb61773dc8: 0x3fbe724c2c527b67, 0x4010afd998984c65: 0x3ffaa6f076066902,
                0x3fcb4d2b077a28ec: 0x3fcbb91ee23aba6c,
            ]
        ),
        (
            "asin",
            [
                0x3fd3333333333333: 0x3fd380159e14f6ff, 0xbfe8000000000000: 0xbfeb235315c680dc,
                0x3ffb333333333333: 0x7ff8000000000000, 0xc02a800000000000: 0x7ff8000000000000,
                0x40862ccccccccccd: 0x7ff8000000000000, 0x1: 0x1, 0x4480f0cf064dd592: 0x7ff8000000000000,
                0xfe37e43c8800759c: 0x7ff8000000000000, 0x3fd48aac36935f44: 0x3fd4e96c8b852521,
                0x4072763efa0ac6ff: 0x7ff8000000000000, 0xc0753e07bbeb777c: 0x7ff8000000000000,
                0xc00e590de7137bdb: 0x7ff8000000000000,
            ]
        ),
        (
            "acos",
            [
                0x3fd3333333333333: 0x3ff441f5ecbeef58, 0xbfe8000000000000: 0x400359d26f93b6c3,
                0x3ffb333333333333: 0x7ff8000000000000, 0xc02a800000000000: 0x7ff8000000000000,
                0x40862ccccccccccd: 0x7ff8000000000000, 0x1: 0x3ff921fb54442d18, 0x4480f0cf064dd592: 0x7ff8000000000000,
                0xfe37e43c8800759c: 0x7ff8000000000000, 0x405417c3a197c47f: 0x7ff8000000000000,
                0xc01259173e287e77: 0x7ff8000000000000, 0x406525592928cbec: 0x7ff8000000000000,
                0xbfd0c5bdeb4af9cf: 0x3ffd6019befeb140,
            ]
        ),
        (
            "atan",
            [
                0x3fd3333333333333: 0x3fd2a73a661eaf06, 0xbfe8000000000000: 0xbfe4978fa3269ee1,
                0x3ffb333333333333: 0x3ff0a00a3bce369f, 0xc02a800000000000: 0xbff7ed6f431b596f,
                0x40862ccccccccccd: 0x3ff91c35a149b247, 0x1: 0x1, 0x4480f0cf064dd592: 0x3ff921fb54442d18,
                0xfe37e43c8800759c: 0xbff921fb54442d18, 0x407a149f8d4c1c02: 0x3ff9182a8123f51a,
                0xc05d2d7bf2bc7074: 0xbff8fee3251b2ec5, 0x407cc3e195f2c3af: 0x3ff919150569a3a0,
                0x4011bbd1e5a98c52: 0x3ff5954bdde07333,
            ]
        ),
        (
            "sinh",
            [
                0x3fd3333333333333: 0x3fd37d42af54b926, 0xbfe8000000000000: 0xbfea506b2dd3c690,
                0x3ffb333333333333: 0x40052a411348ac57, 0xc02a800000000000: 0xc111560c147d98e5,
                0x40862ccccccccccd: 0x7ff0000000000000, 0x1: 0x1, 0x4480f0cf064dd592: 0x7ff0000000000000,
                0xfe37e43c8800759c: 0xfff0000000000000, 0x404608f7e9ba607d: 0x43d7e97b61705f6a,
                0x407c8cc94647b653: 0x69103e83ffbbfd48, 0xbfe74f83dede369a: 0xbfe96d78e898b548,
                0x4007583bc02e135d: 0x402273a4ee5f18c6,
            ]
        ),
        (
            "cosh",
            [
                0x3fd3333333333333: 0x3ff0b9b4e0b6ec4c, 0xbfe8000000000000: 0x3ff4b705d1e5d6a8,
                0x3ffb333333333333: 0x4006a063dad344f7, 0xc02a800000000000: 0x4111560c147e0f07,
                0x40862ccccccccccd: 0x7ff0000000000000, 0x1: 0x3ff0000000000000, 0x4480f0cf064dd592: 0x7ff0000000000000,
                0xfe37e43c8800759c: 0x7ff0000000000000, 0x4076882f55501262: 0x60613f1c67f68114,
                0x3fa4836774df2c84: 0x3ff00349b40cdee6, 0x4013125059b3566d: 0x404d6b6d8f467fa8,
                0x407ba09dd8f874cc: 0x67ba7ac1fe8c18f3,
            ]
        ),
        (
            "tanh",
            [
                0x3fd3333333333333: 0x3fd2a4dda7d914fa, 0xbfe8000000000000: 0xbfe45323e552f228,
                0x3ffb333333333333: 0x3fedeedf00d3e7f5, 0xc02a800000000000: 0xbfefffffffff25f1,
                0x40862ccccccccccd: 0x3ff0000000000000, 0x1: 0x1, 0x4480f0cf064dd592: 0x3ff0000000000000,
                0xfe37e43c8800759c: 0xbff0000000000000, 0x407043d9d7d999eb: 0x3ff0000000000000,
                0x3f0a9a794d4020a4: 0x3f0a9a794cde102f, 0x403c82b26410aeac: 0x3ff0000000000000,
                0xc066b059eaffdca8: 0xbff0000000000000,
            ]
        ),
        (
            "asinh",
            [
                0x3fd3333333333333: 0x3fd2ec4ea565fcc1, 0xbfe8000000000000: 0xbfe62e42fefa39ef,
                0x3ffb333333333333: 0x3ff4d0291473fd4a, 0xc02a800000000000: 0xc00a3a80a6b6f1c5,
                0x40862ccccccccccd: 0x401d080998b977dc, 0x1: 0x1, 0x4480f0cf064dd592: 0x4049accd6e153de6,
                0xfe37e43c8800759c: 0xc0859bbfd8b83e43, 0xc07b629f69a3a2e6: 0xc01b1a5bff5c4ffc,
                0xc076f45f23e2b64e: 0xc01a65a320a00ca9, 0xc07d354356d29898: 0xc01b5c5897b18660,
                0xc08a91fb972bc315: 0xc01dc13420f73190,
            ]
        ),
        (
            "acosh",
            [
                0x3fd3333333333333: 0x7ff8000000000000, 0xbfe8000000000000: 0x7ff8000000000000,
                0x3ffb333333333333: 0x3ff1f8c10d010fe6, 0xc02a800000000000: 0x7ff8000000000000,
                0x40862ccccccccccd: 0x401d080956161c9d, 0x1: 0x7ff8000000000000, 0x4480f0cf064dd592: 0x4049accd6e153de6,
                0xfe37e43c8800759c: 0x7ff8000000000000, 0x3f70c781f0f09afb: 0x7ff8000000000000,
                0x40b25599598e68b0: 0x40224b50f8094764, 0x40ae8f517c974527: 0x4021ee02a998d771,
                0x3fa902b8ecee23ff: 0x7ff8000000000000,
            ]
        ),
        (
            "atanh",
            [
                0x3fd3333333333333: 0x3fd3cf2b50617c96, 0xbfe8000000000000: 0xbfef2272ae325a57,
                0x3ffb333333333333: 0x7ff8000000000000, 0xc02a800000000000: 0x7ff8000000000000,
                0x40862ccccccccccd: 0x7ff8000000000000, 0x1: 0x1, 0x4480f0cf064dd592: 0x7ff8000000000000,
                0xfe37e43c8800759c: 0x7ff8000000000000, 0x3f92b6ac5d10666a: 0x3f92b734ebc8f466,
                0xbf65c58c43e34b95: 0xbf65c58f9fe20268, 0x404f035061d150e7: 0x7ff8000000000000,
                0xbf6f1feb738c3467: 0xbf6f1ff5443ab603,
            ]
        ),
    ]

    private static func bits(_ value: Double) -> UInt64 { value.isNaN ? 0x7ff8_0000_0000_0000 : value.bitPattern }

    @Test(arguments: recorded) func `a function gives Go's bits`(name: String, values: [UInt64: UInt64]) throws {
        let function = try #require(Self.functions[name])
        for (x, expected) in values {
            let x = Double(bitPattern: x)
            #expect(Self.bits(function(x)) == expected, "\(name)(\(x))")
        }
    }

    private static let powers: [(UInt64, UInt64, UInt64)] = [
        (0x4000000000000000, 0x3fe0000000000000, 0x3ff6a09e667f3bcd),
        (0x3ff199999999999a, 0x400d99999999999a, 0x3ff6c3e91ed0825a),
        (0xc020000000000000, 0x4008000000000000, 0xc080000000000000),
        (0xc020000000000000, 0x3fd5555555555555, 0x7ff8000000000000), (0x4024000000000000, 0xc074300000000000, 0x2),
        (0x0, 0xbff0000000000000, 0x7ff0000000000000), (0x8000000000000000, 0xc008000000000000, 0xfff0000000000000),
        (0x401c000000000000, 0x7e37e43c8800759c, 0x7ff0000000000000),
        (0x3ee4f8b588e368f1, 0x404e000000000000, 0x1a56e1fc2f8f37a),
        (0x4008000000000000, 0xc004000000000000, 0x3fb06c22e8802d6f),
        (0x3ff000001ad7f29b, 0x41cdcd6500000000, 0x48f349445a543ab1),
    ]

    @Test func `powers have Go's bits`() {
        for (x, y, expected) in Self.powers {
            let power = FloatMath.pow(Double(bitPattern: x), Double(bitPattern: y))
            #expect(Self.bits(power) == expected, "\(Double(bitPattern: x)) ^ \(Double(bitPattern: y))")
        }
    }

    private static let angles: [(UInt64, UInt64, UInt64)] = [
        (0x3ff0000000000000, 0x4000000000000000, 0x3fddac670561bb4f),
        (0xbff0000000000000, 0x4000000000000000, 0xbfddac670561bb4f),
        (0x3ff0000000000000, 0xc000000000000000, 0x40056c6e7397f5ae), (0x0, 0xbff0000000000000, 0x400921fb54442d18),
        (0x8000000000000000, 0xbff0000000000000, 0xc00921fb54442d18), (0x4008000000000000, 0x0, 0x3ff921fb54442d18),
        (0x7ff0000000000000, 0xfff0000000000000, 0x4002d97c7f3321d2),
        (0x4004000000000000, 0x3e112e0be826d695, 0x3ff921fb5428b038),
    ]

    @Test func `angles have Go's bits`() {
        for (y, x, expected) in Self.angles {
            let angle = FloatMath.atan2(Double(bitPattern: y), Double(bitPattern: x))
            #expect(Self.bits(angle) == expected, "\(Double(bitPattern: y)), \(Double(bitPattern: x))")
        }
    }
}
