/// Things with names on two sides, brought together.
package struct Pairing<Element> {
  /// By name: those of both, in the order of A, and those that only A has; then those that only B has.
  ///
  /// Elements that have the same name, which is an error, are paired in their order.
  package private(set) var pairs: [(a: Element?, b: Element?)] = []

  package init(_ a: [Element], _ b: [Element], by name: (Element) -> String) {
    var places: [String: [Int]] = [:]
    for index in b.indices.reversed() { places[name(b[index]), default: []].append(index) }
    var isPaired = [Bool](repeating: false, count: b.count)
    for element in a {
      let index = places[name(element)]?.popLast()
      if let index { isPaired[index] = true }
      pairs.append((element, index.map { b[$0] }))
    }
    for index in b.indices where !isPaired[index] { pairs.append((nil, b[index])) }
  }
}
