internal import CLibFuzzer
internal import FuzzTargets
internal import Glibc

var count = CommandLine.argc
// SAFETY: the process's own arguments, which libFuzzer may reorder; nothing else reads them.
var arguments = unsafe CommandLine.unsafeArgv
let status = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
  // SAFETY: libFuzzer lends the bytes for the length of the call.
  unsafe fuzzDecompression(UnsafeRawBufferPointer(start: start, count: count).bytes)
  return 0
}
exit(status)
