/// What the core does where a caller breaks a precondition: it calls ``handler`` with the message, and then
/// ends the program.
///
/// A freestanding program has no standard error, and a trap alone shows nothing but an address. A kernel
/// sets the handler first of all, and prints the message on its console:
///
/// ```swift
/// unsafe Panic.handler = { message in
///   message.withUTF8Buffer { console.write($0) }
/// }
/// ```
///
/// Only what a defect in the caller can cause comes here. What memory, the machine or another program
/// decides is thrown. Traps of the language itself, as of an array's index, do not come here.
public enum Panic {
  /// Called with the message, once, on the thread that broke the precondition. It may end the program
  /// itself; where it returns, the program ends with a trap.
  ///
  /// Unsafe: set it before other threads use the core.
  @unsafe
  public nonisolated(unsafe) static var handler: ((StaticString) -> Void)?

  /// Ends the program, after telling the handler why.
  @usableFromInline
  @inline(never)
  package static func end(_ message: StaticString) -> Never {
    // SAFETY: set before other threads use the core, as its documentation asks.
    if let handler = unsafe handler { handler(message) }
    preconditionFailure("\(message)")
  }
}

/// Ends the program where `condition` does not hold, as `precondition` does, through ``Panic``.
@inlinable
@inline(__always)
package func require(that condition: Bool, _ message: StaticString) {
  if _slowPath(!condition) { Panic.end(message) }
}
