/// Why a walk with a closure ended early.
@nonexhaustive
public enum DeviceTreeWalkError<Failure: Error>: Error {
  /// The bytes have changed since they were checked and are not a tree now.
  case malformed(DeviceTreeError)
  /// The closure threw.
  case stopped(Failure)
}

extension DeviceTreeWalkError: Equatable where Failure: Equatable {}

extension DeviceTreeNode {
  /// Calls `body` with each property of the node, in the order of the blob.
  ///
  /// - Throws: ``DeviceTreeWalkError/stopped(_:)`` with the error of `body`, after which nothing is
  ///   visited; ``DeviceTreeWalkError/malformed(_:)`` where the bytes have changed.
  /// - Complexity: O(*n*) in the number of properties.
  public func forEachProperty<Failure: Error>(
    _ body: (borrowing DeviceTreeProperty) throws(Failure) -> Void
  ) throws(DeviceTreeWalkError<Failure>) {
    var properties = self.properties
    while true {
      let next: DeviceTreeProperty?
      do { next = try properties.next() } catch { throw .malformed(error) }
      guard let property = next else { return }
      do { try body(property) } catch { throw .stopped(error) }
    }
  }

  /// Calls `body` with each child node, in the order of the blob.
  ///
  /// - Throws: ``DeviceTreeWalkError/stopped(_:)`` with the error of `body`, after which nothing is
  ///   visited; ``DeviceTreeWalkError/malformed(_:)`` where the bytes have changed.
  /// - Complexity: O(*n*) in the length of the node.
  public func forEachChild<Failure: Error>(
    _ body: (borrowing DeviceTreeNode) throws(Failure) -> Void
  ) throws(DeviceTreeWalkError<Failure>) {
    var children = self.children
    while true {
      let next: DeviceTreeNode?
      do { next = try children.next() } catch { throw .malformed(error) }
      guard let child = next else { return }
      do { try body(child) } catch { throw .stopped(error) }
    }
  }
}
