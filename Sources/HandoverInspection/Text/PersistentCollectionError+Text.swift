package import PersistentCollections

extension PersistentCollectionError {
  /// What was found in `place`, as it follows `kho: PATH: `.
  package func sentence(in place: String) -> String {
    switch self {
    case .damaged(let address): "\(place) is damaged at \(address)"
    case .unknownLayout(let version): "\(place) is of layout \(version), which is not known here"
    case .notThisCollection: "\(place) is of a kind that is not known here"
    default: "\(place) cannot be read (\(self))"
    }
  }
}
