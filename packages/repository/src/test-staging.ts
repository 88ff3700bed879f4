/** For tests: staging release 1.1.0, which shares blocks with 1.0.0, through a server that behaves as a test says. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withTemporaryDirectory } from "@ashlar/host";
import { openRepository } from "./open-repository.ts";
import type { SlotSource } from "./slot-source.ts";
import { type StagedRelease, stageRelease, type StageReleaseOptions } from "./stage-release.ts";
import { imageOf, NOW_MS, type TestImage, TestRepository } from "./test-repository.ts";
import { type Behaviour, withServer } from "./test-server.ts";

/** Three leaves, and a segment of one block at the end. */
export const OLD: TestImage = imageOf(range(0, 301));
/** Something new at the begin, a change in the middle, something left out, something new at the end. */
export const NEW: TestImage = imageOf(
  [range(1000, 1020), range(0, 150), 2000, range(151, 200), range(220, 290), range(3000, 3003)].flat(),
);
export const COMMON_BLOCKS: number = 150 + 49 + 70;
export const UKI: Buffer = Buffer.alloc(300_000, "a kernel ");
export const BLOCKS_PATH = "releases/ashlar_1.1.0.usr.blocks";
export const UKI_PATH = "releases/ashlar_1.1.0.efi";
const PATIENCE = { stallMs: 150, attempts: 2, retryDelayMs: 1 };

/** Made once for all tests of a file, which do not change it. */
export const REPOSITORY: TestRepository = new TestRepository(mkdtempSync(join(tmpdir(), "ashlar-repository-")));
process.once("exit", () => rmSync(REPOSITORY.directory, { recursive: true, force: true }));
await REPOSITORY.addRelease("1.0.0", OLD, Buffer.alloc(UKI.length, "another kernel "));
await REPOSITORY.addRelease("1.1.0", NEW, UKI);
export const TRUSTED_ROOT: Buffer = await REPOSITORY.sign();

export async function payload(path: string): Promise<Buffer> {
  return await readFile(join(REPOSITORY.directory, path));
}

export type World = {
  readonly directory: string;
  /** Where 1.1.0 is staged. */
  readonly ready: string;
  readonly slot: SlotSource;
  readonly stage: (behave?: Behaviour, options?: Partial<StageReleaseOptions>) => Promise<StagedRelease>;
  /** Fails unless the three files are there and nothing else. */
  readonly checkStaged: () => Promise<void>;
};

export async function withWorld(work: (world: World) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const slot = await writeSlot(directory, "ashlar_1.0.0", OLD);
    const ready = join(directory, "ready");
    const stage: World["stage"] = async (behave = async ({ serve }) => await serve(), options = {}) => {
      let staged: StagedRelease | undefined;
      await withServer(REPOSITORY.directory, behave, async (url) => {
        const repository = await openRepository({
          url,
          trustedRoot: TRUSTED_ROOT,
          stateDirectory: join(directory, "state"),
          nowMs: NOW_MS,
          patience: PATIENCE,
        });
        staged = await stageRelease({ repository, version: "1.1.0", sources: [slot], directory: ready, ...options });
      });
      assert.ok(staged);
      return staged;
    };
    await work({ directory, ready, slot, stage, checkStaged: async () => await checkFiles(ready, NEW) });
  });
}

export async function writeSlot(directory: string, label: string, image: TestImage): Promise<SlotSource> {
  const [dataPath, treePath] = [join(directory, `${label}.data`), join(directory, `${label}.tree`)];
  await writeFile(dataPath, image.data);
  await writeFile(treePath, image.tree);
  return { label, dataPath, treePath };
}

export async function checkFiles(ready: string, image: TestImage): Promise<void> {
  const uuid = (digits: string): string => digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5");
  const contents: Record<string, Buffer> = {
    [`ashlar_1.1.0_${uuid(image.rootHash.slice(0, 32))}.usr.raw`]: image.data,
    [`ashlar_1.1.0_${uuid(image.rootHash.slice(32))}.usr-verity.raw`]: image.tree,
    "ashlar_1.1.0.efi": UKI,
  };
  assert.deepEqual((await readdir(ready)).toSorted(), Object.keys(contents).toSorted());
  for (const [name, bytes] of Object.entries(contents)) {
    assert.ok(bytes.equals(await readFile(join(ready, name))), `${name} is another file`);
  }
}

export function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}
