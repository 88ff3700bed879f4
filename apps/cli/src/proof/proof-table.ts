import { printable } from "@ashlar/base";
import { alignColumns, joinDrawn, type Printed } from "@ashlar/host/terminal";
import { formatAge, type ShownProof } from "@ashlar/views";
import { drawRow, firstDifference, IDENTITY_DIGITS, nextBootCell, shortenDigests } from "../prove/fleet-table.ts";

const TITLES = ["NODE", "LEVEL", "RELEASE", "NEXT BOOT", "CLASS", "IDENTITY", "AGE"];

/** Lines of a table whose columns stay where they are, however much comes later. */
export class ProofTable {
  readonly #isWide: boolean;
  #titles: readonly string[];

  constructor(isWide: boolean) {
    this.#isWide = isWide;
    this.#titles = [...TITLES, ...(isWide ? ["EXTENSIONS"] : []), "FIRST DIFFERENCE"];
  }

  /** The titles, then a line for each node. */
  begin(proofs: readonly ShownProof[]): readonly Printed[] {
    const [titles = [], ...rows] = alignColumns([this.#titles, ...this.#rows(proofs)]);
    this.#titles = titles;
    return [joinDrawn(titles, "  "), ...draw(rows, proofs)];
  }

  more(proofs: readonly ShownProof[]): readonly Printed[] {
    const [, ...rows] = alignColumns([this.#titles, ...this.#rows(proofs)]);
    return draw(rows, proofs);
  }

  #rows(proofs: readonly ShownProof[]): readonly (readonly string[])[] {
    return proofs.map((proof) => cellsOf(proof, this.#isWide).map(printable));
  }
}

/** What the table says of a node, apart from the age, which is always another one. */
export function gistOf(proof: ShownProof): string {
  return JSON.stringify(cellsOf({ ...proof, ageMs: undefined }, true));
}

function cellsOf({ node, verdict, ageMs }: ShownProof, isWide: boolean): readonly string[] {
  const { name, level, release, identity, nextBoot, extensions, differences } = verdict;
  const difference = firstDifference(differences, nextBoot);
  return [
    name,
    level,
    release ?? "-",
    nextBootCell(nextBoot),
    node.class ?? "-",
    (isWide ? identity : identity?.slice(0, IDENTITY_DIGITS)) ?? "-",
    ageMs === undefined ? "-" : formatAge(ageMs),
    ...(isWide ? [extensions.map((each) => `${each.name} ${each.version ?? "unknown"}`).join(", ") || "-"] : []),
    isWide ? difference : shortenDigests(difference),
  ];
}

function draw(rows: readonly (readonly string[])[], proofs: readonly ShownProof[]): Printed[] {
  return rows.map((row, index) => drawRow(row, proofs[index]?.verdict));
}
