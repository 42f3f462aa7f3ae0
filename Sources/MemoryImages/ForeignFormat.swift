/// Files that are recognised by their signature and are not read: what they are, and the way to a file
/// that can be read.
@nonexhaustive
public enum ForeignFormat: Hashable, Sendable, CaseIterable {
  // Virtual machines.
  case qemuMigrationStream
  case libvirtSave
  case qcow2
  case vmdk
  case vhdx
  case vdi
  case virtualBoxState
  case vmwareState
  // Xen.
  case xenDump
  case xenSave
  // Other dumps.
  case processCore
  case windowsDump
  case windowsMinidump
  case windowsHibernation
  case sadump
  case lkcd
  case hpak
  case ewf
  // Programs.
  case executable
  case objectFile
  case windowsProgram
  case kernelImage
  // Containers of anything.
  case luks
  case bzip2
  case lz4
  case lzop
  case compress
  case zip
  case sevenZip
  case tar
  case swapDevice

  /// What the file is, with its article.
  public var name: String {
    switch self {
    case .qemuMigrationStream: "a QEMU migration stream"
    case .libvirtSave: "a saved guest of libvirt (virsh save)"
    case .qcow2: "a qcow2 disk image"
    case .vmdk: "a VMware disk image"
    case .vhdx: "a Hyper-V disk image"
    case .vdi: "a VirtualBox disk image"
    case .virtualBoxState: "a saved state of VirtualBox"
    case .vmwareState: "a snapshot or suspended state of VMware"
    case .xenDump: "a dump of Xen or of one of its guests"
    case .xenSave: "a saved guest of Xen"
    case .processCore: "the core of a process, which has no physical addresses"
    case .windowsDump: "a Windows crash dump"
    case .windowsMinidump: "a Windows minidump"
    case .windowsHibernation: "a Windows hibernation file"
    case .sadump: "an sadump file of a firmware"
    case .lkcd: "an LKCD dump"
    case .hpak: "an HPAK memory archive"
    case .ewf: "an EWF (EnCase) archive"
    case .executable: "an executable or a shared object"
    case .objectFile: "an object file"
    case .windowsProgram: "a PE program"
    case .kernelImage: "a Linux kernel image"
    case .luks: "an encrypted volume (LUKS)"
    case .bzip2: "a bzip2 file"
    case .lz4: "an LZ4 file"
    case .lzop: "an lzop file"
    case .compress: "a file of compress"
    case .zip: "a zip archive"
    case .sevenZip: "a 7z archive"
    case .tar: "a tar archive"
    case .swapDevice: "a swap area"
    }
  }

  /// What to do to get a file that can be read.
  public var remedy: String {
    switch self {
    case .qemuMigrationStream:
      "take a dump of the running guest with dump-guest-memory in QEMU's monitor, or with virsh dump"
        + " --memory-only"
    case .libvirtSave:
      "restore the guest and take a dump of it with virsh dump --memory-only"
    case .qcow2, .vmdk, .vhdx, .vdi:
      "a disk is not memory; take a dump of the guest with dump-guest-memory in QEMU's monitor, with"
        + " virsh dump --memory-only, or with the virtual machine's own command"
    case .virtualBoxState:
      "take a dump of the running guest with VBoxManage debugvm VM dumpvmcore"
    case .vmwareState:
      "convert it with vmss2core -N, which writes an ELF core"
    case .xenDump, .xenSave:
      "take a dump with kdump inside the guest; of a Xen dump, physical addresses are not those of the"
        + " guest's kernel"
    case .processCore:
      "name a dump of the machine's memory; of a process with a memory file, name that file"
    case .windowsDump, .windowsMinidump, .windowsHibernation:
      "it holds the memory of Windows, which has no handover; of a Linux guest, take the dump with"
        + " dump-guest-memory without -w"
    case .sadump:
      "convert it with makedumpfile -c or -E"
    case .lkcd:
      "take the dump with kdump"
    case .hpak, .ewf:
      "extract the raw memory from it with the tool that wrote it, and give its address with --base"
    case .executable, .objectFile, .windowsProgram, .kernelImage:
      "name a dump of the machine's memory, as /proc/vmcore, makedumpfile or dump-guest-memory give it"
    case .luks:
      "open it with cryptsetup, and name the dump inside"
    case .bzip2: "decompress it with bunzip2"
    case .lz4: "decompress it with lz4 -d"
    case .lzop: "decompress it with lzop -d"
    case .compress: "decompress it with uncompress"
    case .zip: "extract the dump with unzip"
    case .sevenZip: "extract the dump with 7z x"
    case .tar: "extract the dump with tar -xf"
    case .swapDevice: "name a dump of the machine's memory"
    }
  }
}

extension ForeignFormat {
  /// How many bytes of a file's start ``init(startingWith:)`` looks at.
  static let signatureByteCount: UInt64 = 4200

  /// The format of a file that begins with `bytes`; nil where no signature fits.
  init?(startingWith bytes: [UInt8]) {
    func has(_ text: String, at offset: Int = 0) -> Bool { has(Array(text.utf8), at: offset) }
    func has(_ wanted: [UInt8], at offset: Int = 0) -> Bool {
      bytes.count >= offset + wanted.count && bytes[offset..<offset + wanted.count] == wanted[...]
    }
    guard
      let found = Self.signatures.first(where: { has($0.bytes, at: $0.offset) })?.format
        ?? Self.textSignatures.first(where: { has($0.text, at: $0.offset) })?.format
    else { return nil }
    self = found
  }

  /// Signatures that are text: QEMU, migration/migration.h; libvirt, qemu_saveimage.h; Xen,
  /// xc_sr_stream_format.h and xl; crash, sadump.h and xendump.h.
  private static let textSignatures: [(text: String, offset: Int, format: ForeignFormat)] = [
    ("QEVM", 0, .qemuMigrationStream),
    ("LibvirtQemudSave", 0, .libvirtSave), ("LibvirtQemudPart", 0, .libvirtSave),
    ("KDMV", 0, .vmdk), ("COWD", 0, .vmdk), ("# Disk DescriptorFile", 0, .vmdk),
    ("vhdxfile", 0, .vhdx), ("conectix", 0, .vhdx),
    ("\u{7f}VirtualBox SavedState", 0, .virtualBoxState),
    ("LinuxGuestRecord", 0, .xenSave), ("XenSavedDomain", 0, .xenSave),
    ("Xen saved domain", 0, .xenSave), ("XSAV", 0, .xenSave),
    ("PAGEDU64", 0, .windowsDump), ("PAGEDUMP", 0, .windowsDump), ("MDMP", 0, .windowsMinidump),
    ("hibr", 0, .windowsHibernation), ("HIBR", 0, .windowsHibernation),
    ("sadump\0\0", 0, .sadump), ("sadump\0\0", 4096, .sadump),
    ("HPAK", 0, .hpak),
    ("HdrS", 0x202, .kernelImage), ("ARMd", 56, .kernelImage),
    ("MZ", 0, .windowsProgram),
    ("BZh", 0, .bzip2), ("PK\u{3}\u{4}", 0, .zip),
    ("ustar", 257, .tar),
    ("SWAPSPACE2", 4086, .swapDevice), ("SWAP-SPACE", 4086, .swapDevice),
  ]

  /// Signatures that are numbers.
  private static let signatures: [(bytes: [UInt8], offset: Int, format: ForeignFormat)] = [
    ([0x51, 0x46, 0x49, 0xfb], 0, .qcow2),
    ([0x7f, 0x10, 0xda, 0xbe], 64, .vdi),
    // .vmss, .vmsn: 0xbed0bed0 to 0xbed3bed3, and the older 0xbad1bad1.
    ([0xd0, 0xbe, 0xd0, 0xbe], 0, .vmwareState), ([0xd0, 0xba, 0xd0, 0xba], 0, .vmwareState),
    ([0xd1, 0xba, 0xd1, 0xba], 0, .vmwareState), ([0xd2, 0xbe, 0xd2, 0xbe], 0, .vmwareState),
    ([0xd3, 0xbe, 0xd3, 0xbe], 0, .vmwareState),
    // XC_CORE_MAGIC, XC_CORE_MAGIC_HVM.
    ([0xed, 0xeb, 0x0f, 0xf0], 0, .xenDump), ([0xee, 0xeb, 0x0f, 0xf0], 0, .xenDump),
    // The marker of a migration stream of version 2, and its "XENF".
    ([UInt8](repeating: 0xff, count: 8) + Array("XENF".utf8), 0, .xenSave),
    ([0xed, 0x23, 0x8f, 0x61, 0x73, 0x01, 0x19, 0xa8], 0, .lkcd),
    ([0xa8, 0x19, 0x01, 0x73, 0x61, 0x8f, 0x23, 0xed], 0, .lkcd),
    ([0x45, 0x56, 0x46, 0x09, 0x0d, 0x0a, 0xff, 0x00], 0, .ewf),
    ([0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe], 0, .luks),
    ([0x04, 0x22, 0x4d, 0x18], 0, .lz4), ([0x02, 0x21, 0x4c, 0x18], 0, .lz4),
    ([0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a], 0, .lzop),
    ([0x1f, 0x9d], 0, .compress),
    ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], 0, .sevenZip),
  ]
}
