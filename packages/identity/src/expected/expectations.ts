import { AshlarError } from "@ashlar/base";
import { sha256 } from "@ashlar/formats";
import type { KnownRelease } from "@ashlar/protocol/answers";
import { declaredBoot, declaredInConfigs, findUnpinnedSources } from "@ashlar/declaration";
import { NO_KNOWLEDGE, type ExtensionKnowledge } from "./known-extension.ts";
import type { ExtensionExpectations } from "../judge/judge-extensions.ts";

/** What one node was declared to be. Digests are hexadecimal SHA-256. */
export type Expectations = {
  readonly release: KnownRelease;
  readonly classConfigSha256: string;
  readonly nodeConfigSha256: string;
  /** Releases that are right as well, while it is the node's turn in an update. */
  readonly alsoAllowed?: readonly KnownRelease[];
  readonly extensions: ExtensionExpectations;
  /** The class requires Secure Boot, with the keys of the release. */
  readonly requiresSecureBoot?: boolean;
};

export type Declaration = {
  readonly release: KnownRelease;
  /** Releases that are right as well, while it is the node's turn in an update. */
  readonly alsoAllowed?: readonly KnownRelease[];
  /** The exact bytes of the Ignition config that all nodes of the class share; empty when there is none. */
  readonly classConfig: Uint8Array;
  /** The exact bytes of the node's own Ignition config; empty when there is none. */
  readonly nodeConfig: Uint8Array;
  /** What is known beside the configs: no extension can be proven without. */
  readonly extensions?: ExtensionKnowledge;
};

/**
 * @throws AshlarError `invalid` when a config takes content from elsewhere without naming its digest: what a node then
 * runs is not decided by what was declared, so that no measurement could prove it. Also when what they declare about
 * extensions is wrong.
 */
export function expectationsOf(declaration: Declaration): Expectations {
  const { release, alsoAllowed = [], classConfig, nodeConfig, extensions = NO_KNOWLEDGE } = declaration;
  refuseUnpinned("class config", classConfig);
  refuseUnpinned("node config", nodeConfig);
  const isRequired = declaredBoot(classConfig, nodeConfig).secureBoot === "required";
  return {
    release,
    alsoAllowed,
    classConfigSha256: sha256(classConfig),
    nodeConfigSha256: sha256(nodeConfig),
    extensions: { ...extensions, declared: declaredInConfigs(classConfig, nodeConfig) },
    ...(isRequired ? { requiresSecureBoot: true } : {}),
  };
}

function refuseUnpinned(what: string, config: Uint8Array): void {
  const [first, ...more] = findUnpinnedSources(config, what);
  if (first === undefined) return;
  const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
  throw new AshlarError("invalid", `${what}: expected content that the config decides, found ${first}${others}`, {
    hint: "add verification.hash with the content's digest, or inline it",
  });
}
