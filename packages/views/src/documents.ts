import type { Difference, Level, NamedVerdict, NodeVerdict } from "@ashlar/identity";

export const FLEET_VIEW_SCHEMA = "ashlar.fleet-view/v1";
export const NODE_VIEW_SCHEMA = "ashlar.node-view/v1";

/** Where the verdicts come from. */
export type SourceKind = "lab" | "fleet" | "evidence" | "cluster";

/** What every document begins with. */
export type ViewHead = {
  /** RFC 3339, by the clock of the server: ages count from here, by the clock of the reader. */
  readonly at: string;
  /** What is older proves nothing any more. */
  readonly maxAgeSeconds: number;
};

/** What `/v1/fleet` answers. */
export type FleetView = ViewHead & {
  readonly schema: typeof FLEET_VIEW_SCHEMA;
  readonly source: { readonly kind: SourceKind; readonly name: string };
  /** Whether nodes are being asked now. */
  readonly asking: boolean;
  /** Why the last round of asking has failed; null when it has not. */
  readonly problem: string | null;
  /** In the order of the source. */
  readonly nodes: readonly NodeSummary[];
};

/** As much of a node as a wall of ten thousand shows. */
export type NodeSummary = {
  readonly name: string;
  /** When it was judged: see `levelNow` for what it is by now. */
  readonly level: Level;
  readonly release: string | null;
  readonly identity: string | null;
  /** The NodeClass, where the source knows one. */
  readonly class: string | null;
  readonly nextBoot: { readonly level: Level; readonly release: string | null } | null;
  /** RFC 3339: when the question was asked that its evidence answers; null without evidence. */
  readonly provedAt: string | null;
  /** The most telling one, of what it runs or else of its next boot. */
  readonly difference: Difference | null;
  /** How many there are in all. */
  readonly differences: number;
};

/** What the TPM has signed and the logs explain, in hexadecimal. */
export type Measured = {
  /** The values of the SHA-256 bank, or of the SHA-384 bank where that is off, by PCR. */
  readonly pcrs: Readonly<Record<string, string>>;
  readonly bank: "sha256" | "sha384";
  /** What the firmware has started after it handed over: Authenticode digests, in their order. */
  readonly programs: readonly { readonly digest: string; readonly what: string }[];
  /** Of the hash tree of /usr, as the node says; a difference tells when it is not the release's. */
  readonly usrRootHash: string | null;
  /** The kernel's command line, as the node says. */
  readonly commandLine: string;
  /** The TPM's endorsement key (SHA-256) and attestation key (name), as pinned. */
  readonly ekSha256: string;
  readonly akName: string;
  /** RFC 3339. */
  readonly enrolledAt: string;
};

export type EvidenceFile = { readonly name: string; readonly sizeBytes: number; readonly sha256: string };

/** What `/v1/nodes/NAME` answers. */
export type NodeView = ViewHead & {
  readonly schema: typeof NODE_VIEW_SCHEMA;
  readonly name: string;
  readonly class: string | null;
  readonly provedAt: string | null;
  readonly verdict: NodeVerdict;
  /** Null where no evidence is at hand. */
  readonly measured: Measured | null;
  readonly evidence: readonly EvidenceFile[];
};

export function summaryOfNode(
  { name, level, release, identity, nextBoot, differences }: NamedVerdict,
  { provedAt, className }: { readonly provedAt: string | null; readonly className: string | null },
): NodeSummary {
  const all = [...differences, ...(nextBoot?.differences ?? [])];
  return {
    name,
    level,
    release,
    identity,
    class: className,
    nextBoot: nextBoot === null ? null : { level: nextBoot.level, release: nextBoot.release },
    provedAt,
    difference: all[0] ?? null,
    differences: all.length,
  };
}
