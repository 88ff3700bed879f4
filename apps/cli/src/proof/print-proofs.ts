import { printData, printJson, printLines } from "@ashlar/host/terminal";
import type { ShownProof } from "@ashlar/views";
import type { ProofOptions } from "./output-form.ts";
import { proofDocument } from "./proof-document.ts";
import { ProofTable } from "./proof-table.ts";
import { safeYaml } from "./safe-yaml.ts";

const SCHEMA = "ashlar.node-proofs/v1";

export type ProofPrinter = {
  /** What there is. */
  readonly begin: (proofs: readonly ShownProof[]) => void;
  /** What has changed since. */
  readonly more: (proofs: readonly ShownProof[]) => void;
};

export function printerOf({ output, json, watch }: ProofOptions): ProofPrinter {
  const form = json === true ? "json" : output;
  if (form === "json" || form === "yaml") return documentPrinter(form, watch === true);
  if (form === "name") {
    const names = (proofs: readonly ShownProof[]): void =>
      printLines(proofs.map(({ node }) => `nodeproof.ashlar.dev/${node.name}`));
    return { begin: names, more: names };
  }
  const table = new ProofTable(form === "wide");
  return { begin: (proofs) => printLines(table.begin(proofs)), more: (proofs) => printLines(table.more(proofs)) };
}

/** All nodes in one document; while they are watched, a document for each. */
function documentPrinter(form: "json" | "yaml", isWatched: boolean): ProofPrinter {
  const print = (proofs: readonly ShownProof[]): void => {
    const value = { schema: SCHEMA, at: new Date().toISOString(), nodes: proofs.map((proof) => proofDocument(proof)) };
    if (form === "yaml") printData(isWatched ? `---\n${safeYaml(value)}` : safeYaml(value));
    else printJson(value, { lines: isWatched ? "one" : "several" });
  };
  const each = (proofs: readonly ShownProof[]): void => {
    for (const proof of proofs) print([proof]);
  };
  return { begin: isWatched ? each : print, more: each };
}
