import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import type { KnownNode, Manifests } from "@ashlar/inventory";
import type { FleetVerdict } from "@ashlar/identity";
import type { Remember, SeenAnswer } from "@ashlar/verifier";
import { programDigest } from "../quick-start/program-digest.ts";
import { runningOf } from "../certificate/proved-nodes.ts";
import { refuseContradictions, type ManifestSources, type ProveOptions } from "../prove/prove-options.ts";
import { readManifests } from "./read-manifests.ts";

/** Where nodes come from: as for `ashlar prove`, or from a certificate. */
export type NodeSources = ProveOptions & { readonly certificate?: string; readonly key?: string };

export type Firmware = NonNullable<SeenAnswer["firmware"]>;

export type KnownNodes = {
  readonly nodes: readonly KnownNode[];
  readonly manifests: Manifests;
  /** Undefined for nodes of a certificate, which has no more than their codes. */
  readonly fleet?: FleetVerdict;
};

/**
 * Nodes with what is proved of them, and the manifests of what they run.
 *
 * @throws AshlarError `usage`, `untrusted` for a certificate that does not hold, and what proving throws
 */
export async function readKnownNodes(
  options: NodeSources,
  onFirmware?: (name: string, firmware: Firmware) => void,
): Promise<KnownNodes> {
  if (options.certificate !== undefined) return await nodesOfCertificate(options.certificate, options);
  refuseContradictions(options);
  const { firmwareToPin } = await import("@ashlar/identity");
  const { proveFrom } = await import("../prove/prove-from.ts");
  const { proveLive } = await import("../prove/prove-live.ts");
  const { fleet, sources } = await (options.from === undefined
    ? proveLive(options, (name, { evidence }) => onFirmware?.(name, firmwareToPin(evidence)))
    : proveFrom(options.from, options, {
        remember: await rememberingPlace(),
        ...(onFirmware === undefined ? {} : { tell: { firmware: true } }),
        onSeen: (name, { firmware }) => {
          if (firmware !== undefined) onFirmware?.(name, firmware);
        },
      }));
  const nodes = fleet.nodes.map((verdict) => ({
    name: verdict.name,
    level: verdict.level,
    running: runningOf(verdict),
  }));
  return { nodes, manifests: await readManifests(nodes, sources), fleet };
}

/** For the next question about the same evidence. Whoever asks is answered by the very program that has judged. */
async function rememberingPlace(): Promise<Remember | undefined> {
  const { cacheDirectory } = await import("@ashlar/host");
  const program = programDigest();
  return program === undefined ? undefined : { directory: join(cacheDirectory(), "verdicts"), program };
}

async function nodesOfCertificate(path: string, options: NodeSources): Promise<KnownNodes> {
  const { lab, nodes: urls, fleet, from, kubernetes, key } = options;
  if ([lab, urls, fleet, from, kubernetes].some((source) => source !== undefined))
    throw new AshlarError("usage", "expected --certificate without --lab, --nodes, --kubernetes, --fleet and --from");
  if (key === undefined) throw new AshlarError("usage", "expected --key with --certificate: whose word it is");
  const nodes = await readCertifiedNodes(path, key);
  return { nodes, manifests: await readManifests(nodes, await sourcesOfOptions(options)) };
}

/**
 * The nodes of a certificate that is signed and whole, and valid now.
 *
 * @param how an earlier one may have expired
 */
export async function readCertifiedNodes(path: string, key: string, how?: "also-expired"): Promise<KnownNode[]> {
  const { readCertificate, readPublicKey } = await import("../certificate/read-certificate.ts");
  const { checkCertificate } = await import("@ashlar/fleet");
  const certificate = await readCertificate(path);
  const { refusals } = checkCertificate(certificate, { publicKey: await readPublicKey(key), nowMs: Date.now() });
  const first = refusals.find(({ code }) => how === undefined || code !== "expired");
  if (first !== undefined) throw new AshlarError("untrusted", `${path}: ${first.code}: ${first.message}`);
  const records = certificate.kind === "fleet" ? certificate.nodes : [certificate.node];
  return records.flatMap(({ name, level, runs }) => {
    const running = certificate.running.get(runs);
    return running === undefined ? [] : [{ name, level, running }];
  });
}

/** What options name beside nodes. */
export async function sourcesOfOptions(options: ProveOptions): Promise<ManifestSources> {
  const { image, knownImage = [], releases, releaseRoot, extension = [] } = options;
  const { readManifestText } = await import("@ashlar/verifier/declared");
  const { parseKnownRelease } = await import("@ashlar/protocol/answers");
  const images = image === undefined ? knownImage : [image, ...knownImage];
  return {
    releases: await Promise.all(images.map(async (path) => parseKnownRelease(await readManifestText(path)))),
    extensions: extension,
    repository: releases === undefined ? undefined : { releases, releaseRoot },
  };
}
