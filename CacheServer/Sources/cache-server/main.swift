import CacheServer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

let arguments = CommandLine.arguments
// Nothing asynchronous comes before the first client is served: it would start threads.
switch CacheServerCommandLine.begin(arguments[0], Array(arguments.dropFirst())) {
case .over(let status): exit(status)
case .serving(let server):
  Task.detached { exit(await server.run()) }
  // An `await` here would end this thread, which unwinds it: in a program without libraries, that sorts
  // all unwinding tables first, which takes longer than the start, while the first clients are served.
  while true { pause() }
}
