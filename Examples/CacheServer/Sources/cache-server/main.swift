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
case .serving(let server): exit(await server.run())
}
