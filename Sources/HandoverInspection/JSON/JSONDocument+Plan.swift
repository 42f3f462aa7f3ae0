import Handover
import MemoryAccess

extension JSONDocument {
  /// What a handover costs: schema `kho-plan/2`.
  public static func plan(_ result: PlanResult) -> JSONValue {
    make(
      "kho-plan/2",
      [
        "memoryBytes": result.machine?.memoryByteCount,
        "numaNodeCount": result.machine?.nodeCount, "basis": result.basis,
        "boot": (result.machine?.boot).map { boot in
          JSONValue(["lowBytes": boot.low, "highBytes": boot.high, "nodeBytes": boot.byNode])
        },
        "current": result.current.map { scratch in
          JSONValue([
            "bytes": scratch.byteCount,
            "areas": scratch.areas.map { area in
              JSONValue(["name": area.name, "address": area.address, "bytes": area.byteCount])
            },
          ])
        }, "workload": result.workload?.json,
        "scratch": result.scratch?.requested?.json,
        "recommendation": (result.scratch?.recommended).map { advice, areas in
          JSONValue([
            "option": advice.option, "reasons": advice.reasons, "scratch": areas.json,
          ])
        },
        "walk": result.calibration.map { calibration in
          JSONValue([
            "nanoseconds": result.walkNanoseconds,
            "picosecondsPerNode": calibration.picosecondsPerNode,
            "picosecondsPerRun": calibration.picosecondsPerRun,
          ])
        },
      ])
  }

  /// How fast this machine walks trees: schema `kho-calibration/2`.
  public static func calibration(_ calibration: WalkCalibration) -> JSONValue {
    make(
      "kho-calibration/2",
      [
        "picosecondsPerNode": calibration.picosecondsPerNode,
        "picosecondsPerRun": calibration.picosecondsPerRun,
        "samples": calibration.samples.map { sample in
          JSONValue([
            "nodeCount": sample.nodes, "runCount": sample.runs, "nanoseconds": sample.nanoseconds,
          ])
        },
      ])
  }
}

extension WalkCalibration {
  /// Reads what ``JSONDocument/calibration(_:)`` gave; nil of any other document.
  public init?(_ document: JSONValue) {
    guard document["schema"] == .string("kho-calibration/2"),
      case .number(let node)? = document["picosecondsPerNode"],
      case .number(let run)? = document["picosecondsPerRun"],
      case .array(let samples)? = document["samples"]
    else { return nil }
    var read: [Sample] = []
    for sample in samples {
      guard case .number(let nodes)? = sample["nodeCount"],
        case .number(let runs)? = sample["runCount"],
        case .number(let nanoseconds)? = sample["nanoseconds"]
      else { return nil }
      read.append(Sample(nodes: nodes, runs: runs, nanoseconds: nanoseconds))
    }
    self.init(picosecondsPerNode: node, picosecondsPerRun: run, samples: read)
  }
}

extension PlannedWorkload {
  fileprivate var json: JSONValue {
    func list(_ size: MetadataFootprint.ChunkListSize) -> JSONValue {
      JSONValue([
        "bitmapCount": size.bitmapCount, "chunkCount": size.chunkCount,
        "bytes": size.byteCount(in: footprint.geometry),
      ])
    }
    return JSONValue([
      "path": image?.name, "fdtAddress": image?.survey.address,
      "pageShift": footprint.geometry.shift,
      "fragmentationMillionths": fragmentation.map(millionths),
      "blockCountByOrder": JSONValue(byOrder: counts), "preservedBytes": preservedByteCount,
      "treeBytes": footprint.treeByteCount, "nodeCountByLevel": footprint.nodesByLevel,
      "imageNodeCountByLevel": nodesInImage, "v1PageBitmaps": list(footprint.pageBitmaps),
      "v1SmallBitmaps": list(footprint.smallBitmaps), "rangeCount": footprint.rangeCount,
      "rangeListBytes": footprint.rangeListByteCount,
      "crossoverRangeCount": footprint.crossoverRangeCount,
      "crossoverFragmentationMillionths": crossover.map(millionths),
    ])
  }
}

extension ScratchAreas {
  fileprivate var json: JSONValue {
    JSONValue([
      "bytes": byteCount,
      "areas": named.map { name, range in
        JSONValue(["name": name, "address": range.start, "bytes": range.byteCount])
      },
    ])
  }
}

/// `value` in millionths, rounded up: of a crossover, a number that is behind it.
package func millionths(_ value: Double) -> UInt64 {
  let scaled = value * 1_000_000
  let nearest = scaled.rounded()
  return UInt64((scaled - nearest).magnitude < 1e-4 ? nearest : scaled.rounded(.up))
}
