import DeviceTreeBlob
import Testing

/// Every rule broken, each with the offset that the error must name.
@Suite struct MalformedBlobTests {
  private func error(_ bytes: [UInt8]) -> DeviceTreeError? {
    withBytes(of: bytes) { span in
      do throws(DeviceTreeError) {
        try readEverything(span)
        return nil
      } catch { return error }
    }
  }

  private func error(structure: [UInt32], strings: [UInt8] = []) -> DeviceTreeError? {
    error(rawBlob(structure: structure, strings: strings))
  }

  private let minimal: [UInt32] = [1, 0, 2, 9]

  private func error(_ value: UInt32, at offset: Int) -> DeviceTreeError? {
    var bytes = rawBlob(structure: minimal, strings: [112, 0])
    put(value, at: offset, in: &bytes)
    return error(bytes)
  }

  @Test func header() {
    #expect(error([]) == .truncatedHeader(offset: 0))
    #expect(error([UInt8](repeating: 0, count: 39)) == .truncatedHeader(offset: 39))
    #expect(error(0xedfe_0dd0, at: 0) == .badMagic(0xedfe_0dd0, offset: 0))
    #expect(
      error(15, at: 20)
        == .unsupportedVersion(version: 15, lastCompatibleVersion: 16, offset: 20))
    #expect(
      error(18, at: 24)
        == .unsupportedVersion(version: 17, lastCompatibleVersion: 18, offset: 20))
    #expect(error(39, at: 4) == .totalSizeTooSmall(39, offset: 4))
    #expect(error(75, at: 4) == .truncatedBlob(totalByteCount: 75, offset: 74))
    #expect(error(0xffff_ffff, at: 4) == .truncatedBlob(totalByteCount: 0xffff_ffff, offset: 74))
  }

  @Test func blocks() {
    #expect(error(58, at: 8) == .misalignedBlock(58, offset: 8))
    #expect(error(44, at: 16) == .misalignedBlock(44, offset: 16))
    #expect(error(14, at: 36) == .misalignedBlock(14, offset: 36))
    #expect(
      error(0xffff_fffc, at: 8) == .blockOutOfBounds(start: 0xffff_fffc, byteCount: 16, offset: 8))
    #expect(
      error(0xffff_fffc, at: 36)
        == .blockOutOfBounds(start: 56, byteCount: 0xffff_fffc, offset: 8))
    #expect(
      error(0xffff_ffff, at: 12)
        == .blockOutOfBounds(start: 0xffff_ffff, byteCount: 2, offset: 12))
    #expect(
      error(0xffff_ffff, at: 32)
        == .blockOutOfBounds(start: 72, byteCount: 0xffff_ffff, offset: 12))
    #expect(
      error(0xffff_fff8, at: 16)
        == .blockOutOfBounds(start: 0xffff_fff8, byteCount: 16, offset: 16))
    #expect(error(8, at: 16) == .overlappingBlocks(offset: 16))
    #expect(error(36, at: 8) == .overlappingBlocks(offset: 8))
    #expect(error(48, at: 8) == .overlappingBlocks(offset: 8))
    #expect(error(50, at: 12) == .overlappingBlocks(offset: 12))
    #expect(error(71, at: 12) == .overlappingBlocks(offset: 8))
  }

  @Test func reservations() {
    var bytes = rawBlob(structure: minimal)
    for offset in 40..<56 { bytes[offset] = 0xff }
    #expect(error(bytes) == .reservationOverflow(offset: 40))
    for offset in 40..<56 { bytes[offset] = 1 }
    // The structure's words are taken for entries until the bytes end.
    #expect(error(bytes) == .unterminatedReservations(offset: 72))
  }

  @Test func tokens() {
    #expect(error(structure: minimal) == nil)
    #expect(error(structure: []) == .truncatedStructure(offset: 56))
    #expect(error(structure: [1, 0, 2]) == .truncatedStructure(offset: 68))
    #expect(error(structure: [4, 4]) == .truncatedStructure(offset: 64))
    #expect(error(structure: [1, 0, 5, 2, 9]) == .unknownToken(5, offset: 64))
    #expect(error(structure: [1, 0, 3]) == .truncatedStructure(offset: 68))
    #expect(error(structure: [1, 0, 3, 0]) == .truncatedStructure(offset: 72))
    #expect(
      error(structure: [1, 0, 3, 13, 0, 0, 2, 9], strings: [112, 0])
        == .propertyTooLong(byteCount: 13, offset: 68))
    #expect(
      error(structure: [1, 0, 3, 0xffff_ffff, 0, 0, 2, 9], strings: [112, 0])
        == .propertyTooLong(byteCount: 0xffff_ffff, offset: 68))
  }

  @Test func nesting() {
    #expect(error(structure: [9]) == .missingRoot(offset: 56))
    #expect(error(structure: [2, 9]) == .unmatchedEndNode(offset: 56))
    #expect(error(structure: [1, 0, 2, 2, 9]) == .unmatchedEndNode(offset: 68))
    #expect(error(structure: [1, 0, 9]) == .endInsideNode(offset: 64))
    #expect(error(structure: [1, 0, 2, 1, 0, 2, 9]) == .secondRoot(offset: 68))
    #expect(
      error(structure: [3, 0, 0, 1, 0, 2, 9], strings: [112, 0])
        == .propertyOutsideNode(offset: 56))
    #expect(
      error(structure: [1, 0, 2, 3, 0, 0, 9], strings: [112, 0])
        == .propertyOutsideNode(offset: 68))
    #expect(
      error(structure: [1, 0, 1, 0x6100_0000, 2, 3, 0, 0, 2, 9], strings: [112, 0])
        == .propertyAfterChildNode(offset: 76))
  }

  @Test func names() {
    #expect(error(structure: [1, 0x6100_0000, 2, 9]) == .rootHasName(offset: 60))
    #expect(error(structure: [1, 0, 1, 0, 2, 2, 9]) == .emptyName(offset: 68))
    #expect(error(structure: [1, 0, 1, 0x6161_6161]) == .unterminatedName(offset: 68))
    let long = [UInt32](repeating: 0x6161_6161, count: 64)
    #expect(error(structure: [1, 0, 1] + long + [0, 2, 2, 9]) == .nameTooLong(offset: 68))
    #expect(error(structure: [1, 0, 1] + long.dropLast() + [0x6161_6100, 2, 2, 9]) == nil)
    let property: [UInt32] = [1, 0, 3, 0, 0, 2, 9]
    #expect(error(structure: property, strings: [0]) == .emptyName(offset: 84))
    #expect(error(structure: property, strings: [112]) == .unterminatedName(offset: 84))
    #expect(error(structure: property) == .nameOffsetOutOfBounds(0, offset: 72))
    #expect(
      error(structure: [1, 0, 3, 0, 0xffff_ffff, 2, 9], strings: [112, 0])
        == .nameOffsetOutOfBounds(0xffff_ffff, offset: 72))
    #expect(
      error(structure: property, strings: [UInt8](repeating: 112, count: 256) + [0])
        == .nameTooLong(offset: 84))
  }

  @Test func depth() {
    func nested(_ depth: Int) -> [UInt32] {
      let a: UInt32 = 0x6100_0000
      return [1, 0] + (0..<depth).flatMap { _ in [1, a] } + (0..<depth).map { _ in 2 } + [2, 9]
    }
    #expect(error(structure: nested(DeviceTree.maximumDepth)) == nil)
    #expect(
      error(structure: nested(DeviceTree.maximumDepth + 1))
        == .tooDeep(offset: 56 + 8 * (DeviceTree.maximumDepth + 1)))
    #expect(
      error(structure: nested(100_000))
        == .tooDeep(offset: 56 + 8 * (DeviceTree.maximumDepth + 1)))
  }
}
