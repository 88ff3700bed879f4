import { joinDrawn, type Printed } from "@ashlar/host/terminal";
import { formatAge, type ShownProof } from "@ashlar/views";
import { GrowingTable } from "../growing-table.ts";
import { drawRow, firstDifference, IDENTITY_DIGITS, nextBootCell, shortenDigests } from "../prove/fleet-table.ts";

const TITLES = ["NODE", "LEVEL", "RELEASE", "NEXT BOOT", "CLASS", "IDENTITY", "AGE"];

export class ProofTable {
  readonly #isWide: boolean;
  readonly #table: GrowingTable;

  constructor(isWide: boolean) {
    this.#isWide = isWide;
    this.#table = new GrowingTable([...TITLES, ...(isWide ? ["EXTENSIONS"] : []), "FIRST DIFFERENCE"]);
  }

  /** The titles, then a line for each node. */
  begin(proofs: readonly ShownProof[]): readonly Printed[] {
    const { titles, rows } = this.#table.begin(this.#rows(proofs));
    return [joinDrawn(titles, "  "), ...draw(rows, proofs)];
  }

  more(proofs: readonly ShownProof[]): readonly Printed[] {
    return draw(this.#table.more(this.#rows(proofs)), proofs);
  }

  #rows(proofs: readonly ShownProof[]): readonly (readonly string[])[] {
    return proofs.map((proof) => cellsOf(proof, this.#isWide));
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
