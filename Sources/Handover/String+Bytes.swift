extension String {
  /// Whether both strings have the same UTF-8 bytes.
  ///
  /// Names in these formats are bytes. `==` compares by canonical equivalence, for which a freestanding
  /// program would carry 33 KiB of Unicode tables.
  func hasBytes(of other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
