// What `COMMAND` reports about each command, in the words of Redis 7.0.

extension Command {
  /// The details that `COMMAND INFO` and `COMMAND DOCS` report.
  var details: CommandDetails {
    switch self {
    case .get:
      .init(
        categories: "@read @string @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RO access"),
        summary: "Get the value of a key",
        since: "1.0.0",
        group: "string",
        complexity: "O(1)")
    case .set:
      .init(
        categories: "@write @string @slow",
        keys: .init(
          first: 1, last: 1, step: 1, flags: "RW access update variable_flags",
          notes: "RW and ACCESS due to the optional `GET` argument"),
        summary: "Set the string value of a key",
        since: "1.0.0",
        group: "string",
        complexity: "O(1)")
    case .ping:
      .init(
        categories: "@fast @connection",
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
        summary: "Ping the server",
        since: "1.0.0",
        group: "connection",
        complexity: "O(1)")
    case .incr:
      .init(
        categories: "@write @string @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW access update"),
        summary: "Increment the integer value of a key by one",
        since: "1.0.0",
        group: "string",
        complexity: "O(1)")
    case .mget:
      .init(
        categories: "@read @string @fast",
        tips: ["request_policy:multi_shard"],
        keys: .init(first: 1, last: -1, step: 1, flags: "RO access"),
        summary: "Get the values of all the given keys",
        since: "1.0.0",
        group: "string",
        complexity: "O(N) where N is the number of keys to retrieve.")
    case .mset:
      .init(
        categories: "@write @string @slow",
        tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
        keys: .init(first: 1, last: -1, step: 2, flags: "OW update"),
        summary: "Set multiple keys to multiple values",
        since: "1.0.1",
        group: "string",
        complexity: "O(N) where N is the number of keys to set.")
    case .del:
      .init(
        categories: "@keyspace @write @slow",
        tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
        keys: .init(first: 1, last: -1, step: 1, flags: "RM delete"),
        summary: "Delete a key",
        since: "1.0.0",
        group: "generic",
        complexity: """
          O(N) where N is the number of keys that will be removed. When a key to remove holds \
          a value other than a string, the individual complexity for this key is O(M) where M \
          is the number of elements in the list, set, sorted set or hash. Removing a single \
          key that holds a string value is O(1).
          """)
    case .exists:
      .init(
        categories: "@keyspace @read @fast",
        tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
        keys: .init(first: 1, last: -1, step: 1, flags: "RO"),
        summary: "Determine if a key exists",
        since: "1.0.0",
        group: "generic",
        complexity: "O(N) where N is the number of keys to check.")
    case .setex:
      .init(
        categories: "@write @string @slow",
        keys: .init(first: 1, last: 1, step: 1, flags: "OW update"),
        summary: "Set the value and expiration of a key",
        since: "2.0.0",
        group: "string",
        complexity: "O(1)")
    case .psetex:
      .init(
        categories: "@write @string @slow",
        keys: .init(first: 1, last: 1, step: 1, flags: "OW update"),
        summary: "Set the value and expiration in milliseconds of a key",
        since: "2.6.0",
        group: "string",
        complexity: "O(1)")
    case .setnx:
      .init(
        categories: "@write @string @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "OW insert"),
        summary: "Set the value of a key, only if the key does not exist",
        since: "1.0.0",
        group: "string",
        complexity: "O(1)")
    case .getset:
      .init(
        categories: "@write @string @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW access update"),
        summary: "Set the string value of a key and return its old value",
        since: "1.0.0",
        group: "string",
        complexity: "O(1)")
    case .getdel:
      .init(
        categories: "@write @string @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW access delete"),
        summary: "Get the value of a key and delete the key",
        since: "6.2.0",
        group: "string",
        complexity: "O(1)")
    case .getex:
      .init(
        categories: "@write @string @fast",
        keys: .init(
          first: 1, last: 1, step: 1, flags: "RW access update",
          notes: "RW and UPDATE because it changes the TTL"),
        summary: "Get the value of a key and optionally set its expiration",
        since: "6.2.0",
        group: "string",
        complexity: "O(1)")
    case .append:
      .init(
        categories: "@write @string @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW insert"),
        summary: "Append a value to a key",
        since: "2.0.0",
        group: "string",
        complexity: """
          O(1). The amortized time complexity is O(1) assuming the appended value is small and \
          the already present value is of any size, since the dynamic string library used by \
          Redis will double the free space available on every reallocation.
          """)
    case .strlen:
      .init(
        categories: "@read @string @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RO"),
        summary: "Get the length of the value stored in a key",
        since: "2.2.0",
        group: "string",
        complexity: "O(1)")
    case .decr:
      .init(
        categories: "@write @string @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW access update"),
        summary: "Decrement the integer value of a key by one",
        since: "1.0.0",
        group: "string",
        complexity: "O(1)")
    case .incrby:
      .init(
        categories: "@write @string @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW access update"),
        summary: "Increment the integer value of a key by the given amount",
        since: "1.0.0",
        group: "string",
        complexity: "O(1)")
    case .decrby:
      .init(
        categories: "@write @string @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW access update"),
        summary: "Decrement the integer value of a key by the given number",
        since: "1.0.0",
        group: "string",
        complexity: "O(1)")
    case .incrbyfloat:
      .init(
        categories: "@write @string @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW access update"),
        summary: "Increment the float value of a key by the given amount",
        since: "2.6.0",
        group: "string",
        complexity: "O(1)")
    case .getrange:
      .init(
        categories: "@read @string @slow",
        keys: .init(first: 1, last: 1, step: 1, flags: "RO access"),
        summary: "Get a substring of the string stored at a key",
        since: "2.4.0",
        group: "string",
        complexity: """
          O(N) where N is the length of the returned string. The complexity is ultimately \
          determined by the returned length, but because creating a substring from an existing \
          string is very cheap, it can be considered O(1) for small strings.
          """)
    case .setrange:
      .init(
        categories: "@write @string @slow",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW update"),
        summary: "Overwrite part of a string at key starting at the specified offset",
        since: "2.2.0",
        group: "string",
        complexity: """
          O(1), not counting the time taken to copy the new string in place. Usually, this \
          string is very small so the amortized complexity is O(1). Otherwise, complexity is \
          O(M) with M being the length of the value argument.
          """)
    case .msetnx:
      .init(
        categories: "@write @string @slow",
        tips: ["request_policy:multi_shard", "response_policy:agg_min"],
        keys: .init(first: 1, last: -1, step: 2, flags: "OW insert"),
        summary: "Set multiple keys to multiple values, only if none of the keys exist",
        since: "1.0.1",
        group: "string",
        complexity: "O(N) where N is the number of keys to set.")
    case .unlink:
      .init(
        categories: "@keyspace @write @fast",
        tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
        keys: .init(first: 1, last: -1, step: 1, flags: "RM delete"),
        summary: """
          Delete a key asynchronously in another thread. Otherwise it is just as DEL, but non \
          blocking.
          """,
        since: "4.0.0",
        group: "generic",
        complexity: """
          O(1) for each key removed regardless of its size. Then the command does O(N) work in \
          a different thread in order to reclaim memory, where N is the number of allocations \
          the deleted objects where composed of.
          """)
    case .touch:
      .init(
        categories: "@keyspace @read @fast",
        tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
        keys: .init(first: 1, last: -1, step: 1, flags: "RO"),
        summary: """
          Alters the last access time of a key(s). Returns the number of existing keys \
          specified.
          """,
        since: "3.2.1",
        group: "generic",
        complexity: "O(N) where N is the number of keys that will be touched.")
    case .expire:
      .init(
        categories: "@keyspace @write @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW update"),
        summary: "Set a key's time to live in seconds",
        since: "1.0.0",
        group: "generic",
        complexity: "O(1)")
    case .pexpire:
      .init(
        categories: "@keyspace @write @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW update"),
        summary: "Set a key's time to live in milliseconds",
        since: "2.6.0",
        group: "generic",
        complexity: "O(1)")
    case .expireat:
      .init(
        categories: "@keyspace @write @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW update"),
        summary: "Set the expiration for a key as a UNIX timestamp",
        since: "1.2.0",
        group: "generic",
        complexity: "O(1)")
    case .pexpireat:
      .init(
        categories: "@keyspace @write @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW update"),
        summary: "Set the expiration for a key as a UNIX timestamp specified in milliseconds",
        since: "2.6.0",
        group: "generic",
        complexity: "O(1)")
    case .ttl:
      .init(
        categories: "@keyspace @read @fast",
        tips: ["nondeterministic_output"],
        keys: .init(first: 1, last: 1, step: 1, flags: "RO access"),
        summary: "Get the time to live for a key in seconds",
        since: "1.0.0",
        group: "generic",
        complexity: "O(1)")
    case .pttl:
      .init(
        categories: "@keyspace @read @fast",
        tips: ["nondeterministic_output"],
        keys: .init(first: 1, last: 1, step: 1, flags: "RO access"),
        summary: "Get the time to live for a key in milliseconds",
        since: "2.6.0",
        group: "generic",
        complexity: "O(1)")
    case .expiretime:
      .init(
        categories: "@keyspace @read @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RO access"),
        summary: "Get the expiration Unix timestamp for a key",
        since: "7.0.0",
        group: "generic",
        complexity: "O(1)")
    case .pexpiretime:
      .init(
        categories: "@keyspace @read @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RO access"),
        summary: "Get the expiration Unix timestamp for a key in milliseconds",
        since: "7.0.0",
        group: "generic",
        complexity: "O(1)")
    case .persist:
      .init(
        categories: "@keyspace @write @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW update"),
        summary: "Remove the expiration from a key",
        since: "2.2.0",
        group: "generic",
        complexity: "O(1)")
    case .type:
      .init(
        categories: "@keyspace @read @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RO"),
        summary: "Determine the type stored at key",
        since: "1.0.0",
        group: "generic",
        complexity: "O(1)")
    case .scan:
      .init(
        categories: "@keyspace @read @slow",
        tips: ["nondeterministic_output", "request_policy:special"],
        summary: "Incrementally iterate the keys space",
        since: "2.8.0",
        group: "generic",
        complexity: """
          O(1) for every call. O(N) for a complete iteration, including enough command calls \
          for the cursor to return back to 0. N is the number of elements inside the \
          collection.
          """)
    case .keys:
      .init(
        categories: "@keyspace @read @slow @dangerous",
        tips: ["request_policy:all_shards", "nondeterministic_output_order"],
        summary: "Find all keys matching the given pattern",
        since: "1.0.0",
        group: "generic",
        complexity: """
          O(N) with N being the number of keys in the database, under the assumption that the \
          key names in the database and the given pattern have limited length.
          """)
    case .dbsize:
      .init(
        categories: "@keyspace @read @fast",
        tips: ["request_policy:all_shards", "response_policy:agg_sum"],
        summary: "Return the number of keys in the selected database",
        since: "1.0.0",
        group: "server",
        complexity: "O(1)")
    case .randomkey:
      .init(
        categories: "@keyspace @read @slow",
        tips: ["request_policy:all_shards", "nondeterministic_output"],
        summary: "Return a random key from the keyspace",
        since: "1.0.0",
        group: "generic",
        complexity: "O(1)")
    case .echo:
      .init(
        categories: "@fast @connection",
        summary: "Echo the given string",
        since: "1.0.0",
        group: "connection",
        complexity: "O(1)")
    case .select:
      .init(
        categories: "@fast @connection",
        summary: "Change the selected database for the current connection",
        since: "1.0.0",
        group: "connection",
        complexity: "O(1)")
    case .info:
      .init(
        categories: "@slow @dangerous",
        tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        summary: "Get information and statistics about the server",
        since: "1.0.0",
        group: "server",
        complexity: "O(1)")
    case .config:
      .init(
        categories: "@slow",
        summary: "A container for server configuration commands",
        since: "2.0.0",
        group: "server",
        complexity: "Depends on subcommand.")
    case .client:
      .init(
        categories: "@slow",
        summary: "A container for client connection commands",
        since: "2.4.0",
        group: "connection",
        complexity: "Depends on subcommand.")
    case .command:
      .init(
        categories: "@slow @connection",
        tips: ["nondeterministic_output_order"],
        summary: "Get array of Redis command details",
        since: "2.8.13",
        group: "server",
        complexity: "O(N) where N is the total number of Redis commands")
    case .flushall:
      .init(
        categories: "@keyspace @write @slow @dangerous",
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
        summary: "Remove all keys from all databases",
        since: "1.0.0",
        group: "server",
        complexity: "O(N) where N is the total number of keys in all databases")
    case .flushdb:
      .init(
        categories: "@keyspace @write @slow @dangerous",
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
        summary: "Remove all keys from the current database",
        since: "1.0.0",
        group: "server",
        complexity: "O(N) where N is the number of keys in the selected database")
    case .save:
      .init(
        categories: "@admin @slow @dangerous",
        summary: "Synchronously save the dataset to disk",
        since: "1.0.0",
        group: "server",
        complexity: "O(N) where N is the total number of keys in all databases")
    case .bgsave:
      .init(
        categories: "@admin @slow @dangerous",
        summary: "Asynchronously save the dataset to disk",
        since: "1.0.0",
        group: "server",
        complexity: "O(1)")
    case .lastsave:
      .init(
        categories: "@admin @fast @dangerous",
        tips: ["nondeterministic_output"],
        summary: "Get the UNIX time stamp of the last successful save to disk",
        since: "1.0.0",
        group: "server",
        complexity: "O(1)")
    case .shutdown:
      .init(
        categories: "@admin @slow @dangerous",
        summary: "Synchronously save the dataset to disk and then shut down the server",
        since: "1.0.0",
        group: "server",
        complexity: """
          O(N) when saving, where N is the total number of keys in all databases when saving \
          data, otherwise O(1)
          """)
    case .hello:
      .init(
        categories: "@fast @connection",
        summary: "Handshake with Redis",
        since: "6.0.0",
        group: "connection",
        complexity: "O(1)")
    case .auth:
      .init(
        categories: "@fast @connection",
        summary: "Authenticate to the server",
        since: "1.0.0",
        group: "connection",
        complexity: "O(N) where N is the length of the password")
    case .reset:
      .init(
        categories: "@fast @connection",
        summary: "Reset the connection",
        since: "6.2.0",
        group: "connection",
        complexity: "O(1)")
    case .quit:
      .init(
        categories: "@fast @connection",
        summary: "Close the connection",
        since: "1.0.0",
        group: "connection",
        complexity: "O(1)")
    case .time:
      .init(
        categories: "@fast",
        tips: ["nondeterministic_output"],
        summary: "Return the current server time",
        since: "2.6.0",
        group: "server",
        complexity: "O(1)")
    case .memory:
      .init(
        categories: "@slow",
        summary: "A container for memory diagnostics commands",
        since: "4.0.0",
        group: "server",
        complexity: "Depends on subcommand.")
    case .object:
      .init(
        categories: "@slow",
        summary: "A container for object introspection commands",
        since: "2.2.3",
        group: "generic",
        complexity: "Depends on subcommand.")
    case .wait:
      .init(
        categories: "@slow @connection",
        tips: ["request_policy:all_shards", "response_policy:agg_min"],
        summary: """
          Wait for the synchronous replication of all the write commands sent in the context \
          of the current connection
          """,
        since: "3.0.0",
        group: "generic",
        complexity: "O(1)")
    case .substr:
      .init(
        categories: "@read @string @slow",
        keys: .init(first: 1, last: 1, step: 1, flags: "RO access"),
        summary: "Get a substring of the string stored at a key",
        since: "1.0.0",
        group: "string",
        complexity: "O(N) where N is the length of the returned string.")
    case .setbit:
      .init(
        categories: "@write @bitmap @slow",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW access update"),
        summary: "Sets or clears the bit at offset in the string value stored at key",
        since: "2.2.0",
        group: "bitmap",
        complexity: "O(1)")
    case .getbit:
      .init(
        categories: "@read @bitmap @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RO access"),
        summary: "Returns the bit value at offset in the string value stored at key",
        since: "2.2.0",
        group: "bitmap",
        complexity: "O(1)")
    case .bitcount:
      .init(
        categories: "@read @bitmap @slow",
        keys: .init(first: 1, last: 1, step: 1, flags: "RO access"),
        summary: "Count set bits in a string",
        since: "2.6.0",
        group: "bitmap",
        complexity: "O(N)")
    case .delifeq:
      .init(
        categories: "@write @string @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RM access delete"),
        summary: "Delete a key if its value is the one given",
        since: "9.0.0",
        group: "string",
        complexity: "O(N) where N is the length of the value")
    case .delex:
      .init(
        categories: "@write @string @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RM access delete"),
        summary: "Delete a key if its value is, or is not, the one given",
        since: "8.4.0",
        group: "string",
        complexity: "O(N) where N is the length of the value")
    case .multi:
      .init(
        categories: "@fast @transaction",
        summary: "Mark the start of a transaction block",
        since: "1.2.0",
        group: "transactions",
        complexity: "O(1)")
    case .exec:
      .init(
        categories: "@slow @transaction",
        summary: "Execute all commands issued after MULTI",
        since: "1.2.0",
        group: "transactions",
        complexity: "Depends on commands in the transaction")
    case .discard:
      .init(
        categories: "@fast @transaction",
        summary: "Discard all commands issued after MULTI",
        since: "2.0.0",
        group: "transactions",
        complexity: "O(N), when N is the number of queued commands")
    case .watch:
      .init(
        categories: "@fast @transaction",
        keys: .init(first: 1, last: -1, step: 1, flags: "RO"),
        summary: "Watch the given keys to determine execution of the MULTI/EXEC block",
        since: "2.2.0",
        group: "transactions",
        complexity: "O(1) for every key.")
    case .unwatch:
      .init(
        categories: "@fast @transaction",
        summary: "Forget about all watched keys",
        since: "2.2.0",
        group: "transactions",
        complexity: "O(1)")
    case .move:
      .init(
        categories: "@keyspace @write @fast",
        keys: .init(first: 1, last: 1, step: 1, flags: "RW access update"),
        summary: "Move a key to another database",
        since: "1.0.0",
        group: "generic",
        complexity: "O(1)")
    case .swapdb:
      .init(
        categories: "@keyspace @write @fast @dangerous",
        summary: "Swaps two Redis databases",
        since: "4.0.0",
        group: "server",
        complexity: "O(1)")
    case .rename:
      .init(
        categories: "@keyspace @write @slow",
        keys: .init(first: 1, last: 2, step: 1, flags: "RW access delete"),
        summary: "Rename a key",
        since: "1.0.0",
        group: "generic",
        complexity: "O(1)")
    case .renamenx:
      .init(
        categories: "@keyspace @write @fast",
        keys: .init(first: 1, last: 2, step: 1, flags: "RW access delete"),
        summary: "Rename a key, only if the new key does not exist",
        since: "1.0.0",
        group: "generic",
        complexity: "O(1)")
    case .copy:
      .init(
        categories: "@keyspace @write @slow",
        keys: .init(first: 1, last: 2, step: 1, flags: "RW access update"),
        summary: "Copy a key",
        since: "6.2.0",
        group: "generic",
        complexity: "O(N) where N is the length of the value")
    case .slowlog:
      .init(
        categories: "@slow",
        summary: "A container for slow log commands",
        since: "2.2.12",
        group: "server",
        complexity: "Depends on subcommand.")
    case .role:
      .init(
        categories: "@admin @fast @dangerous",
        summary: "Return the role of the instance in the context of replication",
        since: "2.8.12",
        group: "server",
        complexity: "O(1)")
    case .upgrade:
      .init(
        categories: "@admin @slow @dangerous",
        summary: "Start the program anew and hand everything over to it",
        since: "1.0.0",
        group: "server",
        complexity: "O(1)")
    }
  }
}
