import { SHA256_HEX, SHA384_HEX } from "@ashlar/base";
import { readOptional, withLock, writeFileAtomically } from "@ashlar/host";
import { MAX_CERTIFICATE_BYTES, MAX_INTERMEDIATES, parseOwnDocument } from "@ashlar/protocol/answers";
import { MAX_FIRMWARE_DIGESTS, type PinnedFirmware, type PinnedKeys } from "@ashlar/identity";
import { z } from "zod";
import { nodeNameSchema } from "./node-name.ts";
import { findSharer } from "./shared-tpm.ts";

/** What was learnt about a node's TPM and firmware when it was enrolled, and when. */
export type Pin = PinnedKeys & {
  readonly firmware: PinnedFirmware;
  readonly enrolledAt: string;
  /** The TPM's count of resets then. */
  readonly resetCount: number;
  /** What systemd measured as the machine's ID; undefined in older pins. */
  readonly machineId?: string;
};

const digest = z.string().regex(SHA256_HEX);

function valuesOf<Digest extends z.ZodString>(value: Digest) {
  const programs = z.array(value).max(MAX_FIRMWARE_DIGESTS).readonly().exactOptional();
  return { "0": value, "2": value, "3": value, "7": value, programs };
}

const sha384Digest = z.string().regex(SHA384_HEX);
const sha256Values = valuesOf(digest);
const sha384Values = valuesOf(sha384Digest);
const acceptedDigests = z
  .array(z.union([digest, sha384Digest]))
  .max(MAX_FIRMWARE_DIGESTS)
  .readonly()
  .exactOptional();

/** For files that keep what a machine's firmware is. */
export const firmwareSchema: z.ZodType<PinnedFirmware> = z.union([
  z.strictObject({ ...sha256Values, sha384: z.strictObject(sha384Values).exactOptional(), accepted: acceptedDigests }),
  z.strictObject({ ...sha384Values, accepted: acceptedDigests }),
]);

export const pinSchema: z.ZodType<Pin> = z.strictObject({
  ekSha256: digest,
  akName: z.string().regex(/^[0-9a-f]{68}$/u),
  ekIntermediates: z
    .array(z.base64().max(2 * MAX_CERTIFICATE_BYTES))
    .max(MAX_INTERMEDIATES)
    .exactOptional(),
  enrolledAt: z.iso.datetime(),
  resetCount: z.int().nonnegative(),
  machineId: z
    .string()
    .regex(/^[0-9a-f]{32}$/u)
    .exactOptional(),
  firmware: firmwareSchema,
});

const SCHEMA = "ashlar.pins/v2";

const storeSchema = z.strictObject({
  // To enrol silently again would let another TPM take the name.
  schema: z.literal(SCHEMA, `expected ${SCHEMA}: version 1 has no firmware; remove the file to enrol its nodes again`),
  pins: z.record(nodeNameSchema, pinSchema),
});

const MAX_STORE_BYTES = 64 * 1024 * 1024;
const LOCK_WAIT_MS = 10_000;

/** The pins by node name; none when the file does not exist yet. */
export async function readPins(path: string): Promise<Map<string, Pin>> {
  const bytes = await readOptional(path, MAX_STORE_BYTES, { links: "follow" });
  if (bytes === undefined) return new Map();
  const { pins } = parseOwnDocument(bytes.toString("utf8"), storeSchema, path, MAX_STORE_BYTES);
  return new Map(Object.entries(pins));
}

/**
 * Adds pins, which only this user can read or change. A node that has been pinned meanwhile keeps its first pin, unless
 * its pin is to be replaced. A machine that has another name already, or two of the new ones, is not pinned.
 *
 * @returns the names that were not pinned, each with the other name of its machine
 */
export async function addPins(
  path: string,
  added: ReadonlyMap<string, Pin>,
  replaced: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const refused = new Map<string, string>();
  if (added.size === 0) return refused;
  const lock = { what: `the file of pins ${path}`, holder: "ashlar prove", waitMs: LOCK_WAIT_MS };
  await withLock(`${path}.lock`, lock, async () => {
    const kept = [...(await readPins(path))].filter(([name]) => !(replaced.has(name) && added.has(name)));
    const all = new Map([...added, ...kept]);
    const accepted = new Map(kept);
    for (const [name, pin] of added) {
      const other = findSharer(all, name, pin);
      if (other !== undefined) refused.set(name, other);
      else accepted.set(name, all.get(name) ?? pin);
    }
    if (accepted.size === kept.length && refused.size === added.size) return;
    const pins = Object.fromEntries(accepted);
    await writeFileAtomically(path, `${JSON.stringify({ schema: SCHEMA, pins }, undefined, 2)}\n`, 0o600);
  });
  return refused;
}
