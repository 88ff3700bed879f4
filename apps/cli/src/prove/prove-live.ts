import { AshlarError } from "@ashlar/base";
import { reportLine } from "@ashlar/host/terminal";
import type { KnownRelease } from "@ashlar/protocol/answers";
import type { DeclaredNodes, Known } from "@ashlar/verifier/declared";
import { withInterruption } from "../interruption.ts";
import { parseAcceptedFirmware } from "./accept-firmware.ts";
import { nodesOfLab } from "./nodes-of-lab.ts";
import type { OnAnswer, Proof, ProveOptions } from "./prove-options.ts";
import { readConfig, readKnownFirmware, readVouchedEks } from "./read-sources.ts";

/** Asks the nodes of a lab, of a Kubernetes cluster, or at URLs. */
export async function proveLive(options: ProveOptions, onAnswer: OnAnswer): Promise<Proof> {
  const { expectationsOf } = await import("@ashlar/identity");
  const { parseKnownRelease } = await import("@ashlar/protocol/answers");
  const { proveNodes, writeStoredFleet } = await import("@ashlar/verifier");
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
  const known = await readKnown(options, recordPath, declared.repository, [given, made]);
  const { pemOf, readTrust } = await import("@ashlar/verifier");
  const { ekRoots, cloudRoots } = await readTrust({
    ekRoots: options.ekRoots,
    cloudRoots: options.cloudRoots,
    labRoots: declared.ekRootsPath,
    acceptExpired: options.acceptExpiredEk,
  });
  const targets = declared.nodes.map(({ classConfig, nodeConfig, ...node }) =>
    Object.assign(node, {
      expectations: expectationsOf({
        ...rightReleases(node.name, record, known.releases, { given, made }),
        classConfig,
        nodeConfig,
        extensions: { known: known.extensions, ...declarations.rightOfNode(extensionRecord, node.name) },
      }),
    }),
  );
  const enrolAgain = new Set(options.enrolAgain);
  const acceptFirmware = parseAcceptedFirmware(options.acceptFirmware ?? []);
  refuseStrangers("--enrol-again", enrolAgain, targets);
  refuseStrangers("--accept-firmware", acceptFirmware.keys(), targets);
  if (options.learnFirmware !== undefined) refuseStrangers("--learn-firmware", [options.learnFirmware], targets);
  if (options.showFirmware !== undefined) refuseStrangers("--show-firmware", [options.showFirmware], targets);
  if (options.evidence !== undefined) {
    const nodes = targets.map(({ name }) => name);
    const manifest = JSON.stringify(given ?? made ?? targets[0]?.expectations.release);
    await writeStoredFleet(options.evidence, {
      nodes,
      manifest,
      ekRoots: ekRoots === undefined ? undefined : pemOf(ekRoots.certificates),
      cloudRoots: cloudRoots === undefined ? undefined : pemOf(cloudRoots.certificates),
      known: known.releases,
      extensions: known.extensions,
    });
  }
  const proof = await withInterruption(async (signal) =>
    proveNodes(targets, {
      ekRoots,
      cloudRoots,
      candidates: known.releases,
      maxAgeMs: options.maxAge * 1000,
      pinsPath,
      enrolAgain,
      fetchIntermediates: options.fetchIntermediates === true,
      acceptFirmware,
      onAnswer,
      knownFirmware: await readKnownFirmware(options),
      vouchedEks: await readVouchedEks(options),
      ...(options.evidence === undefined ? {} : { evidenceDirectory: options.evidence }),
      onProgress: (line) => reportLine(line),
      signal,
    }),
  );
  return withNotes(proof, notes);
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
  { knownImage = [], releases, releaseRoot, extension }: ProveOptions,
  recordPath: string,
  labs: DeclaredNodes["repository"],
  given: readonly (KnownRelease | undefined)[],
): Promise<Known> {
  const { readKnown: read } = await import("@ashlar/verifier/declared");
  const isGiven = releases !== undefined;
  return await withInterruption(async (signal) =>
    read({
      given: given.filter((release) => release !== undefined),
      images: knownImage,
      extensions: extension,
      recordPath,
      repository: isGiven ? { releases, releaseRoot } : labs,
      onUnreadable: isGiven ? undefined : (message) => reportLine(`the lab's repository is left out: ${message}`),
      signal,
    }),
  );
}

type FoundNodes = DeclaredNodes & { readonly notes: ReadonlyMap<string, string> };

async function findNodes(options: ProveOptions): Promise<FoundNodes> {
  if (options.kubernetes === true) {
    const { nodesOfCluster, openCluster } = await import("../cluster/nodes-of-cluster.ts");
    using cluster = await openCluster(options);
    return await withInterruption(async (signal) => nodesOfCluster(cluster, options, signal));
  }
  const notes = new Map<string, string>();
  const classConfig = await readConfig(options);
  if (options.lab !== undefined) return { ...(await nodesOfLab(options.lab, classConfig)), notes };
  const { nodesAtUrls } = await import("@ashlar/verifier/declared");
  return { ...(await nodesAtUrls(options.nodes ?? "", classConfig, options.nodeConfigs)), notes };
}
