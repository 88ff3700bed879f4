import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { AshlarError } from "@ashlar/base";
import { parseEkRoots } from "@ashlar/identity";
import { parseManifest } from "@ashlar/protocol/answers";
import { pinOfOperatorPem } from "@ashlar/protocol";
import type { Repository } from "@ashlar/repository";
import type { ExtensionKnowledge, KnownExtension } from "@ashlar/identity";
import {
  AgentClient,
  allowedVersions,
  extensionRecordPath,
  readExtensionRecord,
  readUpdateRecord,
  rightOfNode,
  updateRecordPath,
  type UpdateRecord,
} from "@ashlar/verifier";
import { readClassConfig } from "../class-config.ts";
import { nodesAtUrls, nodesOfLab, type DeclaredNode, type DeclaredNodes } from "../prove/declared-nodes.ts";
import { readManifestText, readText } from "../prove/read-release.ts";
import { openReleases } from "../prove/release-repository.ts";
import { extensionsOf, readExtensions } from "../prove/known-extensions.ts";
import type { Right, Verifier } from "./challenge-node.ts";
import { RemoteComponent } from "./component-access.ts";
import type { ComponentGoal } from "./component-turn.ts";
import { KnownReleases } from "./known-releases.ts";
import { RemoteNode } from "./node-access.ts";

/** The options that `update` and `rollback` share. */
export type SessionOptions = {
  readonly lab?: string;
  /** https URLs, separated by commas. */
  readonly urls?: string | undefined;
  readonly operatorKey?: string;
  readonly releases?: string;
  readonly releaseRoot?: string;
  readonly image?: string;
  readonly config?: string;
  readonly filesDir?: string;
  readonly nodeConfigs?: string;
  readonly ekRoots?: string;
  readonly pins?: string;
  readonly extension?: readonly string[];
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

/** Where things are that no option names. */
type Defaults = {
  readonly operatorKey?: string;
  readonly releases?: string;
  readonly releaseRoot?: string;
};

/** @throws AshlarError `usage`, `not-found`, and whatever `openRepository` throws */
export async function openSession(options: SessionOptions, signal: AbortSignal): Promise<Session> {
  const { declared, defaults } = await findNodes(options);
  const pinsPath = options.pins ?? declared.pinsPath;
  const recordPath = updateRecordPath(pinsPath);
  const operatorPem = await readOperatorKey(options.operatorKey ?? defaults.operatorKey);
  const releases = options.releases ?? defaults.releases;
  const releaseRoot = options.releaseRoot ?? defaults.releaseRoot;
  const repository =
    releases === undefined ? undefined : await openReleases({ releases, releaseRoot }, dirname(recordPath), signal);
  const imagePath = options.image ?? declared.manifestPath;
  const image = imagePath === undefined ? undefined : parseManifest(await readManifestText(imagePath));
  const known = await KnownReleases.read(recordPath, repository, image === undefined ? [] : [image]);
  const record = await readUpdateRecord(recordPath);
  const extensions = [
    ...(repository === undefined ? [] : extensionsOf(repository.index)),
    ...(await readExtensions(options.extension ?? [])),
  ];
  const recordOfExtensions = extensionRecordPath(pinsPath);
  const extensionRecord = await readExtensionRecord(recordOfExtensions);
  const rootsPath = options.ekRoots ?? declared.ekRootsPath;
  const ekRoots = rootsPath === undefined ? undefined : parseEkRoots(await readText(rootsPath, "trusted TPM makers"));
  const knowledge = (node: DeclaredNode): ExtensionKnowledge => ({
    known: extensions,
    ...rightOfNode(extensionRecord, node.name),
  });
  const verifier = { pinsPath, ekRoots, candidates: known.all };
  const right = async (node: DeclaredNode): Promise<Right> => {
    const versions = allowedFor(record, node.name, image?.version) ?? [await reportedVersion(node, signal)];
    const [release, ...alsoAllowed] = await Promise.all([...versions].map(async (version) => known.get(version)));
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
      const allowed = allowedFor(record, node.name, image?.version);
      const context = { releases: known, extensions: knowledge(node), target, allowed };
      return new RemoteNode(node, { ...context, pinsPath, ekRoots, operatorPem });
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

/** An update's record knows better than the image that a node was made from. */
function allowedFor(record: UpdateRecord, name: string, image: string | undefined): ReadonlySet<string> | undefined {
  const { declared, also } = allowedVersions(record, name);
  const versions = [declared ?? image, also].filter((version) => version !== undefined);
  return versions.length === 0 ? undefined : new Set(versions);
}

async function findNodes(options: SessionOptions): Promise<{ declared: DeclaredNodes; defaults: Defaults }> {
  const classConfig =
    options.config === undefined ? undefined : await readClassConfig(options.config, options.filesDir);
  if (options.lab === undefined) {
    return { declared: await nodesAtUrls(options.urls ?? "", classConfig, options.nodeConfigs), defaults: {} };
  }
  const { openLab } = await import("@ashlar/lab");
  const lab = await openLab(options.lab);
  await lab.startRepository();
  const { repository } = lab;
  const defaults = {
    operatorKey: lab.operatorKeyPath,
    ...(repository === undefined ? {} : { releases: repository.directory }),
    ...(repository !== undefined && existsSync(repository.trustedRootPath)
      ? { releaseRoot: repository.trustedRootPath }
      : {}),
  };
  return { declared: await nodesOfLab(options.lab, classConfig), defaults };
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
