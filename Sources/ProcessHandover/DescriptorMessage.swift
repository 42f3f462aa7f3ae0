/// The message that goes with descriptors: their names, in their order.
///
///     ┌─ 4 ──┬─ 1 ─────┬─ 1 ───┬─ 1 ────┬─ length ─┬──
///     │ KHOD │ version │ count │ length │   name   │ …
///     └──────┴─────────┴───────┴────────┴──────────┴──
struct DescriptorMessage: Equatable {
  static let magic = Array("KHOD".utf8)
  static let version: UInt8 = 1
  static let byteCountLimit = 6 + NamedDescriptor.countLimit * (1 + 64)

  let names: [String]

  var bytes: [UInt8] {
    Self.magic + [Self.version, UInt8(names.count)]
      + names.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
  }

  init(_ names: [String]) { self.names = names }

  /// Reads what a peer sent.
  init(parsing bytes: [UInt8]) throws(DescriptorChannelError) {
    guard bytes.count >= 6, bytes.starts(with: Self.magic) else { throw .malformedMessage }
    guard bytes[4] == Self.version else { throw .unsupportedVersion(bytes[4]) }
    guard bytes[5] <= NamedDescriptor.countLimit else { throw .malformedMessage }
    var names: [String] = []
    var rest = bytes[6...]
    for _ in 0..<bytes[5] {
      guard let count = rest.popFirst(), rest.count >= count,
        let name = String(validating: rest.prefix(Int(count)), as: UTF8.self),
        NamedDescriptor.isValidName(name), !names.contains(name)
      else { throw .malformedMessage }
      names.append(name)
      rest.removeFirst(Int(count))
    }
    guard rest.isEmpty else { throw .malformedMessage }
    self.names = names
  }
}
