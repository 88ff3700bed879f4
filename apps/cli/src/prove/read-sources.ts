import { existsSync } from "node:fs";
import type { KnownFirmware, VouchedEks } from "@ashlar/identity";
import { readClassConfig } from "../class-config.ts";
import type { ProveOptions } from "./prove-options.ts";

/** The class config that nodes are declared to have; undefined when none was given. */
export async function readConfig({ config, filesDir }: ProveOptions): Promise<Uint8Array | undefined> {
  return config === undefined ? undefined : await readClassConfig(config, filesDir);
}

/** Firmware that nodes may have beside what is pinned. */
export async function readKnownFirmware({
  firmwarePolicy,
  learnFirmware,
}: ProveOptions): Promise<readonly KnownFirmware[]> {
  if (firmwarePolicy === undefined) return [];
  // The first one that is learnt makes the file.
  if (learnFirmware !== undefined && !existsSync(firmwarePolicy)) return [];
  const { readFirmwarePolicy } = await import("@ashlar/verifier");
  return await readFirmwarePolicy(firmwarePolicy);
}

/** EKs that somebody vouches for where no maker does. */
export async function readVouchedEks({ certifyEk, certifyKey }: ProveOptions): Promise<VouchedEks | undefined> {
  if (certifyEk === undefined || certifyKey === undefined) return undefined;
  const { openVouchedEks } = await import("@ashlar/verifier");
  const { readText } = await import("@ashlar/host");
  return openVouchedEks(await readText(certifyEk, "endorsement keys that are vouched for"), certifyKey, certifyEk);
}
