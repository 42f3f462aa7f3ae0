/// The reports of this library as JSON: the documents that `kho` prints with `--json`.
///
/// Each has a member `schema`, its name and the number of its version. Within one number, members are only
/// added. What has no value is present, and null. The article "JSON output" has all schemas, and the rules by
/// which their members are named.
public enum JSONDocument {
  /// A document of `schema`.
  package static func make(
    _ schema: String, _ members: KeyValuePairs<String, any JSONConvertible>
  ) -> JSONValue {
    .object(
      [.init("schema", .string(schema))] + members.map { .init($0.key, $0.value.json) })
  }
}
