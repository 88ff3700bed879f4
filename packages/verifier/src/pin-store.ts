import { mkdir, readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { withLock, writeFileAtomically } from "@ashlar/host";
import { parseDocument, type PinnedKeys } from "@ashlar/identity";
import { z } from "zod";

/** What was learnt about a node's TPM when it was enrolled, and when. */
export type Pin = PinnedKeys & {
  readonly enrolledAt: string;
  /** The TPM's count of resets then. */
  readonly resetCount: number;
};

export const pinSchema: z.ZodType<Pin> = z.strictObject({
  ekSha256: z.string().regex(/^[0-9a-f]{64}$/u),
  akName: z.string().regex(/^[0-9a-f]{68}$/u),
  enrolledAt: z.iso.datetime(),
  resetCount: z.int().nonnegative(),
});

const storeSchema = z.strictObject({
  schema: z.literal("ashlar.pins/v1"),
  pins: z.record(z.string().max(256), pinSchema),
});

const MAX_STORE_CHARACTERS = 64 * 1024 * 1024;
const LOCK_WAIT_MS = 10_000;

/** The pins by node name; none when the file does not exist yet. */
export async function readPins(path: string): Promise<Map<string, Pin>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return new Map();
    throw error;
  }
  return new Map(Object.entries(parseDocument(text, storeSchema, path, MAX_STORE_CHARACTERS).pins));
}

/** Adds pins, which only this user can read or change. A node that has been pinned meanwhile keeps its first pin. */
export async function addPins(path: string, added: ReadonlyMap<string, Pin>): Promise<void> {
  if (added.size === 0) return;
  const lock = { holder: `ashlar prove, process ${process.pid}`, waitMs: LOCK_WAIT_MS };
  await withLock(`pins in ${resolve(path)}`, lock, async () => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const pins = Object.fromEntries([...added, ...(await readPins(path))]);
    await writeFileAtomically(path, `${JSON.stringify({ schema: "ashlar.pins/v1", pins }, undefined, 2)}\n`, 0o600);
  });
}
