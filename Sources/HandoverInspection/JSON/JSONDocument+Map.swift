import Handover

extension JSONDocument {
  /// What is where in physical memory: schema `kho-map/2`.
  ///
  /// - Parameters:
  ///   - subject: the handover that is shown.
  ///   - grid: its memory in cells.
  public static func map(_ subject: MapSubject, _ grid: MapGrid) -> JSONValue {
    make(
      "kho-map/2",
      [
        "fdtAddress": subject.survey.address, "cellBytes": grid.cellByteCount,
        "cells": grid.cells.indices.filter { !grid.cells[$0].isEmpty }.map { index in
          let cell = grid.cells[index]
          let orders = cell.byteCountByOrder.enumerated().filter { $0.element > 0 }
            .map { (order: $0.offset, count: $0.element) }
          return JSONValue([
            "address": grid.address(of: index), "bytesByOrder": JSONValue(byOrder: orders),
            "nodeCount": cell.nodeCount, "holdsDeviceTree": cell.holdsDeviceTree,
            "isScratch": cell.isScratch,
          ])
        },
      ])
  }
}
