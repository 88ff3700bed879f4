/** Labs of real machines whose disks are empty. */
import assert from "node:assert/strict";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { findProcesses, withLock, withTemporaryDirectory } from "@ashlar/host";
import { labDown } from "./lab-down.ts";
import { listLabs } from "./list-labs.ts";
import type { LabConfig, LabUpOptions } from "./lab-up.ts";
import { requireTools } from "./tools.ts";

/** What of a lab's programs is not installed, or false. */
export const missingTools: string | false = await requireTools().then(
  () => false as const,
  (error: unknown) => (error instanceof AshlarError ? error.message : Promise.reject(error)),
);

type TestLabOptions = LabUpOptions & { readonly config: LabConfig };

/**
 * Tests' labs do not know of each other's ports, each having a state directory of its own: two at once would take the same.
 * Only one of this user's tests has labs at a time.
 */
const LOCK = join(tmpdir(), `ashlar-test-labs-${process.getuid?.()}.lock`);
const LOCK_WAIT_MS = 20 * 60_000;

/** Lets `work` make labs of its own, and checks that nothing of them is left. */
export async function withLabs(work: (options: TestLabOptions, image: string) => Promise<void>): Promise<void> {
  const lock = { what: "the labs of tests", holder: "a test", waitMs: LOCK_WAIT_MS };
  await withLock(LOCK, lock, async () => await inStateDirectory(work));
}

async function inStateDirectory(work: (options: TestLabOptions, image: string) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const before = process.env["XDG_STATE_HOME"];
    process.env["XDG_STATE_HOME"] = join(directory, "state");
    const image = join(directory, "image");
    await mkdir(image);
    await writeFile(join(image, "manifest.json"), "{}");
    await writeFile(join(image, "disk.raw"), "");
    await truncate(join(image, "disk.raw"), 1024 * 1024);
    try {
      await work(
        {
          name: "one",
          nodes: 1,
          image,
          config: { classConfig: Buffer.from('{"ignition":{"version":"3.3.0"}}') },
          accelerator: "tcg",
          processors: 1,
          memoryMiB: 256,
          timeoutMs: 1,
        },
        image,
      );
      assert.deepEqual(listLabs(), []);
      assert.deepEqual(await findProcesses((argv) => argv.some((each) => each.includes(directory))), []);
    } finally {
      for (const name of listLabs()) await labDown(name);
      if (before === undefined) delete process.env["XDG_STATE_HOME"];
      else process.env["XDG_STATE_HOME"] = before;
    }
  });
}

/** For assert.rejects. */
export function hasCode(code: AshlarError["code"]): (error: unknown) => boolean {
  return (error) => error instanceof AshlarError && error.code === code;
}
