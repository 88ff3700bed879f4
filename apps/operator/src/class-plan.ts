import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError, formatProblem, hasErrors } from "@ashlar/base";
import { translate } from "@ashlar/butane";
import { findDeclarationProblems } from "@ashlar/declaration";
import { expectationsOf, type Expectations } from "@ashlar/identity";
import type { KeyReference, NodeClassObject, NodeClassSpec, NodeRollout, SourceObject } from "@ashlar/kube";
import { parseOperatorPem } from "@ashlar/protocol";
import type { KnownRelease } from "@ashlar/protocol/answers";
import { declaredKubelet, type Kubelet } from "@ashlar/rollout";
import { readEkRoots, readFirmwarePolicy, type ProveNodeOptions } from "@ashlar/verifier";
import { readKnown, type Known } from "@ashlar/verifier/declared";

/** A NodeClass with all that it refers to, read and checked. */
export type ClassPlan = {
  readonly className: string;
  /** Tells this from what the class was before. */
  readonly key: string;
  readonly intervalMs: number;
  readonly freshnessMs: number;
  readonly options: ProveNodeOptions;
  /** The releases that are known, the class's own among them. */
  readonly releases: readonly KnownRelease[];
  /** PEM of the key whose orders the nodes take; undefined when the class names none. */
  readonly operatorPem: string | undefined;
  /**
   * @param versions of releases; the first is the right one, and the others are as right
   * @throws AshlarError when the node's own part is wrong, or a release is not known
   */
  readonly expectationsFor: (node: string, versions: readonly [string, ...string[]]) => Expectations;
  /** The class's own release. */
  readonly release: string;
  /** Who else has a say before and after a restart. */
  readonly rollout: NodeRollout;
  /** What its config brings. */
  readonly kubelet: Kubelet | undefined;
  /** When the repository's index is no longer trusted, milliseconds since 1970; undefined without a repository. */
  readonly expiresMs: number | undefined;
};

/** What a class may refer to, by name. */
export type Sources = {
  readonly secrets: ReadonlyMap<string, SourceObject>;
  readonly configMaps: ReadonlyMap<string, SourceObject>;
};

/** An answer may take as long as a loaded machine needs; older than this it was held back. */
const MAX_AGE_MS = 300_000;
const NOTHING = new Uint8Array();

/** Changes when the class, or anything that it refers to, does. */
export function planKey({ uid, generation, spec }: NodeClassObject, { secrets, configMaps }: Sources): string {
  if (spec === undefined) return `${uid} ${generation}`;
  const { config, nodeConfigs, releases, trust, operatorKey } = spec;
  const named = [releases.root, trust.ekRoots, trust.cloudRoots, trust.firmwarePolicy].map((each) => each?.name);
  const used = [
    ...[config.secret?.name, nodeConfigs, operatorKey?.name].map((name) => secrets.get(name ?? "")),
    ...[...named, releases.manifests].map((name) => configMaps.get(name ?? "")),
  ];
  return [uid, generation, ...used.map((each) => each?.resourceVersion ?? "-")].join(" ");
}

/**
 * @param directory where files may be kept, and what was seen of repositories
 * @throws AshlarError when the class cannot be used, with what has to be changed
 */
export async function makePlan(
  object: NodeClassObject,
  sources: Sources,
  directory: string,
  signal: AbortSignal,
): Promise<ClassPlan> {
  const { name, spec } = object;
  if (spec === undefined) {
    throw new AshlarError("invalid", `NodeClass ${name}: expected one that this version of the operator understands`);
  }
  const classConfig = classConfigOf(name, spec, sources);
  await mkdir(directory, { recursive: true });
  const files = await mkdtemp(join(directory, "class-"));
  try {
    const write = async (what: string, reference: KeyReference | undefined): Promise<string | undefined> => {
      if (reference === undefined) return undefined;
      await writeFile(join(files, what), entryOf("ConfigMap", sources.configMaps, reference));
      return join(files, what);
    };
    const [makers, clouds, policy] = [
      await write("makers.pem", spec.trust.ekRoots),
      await write("clouds.pem", spec.trust.cloudRoots),
      await write("firmware.json", spec.trust.firmwarePolicy),
    ];
    const known = await knownOf(spec, sources, { files, directory, write, signal });
    const releaseNamed = (wanted: string): KnownRelease => releaseOf(known.releases, wanted);
    releaseNamed(spec.release);
    const nodeConfigs = spec.nodeConfigs === undefined ? undefined : find("Secret", sources.secrets, spec.nodeConfigs);
    const { acceptExpiredEk: acceptExpired } = spec.trust;
    return {
      className: name,
      key: planKey(object, sources),
      intervalMs: spec.proof.intervalSeconds * 1000,
      freshnessMs: spec.proof.freshnessSeconds * 1000,
      options: {
        ekRoots: makers === undefined ? undefined : await readEkRoots(makers, { acceptExpired }),
        cloudRoots: clouds === undefined ? undefined : await readEkRoots(clouds),
        knownFirmware: policy === undefined ? [] : await readFirmwarePolicy(policy),
        candidates: known.releases,
        maxAgeMs: MAX_AGE_MS,
      },
      releases: known.releases,
      release: spec.release,
      rollout: spec.rollout ?? {},
      kubelet: declaredKubelet(classConfig, known.extensions),
      expiresMs: known.expiresMs,
      operatorPem: spec.operatorKey && readOperatorPem(entryOf("Secret", sources.secrets, spec.operatorKey)),
      expectationsFor: (node, [first, ...others]) =>
        expectationsOf({
          release: releaseNamed(first),
          alsoAllowed: others.map(releaseNamed),
          classConfig,
          nodeConfig: nodeConfigs?.entries.get(`${node}.ign`) ?? NOTHING,
          extensions: { known: known.extensions, exceptions: [], alsoAllowed: [] },
        }),
    };
  } finally {
    await rm(files, { recursive: true, force: true });
  }
}

/** @throws AshlarError `not-found` */
export function releaseOf(releases: readonly KnownRelease[], wanted: string): KnownRelease {
  const found = releases.find(({ version }) => version === wanted);
  if (found !== undefined) return found;
  const versions = releases.map(({ version }) => version).join(", ") || "none";
  throw new AshlarError("not-found", `expected the manifest of release ${wanted}, found ${versions}`);
}

function readOperatorPem(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  parseOperatorPem(text);
  return text;
}

type Places = {
  readonly files: string;
  readonly directory: string;
  readonly write: (what: string, reference: KeyReference | undefined) => Promise<string | undefined>;
  readonly signal: AbortSignal;
};

async function knownOf({ releases }: NodeClassSpec, sources: Sources, places: Places): Promise<Known> {
  const { files, directory, write, signal } = places;
  const { url, root, manifests } = releases;
  if (url !== undefined) {
    const repository = { releases: url, releaseRoot: await write("release-root.json", root) };
    // What was seen of the repository is remembered here, so that it cannot go back.
    return await readKnown({ images: [], repository, recordPath: join(directory, "update.json"), signal });
  }
  const entries = [...find("ConfigMap", sources.configMaps, manifests ?? "").entries];
  const images = entries.map((_, index) => join(files, `manifest-${index}.json`));
  for (const [index, [, bytes]] of entries.entries()) await writeFile(images[index] ?? "", bytes);
  return await readKnown({ images });
}

/** The very bytes that `ashlar butane` prints: what nodes have measured. */
function classConfigOf(name: string, { config }: NodeClassSpec, { secrets }: Sources): Uint8Array {
  const bytes = config.secret === undefined ? undefined : entryOf("Secret", secrets, config.secret);
  if (bytes !== undefined && config.secret?.key.endsWith(".ign") === true) return bytes;
  const text = bytes === undefined ? (config.butane ?? "") : new TextDecoder().decode(bytes);
  const { ignition, report: own } = translate(text, { target: "ashlar" });
  const translated = new TextEncoder().encode(`${ignition ?? ""}\n`);
  const report = ignition === undefined ? own : [...own, ...findDeclarationProblems(translated)];
  if (ignition !== undefined && !hasErrors(report)) return translated;
  const first = report.find(({ severity }) => severity === "error");
  const why = first === undefined ? "it gives no config" : (formatProblem(first).split("\n", 1)[0] ?? "");
  throw new AshlarError("invalid", `the Butane file of NodeClass ${name}: ${why}`);
}

type SourceKind = "Secret" | "ConfigMap";

function find(kind: SourceKind, objects: ReadonlyMap<string, SourceObject>, name: string): SourceObject {
  const found = objects.get(name);
  if (found !== undefined) return found;
  throw new AshlarError("not-found", `expected the ${kind} ${name} in the operator's namespace, found none`);
}

function entryOf(
  kind: SourceKind,
  objects: ReadonlyMap<string, SourceObject>,
  { name, key }: KeyReference,
): Uint8Array {
  const { entries } = find(kind, objects, name);
  const found = entries.get(key);
  if (found !== undefined) return found;
  const keys = [...entries.keys()].slice(0, MAX_SHOWN).join(", ") || "none";
  throw new AshlarError("not-found", `expected the entry ${key} in the ${kind} ${name}, found ${keys}`);
}

const MAX_SHOWN = 20;
