import type { Level, NamedVerdict } from "@ashlar/identity";
import type { ShownProof } from "@ashlar/views";

/** What `ashlar proof -o json` prints of one node. Members are null where nothing is known. */
export type ProofDocument = {
  readonly name: string;
  readonly class: string | null;
  /** By now: see `showProofs`. */
  readonly level: Level;
  readonly release: string | null;
  readonly identity: string | null;
  readonly nextBoot: NamedVerdict["nextBoot"];
  readonly extensions: NamedVerdict["extensions"];
  readonly differences: NamedVerdict["differences"];
  /** RFC 3339. */
  readonly lastProved: string | null;
  readonly ageSeconds: number | null;
  readonly maxAgeSeconds: number;
};

export function proofDocument({ node, verdict, ageMs, maxAgeMs }: ShownProof): ProofDocument {
  const { name, level, release, identity, nextBoot, extensions, differences } = verdict;
  return {
    name,
    class: node.class,
    level,
    release,
    identity,
    nextBoot,
    extensions,
    differences,
    lastProved: node.provedAt,
    ageSeconds: ageMs === undefined ? null : Math.round(ageMs / 1000),
    maxAgeSeconds: Math.round(maxAgeMs / 1000),
  };
}
