/// What the environment variable of a successor says: which descriptor has which name, and what it
/// points to.
///
///     KHO_HANDOVER=1;memory=3:1a:5f3;lock=4:1a:5f3
///
/// A version; then for each descriptor its name, percent-encoded, its number, and in hexadecimal
/// the device and inode that fstat(2) gives, by which a number that was reused is noticed.
struct SuccessorVariable: Equatable {
  static let name = "KHO_HANDOVER"
  static let version: UInt32 = 1

  /// Longer than any that was written: 64 names, all of it escaped, and the numbers.
  static let byteCountLimit = 64 * (3 * 64 + 48)

  struct Entry: Equatable {
    let name: String
    let number: Int32
    let identity: FileIdentity
  }

  let entries: [Entry]

  var text: String {
    var text = String(Self.version)
    for entry in entries {
      text += ";\(Self.escaped(entry.name))=\(entry.number)"
      text += ":" + String(entry.identity.device, radix: 16)
      text += ":" + String(entry.identity.inode, radix: 16)
    }
    return text
  }

  init(_ entries: [Entry]) { self.entries = entries }

  /// Reads what a process put into the environment.
  init(parsing text: String) throws(SuccessorError) {
    guard text.utf8.count <= Self.byteCountLimit else { throw .malformedVariable }
    let fields = Self.split(text.utf8[...], at: ";")
    guard let version = Self.decimal(fields[0]) else { throw .malformedVariable }
    guard version == Self.version else { throw .unsupportedVersion(version) }
    guard fields.count <= 1 + NamedDescriptor.countLimit else { throw .malformedVariable }
    var entries: [Entry] = []
    for field in fields.dropFirst() {
      guard let entry = Self.entry(field),
        !entries.contains(where: { $0.name == entry.name || $0.number == entry.number })
      else { throw .malformedVariable }
      entries.append(entry)
    }
    self.entries = entries
  }

  /// The parts of the text, of ASCII, so that it is split by bytes: characters would first have to be found.
  private static func split(
    _ text: Substring.UTF8View, at separator: Unicode.Scalar
  ) -> [Substring.UTF8View] {
    text.split(separator: UInt8(ascii: separator), omittingEmptySubsequences: false)
  }

  private static func entry(_ field: Substring.UTF8View) -> Entry? {
    let halves = split(field, at: "=")
    guard halves.count == 2, let name = unescaped(halves[0]), NamedDescriptor.isValidName(name)
    else { return nil }
    let numbers = split(halves[1], at: ":")
    guard numbers.count == 3, let number = decimal(numbers[0]).flatMap(Int32.init(exactly:)),
      let device = hexadecimal(numbers[1]), let inode = hexadecimal(numbers[2])
    else { return nil }
    return Entry(
      name: name, number: number, identity: FileIdentity(device: device, inode: inode))
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
  }

  /// Digits and nothing else, not even a sign.
  private static func decimal(_ text: Substring.UTF8View) -> UInt32? {
    text.allSatisfy(isDigit) ? UInt32(Substring(text)) : nil
  }

  private static func hexadecimal(_ text: Substring.UTF8View) -> UInt64? {
    text.allSatisfy(isHexDigit) ? UInt64(Substring(text), radix: 16) : nil
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
  }

  private static func escaped(_ name: String) -> String {
    name.utf8.reduce(into: "") { text, byte in
      if isPlain(byte) {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        // A name is printable, so two digits are enough and none is missing.
        text += "%" + String(byte, radix: 16)
      }
    }
  }

  private static func unescaped(_ text: Substring.UTF8View) -> String? {
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      if isPlain(byte) {
        bytes.append(byte)
      } else {
        let digits = rest.prefix(2)
        guard byte == UInt8(ascii: "%"), digits.count == 2, digits.allSatisfy(isHexDigit),
          let escaped = UInt8(Substring(digits), radix: 16)
        else { return nil }
        bytes.append(escaped)
        rest.removeFirst(2)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
