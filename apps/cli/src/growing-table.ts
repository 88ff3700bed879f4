import { printable } from "@ashlar/base";
import { alignColumns } from "@ashlar/host/terminal";

type Rows = readonly (readonly string[])[];

/** Rows whose columns stay where they are, however much comes later. */
export class GrowingTable {
  #titles: readonly string[];

  constructor(titles: readonly string[]) {
    this.#titles = titles;
  }

  /** The titles, and the first rows, all of them padded. */
  begin(rows: Rows): { readonly titles: readonly string[]; readonly rows: Rows } {
    const [titles = [], ...aligned] = alignColumns([this.#titles, ...printableRows(rows)]);
    this.#titles = titles;
    return { titles, rows: aligned };
  }

  more(rows: Rows): Rows {
    return alignColumns([this.#titles, ...printableRows(rows)]).slice(1);
  }
}

function printableRows(rows: Rows): Rows {
  return rows.map((row) => row.map(printable));
}
