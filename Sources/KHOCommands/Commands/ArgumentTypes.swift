internal import ArgumentParser
internal import KexecHandover

/// A number as an operator writes it; notes what is wrong where it is not one.
func parseNumber(_ text: some StringProtocol) -> UInt64? {
  do throws(NumberText.Failure) { return try NumberText.parse(text) } catch {
    return invalid(error.reason)
  }
}

/// Notes why an argument cannot be read, for the message about it.
@discardableResult
func invalid(_ reason: String) -> UInt64? {
  Console.current.argumentReason = reason
  return nil
}

/// A physical address.
struct AddressArgument: ExpressibleByArgument {
  let address: PhysicalAddress

  init?(argument: String) {
    guard let value = parseNumber(argument) else { return nil }
    address = PhysicalAddress(value)
  }
}

/// Where a raw image, or a part of it, is: `ADDR`, or `OFFSET=ADDR`.
struct BaseArgument: ExpressibleByArgument {
  let part: RawLayout.Part

  init?(argument: String) {
    let sides = argument.split(separator: "=", omittingEmptySubsequences: false)
    guard (1...2).contains(sides.count), let address = parseNumber(sides[sides.count - 1]),
      let offset = sides.count == 2 ? parseNumber(sides[0]) : 0
    else { return nil }
    part = RawLayout.Part(fileOffset: offset, address: PhysicalAddress(address))
  }
}

/// A kind of virtual machine.
struct VirtualMachineArgument: ExpressibleByArgument {
  let machine: VirtualMachine

  init?(argument: String) {
    guard let machine = VirtualMachine(rawValue: argument) else { return nil }
    self.machine = machine
  }

  static var allValueStrings: [String] { VirtualMachine.allCases.map(\.rawValue) }
}

/// A number of bytes.
package struct SizeArgument: ExpressibleByArgument {
  package let byteCount: UInt64

  package init(_ byteCount: UInt64) { self.byteCount = byteCount }

  package init?(argument: String) {
    guard let value = parseNumber(argument) else { return nil }
    byteCount = value
  }

  package var defaultValueDescription: String { byteText(byteCount) }
}

/// A stretch of addresses, `A-B`: from A up to, but not including, B.
struct AddressFilter: ExpressibleByArgument {
  let range: PhysicalRange

  init?(argument: String) {
    let ends = argument.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2 else {
      invalid("it is not A-B, two addresses with a dash between them")
      return nil
    }
    guard let start = parseNumber(ends[0]), let end = parseNumber(ends[1]) else { return nil }
    guard start < end else {
      invalid("its end is not above its start")
      return nil
    }
    range = PhysicalRange(start: PhysicalAddress(start), byteCount: end - start)
  }
}

/// The page sizes of the machines that have KHO.
enum PageSizeArgument: String, ExpressibleByArgument, CaseIterable {
  case size4KiB = "4K"
  case size16KiB = "16K"
  case size64KiB = "64K"

  init?(argument: String) { self.init(rawValue: argument.uppercased()) }

  var geometry: PageGeometry {
    switch self {
    case .size4KiB: .pages4KiB
    case .size16KiB: .pages16KiB
    case .size64KiB: .pages64KiB
    }
  }
}

/// The bitmap sizes of `kho-v1`.
enum ChunkBitmapArgument: String, ExpressibleByArgument, CaseIterable {
  case bytes512 = "512"
  case page

  var size: ChunkBitmapSize {
    switch self {
    case .bytes512: .bytes512
    case .page: .page
    }
  }
}
