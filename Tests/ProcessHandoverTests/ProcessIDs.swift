import Platform

/// The number of the process that runs the tests.
enum ProcessIDs {
  static var own: Int32 { getpid() }
}
