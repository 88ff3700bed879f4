import { readText } from "@ashlar/host";
import { dirname } from "node:path";
import { AshlarError } from "@ashlar/base";
import type { ExtensionKnowledge, KnownExtension } from "@ashlar/identity";
import { parseManifest } from "@ashlar/protocol/answers";
import { pinOfOperatorPem } from "@ashlar/protocol";
import type { Repository } from "@ashlar/repository";
import { AgentClient, readTrust } from "@ashlar/verifier";
import {
  allowedVersions,
  extensionRecordPath,
  readExtensionRecord,
  readUpdateRecord,
  rightOfNode,
  updateRecordPath,
  readManifestText,
  extensionsOf,
  readExtensions,
  KnownReleases,
  type UpdateRecord,
  type DeclaredNode,
  type DeclaredNodes,
} from "@ashlar/verifier/declared";
import { openReleases, type RepositoryPlace } from "@ashlar/verifier/release-repository";
import type { Right, Verifier } from "./challenge-node.ts";
import { RemoteComponent } from "./component-access.ts";
import type { ComponentGoal } from "../turn/component-turn.ts";
import { RemoteNode } from "./node-access.ts";

/** Where everything is that a session needs. */
export type SessionSources = {
  readonly declared: DeclaredNodes;
  /** The file with the operator's key. */
  readonly operatorKey: string | undefined;
  readonly repository: RepositoryPlace | undefined;
  /** The image, or its manifest, of nodes that were never updated. */
  readonly image: string | undefined;
  readonly ekRoots: string | undefined;
  readonly cloudRoots?: string | undefined;
  readonly acceptExpiredEk?: boolean | undefined;
  /** At enrolment, ask the URLs in the TPMs' certificates for what leads to a root. */
  readonly fetchIntermediates?: boolean | undefined;
  readonly pins: string | undefined;
  readonly extensions: readonly string[];
};

/** Everything that an update needs to know before it talks to a node. */
export type Session = {
  readonly nodes: readonly DeclaredNode[];
  /** Undefined when none was named: then only the nodes themselves know their channel's minimum version. */
  readonly repository: Repository | undefined;
  readonly known: KnownReleases;
  readonly record: UpdateRecord;
  readonly recordPath: string;
  readonly extensionRecordPath: string;
  /** All published ones that can be known from here. */
  readonly extensions: readonly KnownExtension[];
  readonly operatorPem: string;
  readonly access: (node: DeclaredNode, target: string) => RemoteNode;
  readonly component: (node: DeclaredNode, goal: ComponentGoal) => RemoteComponent;
  readonly verifier: Verifier;
  readonly right: (node: DeclaredNode) => Promise<Right>;
};

/** @throws AshlarError `usage`, `not-found`, and whatever `openRepository` throws */
export async function openSession(sources: SessionSources, signal: AbortSignal): Promise<Session> {
  const { declared, repository: place } = sources;
  const pinsPath = sources.pins ?? declared.pinsPath;
  const recordPath = updateRecordPath(pinsPath);
  const operatorPem = await readOperatorKey(sources.operatorKey);
  const repository = place === undefined ? undefined : await openReleases(place, dirname(recordPath), signal);
  const imagePath = sources.image ?? declared.manifestPath;
  const image = imagePath === undefined ? undefined : parseManifest(await readManifestText(imagePath));
  const known = await KnownReleases.read(recordPath, repository, image === undefined ? [] : [image]);
  const record = await readUpdateRecord(recordPath);
  const extensions = [
    ...(repository === undefined ? [] : extensionsOf(repository.index)),
    ...(await readExtensions(sources.extensions)),
  ];
  const recordOfExtensions = extensionRecordPath(pinsPath);
  const extensionRecord = await readExtensionRecord(recordOfExtensions);
  const { acceptExpiredEk: acceptExpired, fetchIntermediates = false } = sources;
  const trust = await readTrust({
    ekRoots: sources.ekRoots,
    cloudRoots: sources.cloudRoots,
    labRoots: declared.ekRootsPath,
    acceptExpired,
  });
  const knowledge = (node: DeclaredNode): ExtensionKnowledge => ({
    known: extensions,
    ...rightOfNode(extensionRecord, node.name),
  });
  const verifier = { pinsPath, ...trust, fetchIntermediates, candidates: known.all };
  const madeFrom = ({ release }: DeclaredNode): string | undefined =>
    image?.version ?? (release !== undefined && "version" in release ? release.version : undefined);
  const right = async (node: DeclaredNode): Promise<Right> => {
    const allowed = allowedVersions(record, node.name, { made: madeFrom(node) });
    const versions = allowed.length === 0 ? [await reportedVersion(node, signal)] : allowed;
    const [release, ...alsoAllowed] = await Promise.all(versions.map(async (version) => known.get(version)));
    if (release === undefined) throw new TypeError("there is one version at least");
    return { release, alsoAllowed, extensions: knowledge(node) };
  };
  return {
    nodes: declared.nodes,
    repository,
    known,
    record,
    recordPath,
    extensionRecordPath: recordOfExtensions,
    extensions,
    operatorPem,
    access: (node, target) => {
      const versions = allowedVersions(record, node.name, { made: madeFrom(node) });
      const allowed = versions.length === 0 ? undefined : new Set(versions);
      const context = { releases: known, extensions: knowledge(node), target, allowed };
      return new RemoteNode(node, { ...context, ...verifier, operatorPem });
    },
    component: (node, goal) =>
      new RemoteComponent(node, { ...verifier, goal, operatorPem, right: async () => right(node) }),
    verifier,
    right,
  };
}

/** What a node that nobody has declared anything for says it runs. It is proven against that release. */
async function reportedVersion({ url }: DeclaredNode, signal: AbortSignal): Promise<string> {
  using client = new AgentClient(url, { signal });
  return (await client.updateStatus()).version;
}

async function readOperatorKey(path: string | undefined): Promise<string> {
  if (path === undefined) {
    throw new AshlarError("usage", "expected --operator-key with nodes that belong to no lab", {
      hint: "make one with `ashlar operator-key --out FILE`, and name its pin in the nodes' update.yaml",
    });
  }
  const pem = await readText(path, "an operator's key");
  pinOfOperatorPem(pem);
  return pem;
}
