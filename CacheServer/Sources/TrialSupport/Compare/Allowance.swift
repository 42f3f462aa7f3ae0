/// How two answers may differ that are not the same bytes, and why.
public enum Allowance: String, CaseIterable, Sendable {
  /// They may not.
  case none
  /// As ``reason`` says of each.
  case sorted, seconds, milliseconds, number, kind, hello, config, info, client, subset

  /// Why the bytes cannot be the same; empty for ``none``.
  public var reason: String {
    switch self {
    case .none: ""
    case .sorted: "keys come in the order of the table: compared sorted"
    case .seconds: "the servers are asked one after the other: at most 2 s apart"
    case .milliseconds: "the servers are asked one after the other: at most 2000 ms apart"
    case .number: "a number that only this server can have: compared that it is one"
    case .kind: "time, memory or another server's list: compared that it is of that kind"
    case .hello: "the answer to HELLO names the server's version and the connection's number"
    case .config:
      "of the settings, those are compared that both have and that are not of this server alone"
    case .info: "INFO: compared that redis-server has every field, and what the keys determine"
    case .client: "addresses, numbers and times of a connection: the other fields are compared"
    case .subset: "redis-server has more commands: compared that it has every one but UPGRADE"
    }
  }

  /// Whether `ours` is as good as `theirs`.
  public func accepts(_ ours: ReceivedReply, _ theirs: ReceivedReply) -> Bool {
    if ours.bytes == theirs.bytes { return true }
    // The type has to be the same whatever else may differ, as an array and an error, or a map of RESP3 and an array.
    guard self != .none, let type = ours.bytes.first, type == theirs.bytes.first else {
      return false
    }
    switch self {
    case .none: return false
    case .sorted: return Self.sorted(ours.reply) == Self.sorted(theirs.reply)
    case .seconds: return Self.isNear(ours.reply, theirs.reply, 2)
    case .milliseconds: return Self.isNear(ours.reply, theirs.reply, 2000)
    case .number:
      guard case .integer = ours.reply, case .integer = theirs.reply else { return false }
      return true
    case .kind: return Self.haveSameShape(ours.reply, theirs.reply)
    case .hello: return Self.masked(ours.reply) == Self.masked(theirs.reply)
    case .config: return Self.agree(Self.pairs(ours.reply), Self.pairs(theirs.reply))
    case .info:
      return InfoText.isAnswered(by: ours.reply.text ?? "", where: theirs.reply.text ?? "")
    case .client:
      return ClientText.isAnswered(by: ours.reply.text ?? "", where: theirs.reply.text ?? "")
    case .subset:
      guard case .array(let mine) = ours.reply, case .array(let others) = theirs.reply else {
        return false
      }
      return !mine.isEmpty
        && mine.allSatisfy { others.contains($0) || $0 == .bulk(Array("upgrade".utf8)) }
    }
  }

  private static func sorted(_ reply: Reply) -> Reply {
    guard case .array(let elements) = reply else { return reply }
    let texts = elements.compactMap { if case .bulk(let bytes) = $0 { bytes } else { nil } }
    guard texts.count == elements.count else { return .array(elements.map(sorted)) }
    return .array(texts.sorted { $0.lexicographicallyPrecedes($1) }.map { .bulk($0) })
  }

  private static func isNear(_ ours: Reply, _ theirs: Reply, _ distance: Int64) -> Bool {
    guard case .integer(let mine) = ours, case .integer(let other) = theirs, mine > 0, other > 0
    else { return false }
    return abs(mine - other) <= distance
  }

  /// The same kind; of an answer of several parts, the same kinds.
  private static func haveSameShape(_ ours: Reply, _ theirs: Reply) -> Bool {
    guard case .array(let mine) = ours, case .array(let others) = theirs else {
      return areOfOneKind(ours, theirs)
    }
    return mine.count == others.count && zip(mine, others).allSatisfy(areOfOneKind)
  }

  private static func areOfOneKind(_ ours: Reply, _ theirs: Reply) -> Bool {
    switch (ours, theirs) {
    // A list that SCAN has found may have any length.
    case (.integer, .integer), (.array, .array): true
    case (.bulk(let mine), .bulk(let other)): mine.isEmpty == other.isEmpty
    default: ours == theirs
    }
  }

  /// Without the values behind "version" and "id".
  private static func masked(_ reply: Reply) -> Reply {
    guard case .array(var elements) = reply else { return reply }
    for index in elements.indices.dropFirst()
    where ["version", "id"].contains(elements[index - 1].text) {
      elements[index] = .null
    }
    return .array(elements)
  }

  private static func pairs(_ reply: Reply) -> [String: Reply] {
    guard case .array(let elements) = reply else { return [:] }
    var pairs: [String: Reply] = [:]
    for index in stride(from: 0, to: elements.count - 1, by: 2) {
      pairs[elements[index].text ?? ""] = elements[index + 1]
    }
    return pairs
  }

  private static func agree(_ ours: [String: Reply], _ theirs: [String: Reply]) -> Bool {
    // Where they listen, and how many descriptors the system gives them.
    let own: Set<String> = ["port", "maxclients"]
    let both = ours.filter { theirs[$0.key] != nil && !own.contains($0.key) }
    return !both.isEmpty && both.allSatisfy { theirs[$0.key] == $0.value }
  }
}
