import MemoryAccess

/// The code at the 32-bit entry of a PVH image: loads flat segments, as the kernel's 32-bit boot
/// protocol wants them, and jumps to the kernel with the zero page in esi.
///
/// Source: Intel SDM, volume 2 (encodings); Linux, Documentation/arch/x86/boot.rst.
enum BootStub {
  /// The bytes, for the entry at `address`.
  static func code(
    at address: PhysicalAddress, kernel: PhysicalAddress, zeroPage: PhysicalAddress
  ) -> [UInt8] {
    let start = address.rawValue
    let tableOffset: UInt64 = 64
    var code: [UInt8] = [0xfa, 0xfc]  // cli; cld
    code += [0x0f, 0x01, 0x15]  // lgdt [descriptor]
    code.append(start + tableOffset + 32, 4)
    let jump = UInt64(code.count + 7)
    code.append(0xea)  // ljmp 0x10:next
    code.append(start + jump, 4)
    code += [0x10, 0x00]
    code += [0xb8, 0x18, 0, 0, 0]  // mov eax, 0x18
    code += [0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xe0, 0x8e, 0xe8, 0x8e, 0xd0]  // ds, es, fs, gs, ss
    code += [0x31, 0xdb, 0x31, 0xed, 0x31, 0xff]  // xor ebx; ebp; edi
    code.append(0xbe)  // mov esi, zero page
    code.append(zeroPage.rawValue, 4)
    code.append(0xb8)  // mov eax, kernel
    code.append(kernel.rawValue, 4)
    code += [0xff, 0xe0]  // jmp eax
    precondition(code.count <= Int(tableOffset), "a stub that runs into its table")
    code += [UInt8](repeating: 0, count: Int(tableOffset) - code.count)
    // Selectors 0x10, code, and 0x18, data: 0 to 4 GiB, 32-bit.
    for descriptor in [0, 0, 0x00cf_9a00_0000_ffff, 0x00cf_9200_0000_ffff] as [UInt64] {
      code.append(descriptor, 8)
    }
    // The table's limit and address.
    code.append(31, 2)
    code.append(start + tableOffset, 4)
    return code
  }
}
