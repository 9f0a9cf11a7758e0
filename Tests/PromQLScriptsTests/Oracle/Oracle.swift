import Foundation
import Synchronization

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Another engine, asked over HTTP: a program around Prometheus' own that speaks the text of ``AnswerText``.
///
/// `POST /load` takes `load` commands, `/batch` a query a line, `/parse` an expression a line.
struct Oracle {
    /// The one that `NARTHEX_PROMQL_ORACLE` names, for example `http://127.0.0.1:9314`.
    static let configured: Oracle? = ProcessInfo.processInfo.environment["NARTHEX_PROMQL_ORACLE"]
        .flatMap { URL(string: $0) }.map { Oracle(base: $0) }

    let base: URL

    struct Refusal: Error {
        let message: String
    }

    /// Sends `body` and waits for the answer.
    func post(_ path: String, _ body: String) throws -> String {
        var request = URLRequest(url: base.appendingPathComponent(path))
        request.httpMethod = "POST"
        request.httpBody = Data(body.utf8)
        request.timeoutInterval = 120
        let answer = Mutex<Result<String, any Error>?>(nil)
        let done = DispatchSemaphore(value: 0)
        URLSession.shared.dataTask(with: request) { data, response, error in
            let text = String(decoding: data ?? Data(), as: UTF8.self)
            let isGood = (response as? HTTPURLResponse)?.statusCode == 200
            answer.withLock {
                $0 = isGood ? .success(text) : .failure(error ?? Refusal(message: text))
            }
            done.signal()
        }.resume()
        done.wait()
        return try answer.withLock { try $0?.get() ?? "" }
    }
}
