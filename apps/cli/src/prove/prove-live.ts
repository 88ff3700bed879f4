import { AshlarError } from "@ashlar/base";
import { reportLine } from "@ashlar/host/terminal";
import type { KnownExtension } from "@ashlar/identity";
import type { KnownRelease } from "@ashlar/protocol/answers";
import type { NodeTarget, OpenKeeper, ProveNodesOptions } from "@ashlar/verifier";
import type { DeclaredNodes, Known, RepositoryPlace } from "@ashlar/verifier/declared";
import { withInterruption } from "../interruption.ts";
import { parseAcceptedFirmware } from "./accept-firmware.ts";
import { nodesOfLab } from "./nodes-of-lab.ts";
import type { ManifestSources, OnAnswer, Proof, ProveOptions } from "./prove-options.ts";
import { readConfig, readKnownFirmware, readVouchedEks } from "./read-sources.ts";
import { readTrusts, refuseDifferentTrust, type Trusts } from "./read-trusts.ts";

/** Asks the nodes of a lab, of a Kubernetes cluster, or at URLs. */
export async function proveLive(
  options: ProveOptions,
  onAnswer: OnAnswer,
  onProgress: (line: string) => void = reportLine,
): Promise<Proof> {
  const { proveNodes } = await import("@ashlar/verifier");
  const declared = await declareLive(options);
  const { targets, proving, trusts, sources, notes } = declared;
  const enrolAgain = new Set(options.enrolAgain);
  const acceptFirmware = parseAcceptedFirmware(options.acceptFirmware ?? []);
  refuseStrangers("--enrol-again", enrolAgain, targets);
  refuseStrangers("--accept-firmware", acceptFirmware.keys(), targets);
  if (options.learnFirmware !== undefined) refuseStrangers("--learn-firmware", [options.learnFirmware], targets);
  if (options.showFirmware !== undefined) refuseStrangers("--show-firmware", [options.showFirmware], targets);
  await using evidence = await openKeeper(options.evidence, declared);
  const { challenge } = options;
  const { challengedNonce } = await import("@ashlar/protocol");
  const proof = await withInterruption(async (signal) =>
    proveNodes(targets, {
      ...proving,
      enrolAgain,
      nonceFor: challenge === undefined ? undefined : (name) => challengedNonce(challenge, name),
      acceptFirmware,
      onAnswer,
      ...(evidence === undefined ? {} : { evidence }),
      onProgress,
      signal,
    }),
  );
  await evidence?.finish();
  return withNotes({ ...proof, trusts, sources }, notes);
}

/** Where answers are kept, when the user has named a place. */
async function openKeeper(
  path: string | undefined,
  { targets, trusts, sources, release, extensions }: DeclaredLive,
): Promise<OpenKeeper | undefined> {
  if (path === undefined) return undefined;
  refuseDifferentTrust(trusts);
  const { keepEvidence, pemOf } = await import("@ashlar/verifier");
  const { ekRoots, cloudRoots } = trusts.common;
  return await keepEvidence(path, {
    nodes: targets.map(({ name }) => name),
    manifest: JSON.stringify(release),
    ekRoots: ekRoots === undefined ? undefined : pemOf(ekRoots.certificates),
    cloudRoots: cloudRoots === undefined ? undefined : pemOf(cloudRoots.certificates),
    known: sources.releases,
    extensions,
  });
}

export type DeclaredLive = {
  readonly targets: readonly NodeTarget[];
  /** What counts for all of them. */
  readonly proving: ProveNodesOptions;
  readonly trusts: Trusts;
  readonly sources: ManifestSources;
  /** The one that was given, or which most of them are declared to run. */
  readonly release: KnownRelease | undefined;
  readonly extensions: readonly KnownExtension[];
  /** What the API server says of nodes. */
  readonly notes: ReadonlyMap<string, string>;
};

/** Reads what nodes are declared to be, whom to trust, and which releases and extensions are known. No node is asked. */
export async function declareLive(options: ProveOptions): Promise<DeclaredLive> {
  const { expectationsOf } = await import("@ashlar/identity");
  const { parseKnownRelease } = await import("@ashlar/protocol/answers");
  const declarations = await import("@ashlar/verifier/declared");
  const { readUpdateRecord, rightReleases, updateRecordPath } = declarations;
  const { notes, ...declared } = await findNodes(options);
  const pinsPath = options.pins ?? declared.pinsPath;
  const recordPath = updateRecordPath(pinsPath);
  const record = await readUpdateRecord(recordPath);
  const extensionRecord = await declarations.readExtensionRecord(declarations.extensionRecordPath(pinsPath));
  const readRelease = async (path: string | undefined): Promise<KnownRelease | undefined> =>
    path === undefined ? undefined : parseKnownRelease(await declarations.readManifestText(path));
  const given = await readRelease(options.image);
  const made = await readRelease(declared.manifestPath);
  const images = new Map<string, KnownRelease>();
  for (const { release } of declared.nodes) {
    if (release === undefined || !("image" in release) || images.has(release.image)) continue;
    images.set(release.image, parseKnownRelease(await declarations.readManifestText(release.image)));
  }
  const known = await readKnown(options, recordPath, declared, [given, made, ...images.values()]);
  const trusts = await readTrusts(options, declared);
  const { ekRoots, cloudRoots } = trusts.common;
  const targets = declared.nodes.map(({ classConfig, nodeConfig, release, trust: _trust, ...node }) =>
    Object.assign(node, {
      trust: trusts.of.get(node.name) ?? trusts.common,
      expectations: expectationsOf({
        ...rightReleases(node.name, record, known.releases, {
          given: given ?? (release && declarations.declaredRelease(release, known, images)),
          made,
        }),
        classConfig,
        nodeConfig,
        extensions: { known: known.extensions, ...declarations.rightOfNode(extensionRecord, node.name) },
      }),
    }),
  );
  const sources = {
    releases: known.releases,
    extensions: [...(options.extension ?? []), ...(declared.extensions ?? [])],
    repository: repositoryOf(options, declared),
    recordPath,
  };
  const proving = {
    ekRoots,
    cloudRoots,
    candidates: known.releases,
    maxAgeMs: options.maxAge * 1000,
    pinsPath,
    fetchIntermediates: options.fetchIntermediates === true,
    knownFirmware: await readKnownFirmware(options),
    vouchedEks: await readVouchedEks(options),
  };
  const release = given ?? made ?? targets[0]?.expectations.release;
  return { targets, proving, trusts, sources, release, extensions: known.extensions, notes };
}

/** What the API server says beside what is proven. */
function withNotes(proof: Proof, notes: ReadonlyMap<string, string>): Proof {
  const nodes = proof.fleet.nodes.map((node) => {
    const note = notes.get(node.name);
    return note === undefined ? node : { ...node, notes: [...node.notes, `the API server says that ${note}`] };
  });
  return { ...proof, fleet: { ...proof.fleet, nodes } };
}

function refuseStrangers(option: string, names: Iterable<string>, targets: readonly { readonly name: string }[]): void {
  const stranger = [...names].find((name) => !targets.some((target) => target.name === name));
  if (stranger === undefined) return;
  throw new AshlarError("usage", `expected names of asked nodes after ${option}, found ${stranger}`);
}

/** The lab's repository is only a help: its nodes can be proven when it is broken. */
async function readKnown(
  options: ProveOptions,
  recordPath: string,
  declared: Pick<FoundNodes, "repository" | "extensions">,
  given: readonly (KnownRelease | undefined)[],
): Promise<Known> {
  const { readKnown: read } = await import("@ashlar/verifier/declared");
  const { knownImage = [], releases, extension = [], fleet } = options;
  const isOfLab = fleet === undefined && releases === undefined;
  return await withInterruption(async (signal) =>
    read({
      given: given.filter((release) => release !== undefined),
      images: knownImage,
      extensions: [...extension, ...(declared.extensions ?? [])],
      recordPath,
      repository: repositoryOf(options, declared),
      onUnreadable: isOfLab ? (message) => reportLine(`the lab's repository is left out: ${message}`) : undefined,
      signal,
    }),
  );
}

function repositoryOf(
  { releases, releaseRoot }: Pick<ProveOptions, "releases" | "releaseRoot">,
  declared: Pick<FoundNodes, "repository">,
): RepositoryPlace | undefined {
  return releases === undefined ? declared.repository : { releases, releaseRoot };
}

type FoundNodes = DeclaredNodes & {
  readonly notes: ReadonlyMap<string, string>;
  /** Manifests of extensions beside those that options name. */
  readonly extensions?: readonly string[];
};

async function findNodes(options: ProveOptions): Promise<FoundNodes> {
  if (options.kubernetes === true) {
    const { nodesOfCluster, openCluster } = await import("../cluster/nodes-of-cluster.ts");
    using cluster = await openCluster(options);
    return await withInterruption(async (signal) => nodesOfCluster(cluster, options, signal));
  }
  if (options.fleet !== undefined) {
    const { readFleet } = await import("../fleet/read-fleet.ts");
    const { nodesOfFleet } = await import("../fleet/nodes-of-fleet.ts");
    const file = await readFleet(options.fleet);
    return await withInterruption(async (signal) => nodesOfFleet(file, signal));
  }
  const notes = new Map<string, string>();
  const classConfig = await readConfig(options);
  if (options.lab !== undefined) return { ...(await nodesOfLab(options.lab, classConfig)), notes };
  const { nodesAtUrls } = await import("@ashlar/verifier/declared");
  return { ...(await nodesAtUrls(options.nodes ?? "", classConfig, options.nodeConfigs)), notes };
}
