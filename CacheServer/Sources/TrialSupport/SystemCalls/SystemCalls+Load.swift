internal import CTrialSupport
internal import SystemPackage

extension SystemCalls {
  /// Sends a load to a port of 127.0.0.1: see ``RequestLoad``.
  ///
  /// - Parameter isConnecting: whether each batch has a connection of its own.
  /// - Returns: how many batches were answered, and in how many nanoseconds.
  static func load(
    port: UInt16, requests: [UInt8], replies: [UInt8], clientCount: Int, batchCount: Int,
    milliseconds: Int, isConnecting: Bool
  ) throws(Errno) -> (batches: UInt64, nanoseconds: UInt64) {
    let count = clientCount * batchCount
    var result = ct_load_result()
    // SAFETY: the bytes are lent for the length of the call; the sizes are those of equal parts of them.
    let ended = unsafe requests.withUnsafeBufferPointer { requests in
      unsafe replies.withUnsafeBufferPointer { replies in
        var load = unsafe ct_load(
          requests: requests.baseAddress, replies: replies.baseAddress,
          request_size: requests.count / count, reply_size: replies.count / count,
          clients: CInt(clientCount), batches: CInt(batchCount), milliseconds: CInt(milliseconds),
          port: port)
        return isConnecting
          ? unsafe ct_connect_often(&load, &result) : unsafe ct_run_load(&load, &result)
      }
    }
    _ = try checked(ended)
    return (result.batches, result.nanoseconds)
  }
}
