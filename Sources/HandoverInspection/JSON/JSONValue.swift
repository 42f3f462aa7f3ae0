internal import MemoryAccess

/// A JSON document, or a part of one, as the reports of this library are made and as files are read.
///
/// ```swift
/// let image = try HandoverImage.open("vmcore.elf")
/// let report = JSONDocument.owners(image.surveys.map { ($0, $0.owners(in: image.memory)) })
/// print(report.text())
/// ```
///
/// Numbers are integers from 0 to 2^64 − 1: the schemas have no others.
public indirect enum JSONValue: Hashable, Sendable {
  /// No value.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number.
  case number(UInt64)
  /// A text.
  case string(String)
  /// Values in their order.
  case array([JSONValue])
  /// Members in their order.
  case object([Member])

  /// A name and its value.
  public struct Member: Hashable, Sendable {
    /// The name.
    public let name: String
    /// The value.
    public let value: JSONValue

    /// A member of an object.
    public init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// Returns the value of the object's first member called `name`, or nil if the object does not contain such a
  /// member, or this value is not an object.
  ///
  /// - Complexity: O(members).
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }
}

/// What can be a value in a report.
package protocol JSONConvertible {
  /// The value.
  var json: JSONValue { get }
}

extension JSONValue: JSONConvertible {
  package var json: JSONValue { self }

  /// An object whose members are in the order of `members`.
  package init(_ members: KeyValuePairs<String, any JSONConvertible>) {
    self = .object(members.map { Member($0.key, $0.value.json) })
  }

  /// An object with a number for each order, named by the order.
  package init<Number: BinaryInteger>(
    byOrder numbers: some Sequence<(order: Number, count: UInt64)>
  ) {
    self = .object(numbers.map { Member("\($0.order)", .number($0.count)) })
  }
}

extension Bool: JSONConvertible {
  package var json: JSONValue { .bool(self) }
}

extension String: JSONConvertible {
  package var json: JSONValue { .string(self) }
}

extension JSONConvertible where Self: BinaryInteger {
  /// - Precondition: the number is not negative.
  package var json: JSONValue { .number(UInt64(self)) }
}

extension Int: JSONConvertible {}
extension Int32: JSONConvertible {}
extension UInt8: JSONConvertible {}
extension UInt16: JSONConvertible {}
extension UInt32: JSONConvertible {}
extension UInt64: JSONConvertible {}

extension PhysicalAddress: JSONConvertible {
  package var json: JSONValue { .number(rawValue) }
}

extension PageOrder: JSONConvertible {
  package var json: JSONValue { .number(UInt64(rawValue)) }
}

extension Optional: JSONConvertible where Wrapped: JSONConvertible {
  package var json: JSONValue { self?.json ?? .null }
}

extension Array: JSONConvertible where Element: JSONConvertible {
  package var json: JSONValue { .array(map(\.json)) }
}
