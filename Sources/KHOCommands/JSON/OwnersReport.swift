internal import KexecHandover

/// What `kho owners --json` prints: schema `kho-owners/1`.
struct OwnersReport: Encodable {
  let schema = "kho-owners/1"
  let handovers: [Handover]

  init(_ handovers: [OwnersOfHandover]) { self.handovers = handovers.map(Handover.init) }

  private enum CodingKeys: CodingKey { case schema, handovers }

  /// One handover; counts are 0 where it could not be read.
  struct Handover: Encodable {
    let fdtAddress: UInt64?
    let entryCount: UInt64
    let preservedBytes: UInt64
    /// The nodes of the tree, which are no entries.
    let metadataBytes: UInt64
    /// Each owner and use once.
    let owners: [Account]
    /// The unclaimed bytes.
    let unowned: Account
    /// Bytes that two claim, or one twice; counted once, as the first one's.
    let disputedBytes: UInt64
    let disputes: [Dispute]
    /// How many disputes there were beyond those listed.
    let omittedDisputes: UInt64
    let error: String?

    init(_ handover: OwnersOfHandover) {
      let accounts = handover.accounts
      fdtAddress = handover.survey.address?.rawValue
      entryCount = accounts.entryCount
      preservedBytes = accounts.byteCount
      metadataBytes = handover.survey.pages?.metadataByteCount ?? 0
      owners = accounts.accounts.map(Account.init)
      unowned = Account(accounts.unowned)
      disputedBytes = accounts.disputedByteCount
      disputes = accounts.disputes.map(Dispute.init)
      omittedDisputes = accounts.omittedDisputeCount
      error = handover.survey.error?.sentence
    }

    private enum CodingKeys: CodingKey {
      case fdtAddress, entryCount, preservedBytes, metadataBytes, owners, unowned, disputedBytes
      case disputes, omittedDisputes, error
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(fdtAddress, forKey: .fdtAddress)
      try container.encode(entryCount, forKey: .entryCount)
      try container.encode(preservedBytes, forKey: .preservedBytes)
      try container.encode(metadataBytes, forKey: .metadataBytes)
      try container.encode(owners, forKey: .owners)
      try container.encode(unowned, forKey: .unowned)
      try container.encode(disputedBytes, forKey: .disputedBytes)
      try container.encode(disputes, forKey: .disputes)
      try container.encode(omittedDisputes, forKey: .omittedDisputes)
      try container.encode(error, forKey: .error)
    }
  }

  /// Who, by kind, name and number.
  struct Owner: Encodable {
    /// handover, subtree, reserve-mem, session, file, shared-data or further.
    let kind: String
    /// The name of the blob, region or shared data; of a file, that of its session.
    let name: String?
    /// The number of a file.
    let token: UInt64?
    /// fdt, blob, region, chunk, area, records, folio, presumed or any.
    let use: String

    init(_ owner: MemoryOwner) {
      kind = owner.holder.kind
      use = owner.use.word
      switch owner.holder {
      case .handover, .further:
        name = nil
        token = nil
      case .record(.subtree(let name)), .record(.region(let name)), .record(.session(let name)),
        .record(.sharedData(let name)):
        self.name = name
        token = nil
      case .record(.file(let session, let token)):
        name = session
        self.token = token
      }
    }

    private enum CodingKeys: CodingKey { case kind, name, token, use }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(kind, forKey: .kind)
      try container.encode(name, forKey: .name)
      try container.encode(token, forKey: .token)
      try container.encode(use, forKey: .use)
    }
  }

  /// How much one owner has for one use.
  struct Account: Encodable {
    /// Null for unclaimed bytes.
    let owner: Owner?
    let entryCount: UInt64
    let bytes: UInt64
    /// How many of them the records name.
    let claimedBytes: UInt64
    /// How many of them another claims too.
    let disputedBytes: UInt64

    init(_ account: OwnerAccounts.Account) {
      owner = account.owner.map(Owner.init)
      entryCount = account.entryCount
      bytes = account.byteCount
      claimedBytes = account.claimedByteCount
      disputedBytes = account.disputedByteCount
    }

    private enum CodingKeys: CodingKey {
      case owner, entryCount, bytes, claimedBytes, disputedBytes
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(owner, forKey: .owner)
      try container.encode(entryCount, forKey: .entryCount)
      try container.encode(bytes, forKey: .bytes)
      try container.encode(claimedBytes, forKey: .claimedBytes)
      try container.encode(disputedBytes, forKey: .disputedBytes)
    }
  }

  /// Bytes that two claim.
  struct Dispute: Encodable {
    let address: UInt64
    let byteCount: UInt64
    /// Whose they are counted as.
    let owner: Owner?
    let other: Owner?

    init(_ run: OwnedRun) {
      address = run.range.start.rawValue
      byteCount = run.range.byteCount
      owner = run.owner.map(Owner.init)
      other = run.otherOwner.map(Owner.init)
    }

    private enum CodingKeys: CodingKey { case address, byteCount, owner, other }
  }
}
