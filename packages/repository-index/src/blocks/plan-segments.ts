import { CELL_BLOCKS, MAX_SEGMENT_CELLS } from "./blocks-layout.ts";

/** Cells that stand one after the other. */
export type CellRun = { readonly first: number; readonly cells: number };

/**
 * Which cells to compress together: those of which the version before has no block, as long as they stand side by side.
 * Nodes with that version fetch them all anyway; of everything else a node may need one cell and not the next.
 *
 * @param isNew 1 for blocks that the version before does not have; undefined when there is none
 */
export function planSegments(dataBlocks: number, isNew: Uint8Array | undefined): readonly CellRun[] {
  const runs: CellRun[] = [];
  const cells = Math.ceil(dataBlocks / CELL_BLOCKS);
  for (let first = 0; first < cells;) {
    let end = first + 1;
    if (isNew !== undefined && isWhollyNew(isNew, first)) {
      while (end < Math.min(cells, first + MAX_SEGMENT_CELLS) && isWhollyNew(isNew, end)) end += 1;
    }
    runs.push({ first, cells: end - first });
    first = end;
  }
  return runs;
}

function isWhollyNew(isNew: Uint8Array, cell: number): boolean {
  return !isNew.subarray(cell * CELL_BLOCKS, (cell + 1) * CELL_BLOCKS).includes(0);
}
