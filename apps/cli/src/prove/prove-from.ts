import type { KnownRelease } from "@ashlar/protocol/answers";
import type { ProveStoredOptions } from "@ashlar/verifier";
import type { Proof, ProveOptions } from "./prove-options.ts";
import { readConfig, readKnownFirmware, readVouchedEks } from "./read-sources.ts";

const NO_CONFIG = new Uint8Array();

/** Judges kept evidence again, of a directory or an archive; what the options give takes the place of what was kept. */
export async function proveFrom(
  path: string,
  options: ProveOptions,
  told: Pick<ProveStoredOptions, "onAnswer" | "onSeen" | "remember" | "tell"> = {},
  nowMs: number = Date.now(),
): Promise<Proof> {
  const { expectationsOf, parseEkRoots } = await import("@ashlar/identity");
  const { parseKnownRelease } = await import("@ashlar/protocol/answers");
  const classOf = (release: KnownRelease, classConfig: Uint8Array) => {
    const { classConfigSha256: sha256, extensions } = expectationsOf({ release, classConfig, nodeConfig: NO_CONFIG });
    return { sha256, extensions: extensions.declared };
  };
  const { openEvidence, proveStored, readPins, readStoredFleet } = await import("@ashlar/verifier");
  using evidence = await openEvidence(path);
  const stored = await readStoredFleet(evidence.place);
  const release = parseKnownRelease(stored.manifest);
  const { readKnown: read, readManifestText } = await import("@ashlar/verifier/declared");
  const releaseInstead =
    options.image === undefined ? undefined : parseKnownRelease(await readManifestText(options.image));
  const { releases, releaseRoot, extension } = options;
  const repository = releases === undefined ? undefined : { releases, releaseRoot };
  const more = await read({ images: options.knownImage ?? [], extensions: extension, repository });
  const { readEkRoots } = await import("@ashlar/verifier");
  const trust = { acceptExpired: options.acceptExpiredEk === true };
  const kept = stored.ekRoots === undefined ? undefined : parseEkRoots(stored.ekRoots, trust);
  const ekRoots = options.ekRoots === undefined ? kept : await readEkRoots(options.ekRoots, trust);
  const keptClouds = stored.cloudRoots === undefined ? undefined : parseEkRoots(stored.cloudRoots);
  const cloudRoots = options.cloudRoots === undefined ? keptClouds : await readEkRoots(options.cloudRoots);
  const classConfig = await readConfig(options);
  const proof = await proveStored(evidence.place, stored.nodes, {
    nowMs,
    release,
    strangers: stored.strangers,
    ...(releaseInstead === undefined ? {} : { releaseInstead }),
    ekRoots,
    cloudRoots,
    candidates: [...stored.known, ...more.releases],
    extensions: [...more.extensions, ...stored.extensions],
    maxAgeMs: options.maxAge * 1000,
    ...told,
    knownFirmware: await readKnownFirmware(options),
    vouchedEks: await readVouchedEks(options),
    ...(options.pins === undefined ? {} : { pins: await readPins(options.pins) }),
    ...(classConfig === undefined ? {} : { classInstead: classOf(release, classConfig) }),
  });
  const sources = {
    releases: [...(releaseInstead === undefined ? [] : [releaseInstead]), release, ...stored.known, ...more.releases],
    extensions: extension ?? [],
    repository,
  };
  return { ...proof, trusts: { common: { ekRoots, cloudRoots }, of: new Map() }, sources };
}
