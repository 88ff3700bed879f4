import { AshlarError } from "@ashlar/base";
import { readOptional, withLock, writeFileAtomically } from "@ashlar/host";
import { parseOwnDocument } from "@ashlar/protocol/answers";
import type { KnownFirmware } from "@ashlar/identity";
import { z } from "zod";
import { firmwareSchema } from "./pin-store.ts";

const SCHEMA = "ashlar.firmware-policy/v1";
const MAX_POLICY_BYTES = 4 * 1024 * 1024;
const LOCK_WAIT_MS = 10_000;

const policySchema = z.strictObject({
  schema: z.literal(SCHEMA),
  known: z.array(z.strictObject({ name: z.string().min(1).max(200), firmware: firmwareSchema })).readonly(),
});

/** Firmware that an operator knows to be good. @throws AshlarError `not-found`, `malformed`, `limit` */
export async function readFirmwarePolicy(path: string): Promise<readonly KnownFirmware[]> {
  const known = await readIfThere(path);
  if (known !== undefined) return known;
  throw new AshlarError("not-found", `${path}: expected a policy of known firmware, found no file`, {
    hint: "ashlar prove --learn-firmware NODE makes one from a machine that you trust",
  });
}

/** Adds what a machine has under a name, in place of what had this name; makes the file when there is none. */
export async function addKnownFirmware(path: string, added: KnownFirmware): Promise<void> {
  const lock = { what: `the policy ${path}`, holder: "ashlar prove", waitMs: LOCK_WAIT_MS };
  await withLock(`${path}.lock`, lock, async () => {
    const kept = ((await readIfThere(path)) ?? []).filter(({ name }) => name !== added.name);
    const policy = { schema: SCHEMA, known: [...kept, added] };
    await writeFileAtomically(path, `${JSON.stringify(policy, undefined, 2)}\n`);
  });
}

async function readIfThere(path: string): Promise<readonly KnownFirmware[] | undefined> {
  const bytes = await readOptional(path, MAX_POLICY_BYTES, { links: "follow" });
  if (bytes === undefined) return undefined;
  return parseOwnDocument(bytes.toString("utf8"), policySchema, path, MAX_POLICY_BYTES).known;
}
