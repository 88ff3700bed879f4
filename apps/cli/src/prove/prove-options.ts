import { AshlarError } from "@ashlar/base";
import type { KnownRelease } from "@ashlar/protocol/answers";
import type { FleetProof, StoredAnswer } from "@ashlar/verifier";
import type { RepositoryPlace } from "@ashlar/verifier/declared";
import { refuseWithoutCluster, type ClusterOptions } from "../cluster/cluster-options.ts";
import type { NodeOptions } from "../node-options.ts";
import type { Trusts } from "./read-trusts.ts";

/** The options of `ashlar prove`, as the command line gives them. */
export type ProveOptions = NodeOptions &
  ClusterOptions & {
    readonly nodes?: string;
    readonly fleet?: string;
    readonly from?: string;
    readonly knownImage?: readonly string[];
    readonly enrolAgain?: readonly string[];
    readonly acceptFirmware?: readonly string[];
    readonly showFirmware?: string;
    readonly certifyEk?: string;
    readonly certifyKey?: string;
    readonly firmwarePolicy?: string;
    readonly learnFirmware?: string;
    /** Of an auditor: all nonces follow from it. */
    readonly challenge?: string;
    readonly maxAge: number;
    readonly evidence?: string;
    readonly json?: true;
  };

export type Proof = Pick<FleetProof, "fleet" | "agesMs"> & {
  /** Whom was trusted. */
  readonly trusts: Trusts;
  /** Where manifests of what nodes run may be. */
  readonly sources: ManifestSources;
};

export type ManifestSources = {
  /** With their lists of packages and files, or without. */
  readonly releases: readonly KnownRelease[];
  /** Manifests of extensions, or directories of them. */
  readonly extensions: readonly string[];
  readonly repository?: RepositoryPlace | undefined;
  /** Where an update's record is, beside which is remembered what was seen of the repository. */
  readonly recordPath?: string;
};

export type OnAnswer = (name: string, answer: StoredAnswer) => void;

export function refuseContradictions(options: ProveOptions): void {
  const { lab, nodes, from, evidence, nodeConfigs, enrolAgain, acceptFirmware, releases, releaseRoot } = options;
  const { kubernetes, fleet } = options;
  // A lab may be named as the one whose cluster it is.
  const sources = kubernetes === true ? [kubernetes, nodes, fleet, from] : [lab, nodes, fleet, from];
  if (sources.filter((source) => source !== undefined).length !== 1) {
    throw new AshlarError("usage", "expected exactly one of --lab, --nodes, --kubernetes, --fleet and --from", {
      hint: "for example: ashlar prove --lab lab; --kubernetes may name a lab whose cluster it is",
    });
  }
  refuseWithoutCluster(options);
  if (fleet !== undefined && (options.config !== undefined || options.filesDir !== undefined)) {
    throw new AshlarError("usage", "expected no --config and --files-dir with --fleet: its classes name theirs");
  }
  if (from !== undefined && evidence !== undefined) {
    throw new AshlarError("usage", "expected --evidence only where nodes are asked, found it with --from");
  }
  if (from !== undefined && enrolAgain !== undefined) {
    throw new AshlarError("usage", "expected --enrol-again only where nodes are asked, found it with --from");
  }
  if ((options.certifyEk === undefined) !== (options.certifyKey === undefined)) {
    throw new AshlarError("usage", "expected --certify-ek and --certify-key together, found one of them");
  }
  if (options.learnFirmware !== undefined && (from !== undefined || options.firmwarePolicy === undefined)) {
    throw new AshlarError("usage", "expected --learn-firmware with --firmware-policy FILE, where nodes are asked");
  }
  if (from !== undefined && acceptFirmware !== undefined) {
    throw new AshlarError("usage", "expected --accept-firmware only where nodes are asked, found it with --from");
  }
  if (releases === undefined && releaseRoot !== undefined) {
    throw new AshlarError("usage", "expected --release-root only with --releases");
  }
  if (nodes === undefined && (kubernetes === undefined || lab !== undefined) && nodeConfigs !== undefined) {
    throw new AshlarError("usage", "expected --node-configs only with --nodes, or --kubernetes without --lab");
  }
}
