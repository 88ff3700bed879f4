import assert from "node:assert/strict";
import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { run, withTemporaryDirectory } from "@ashlar/host";
import type { UpdateProgress } from "@ashlar/protocol";
import fc from "fast-check";
import { BLOCK_BYTES } from "@ashlar/repository-index";
import { openRepository } from "./open-repository.ts";
import { stageRelease } from "./stage-release.ts";
import { imageOf, NOW_MS, TestRepository } from "./test-repository.ts";
import {
  BLOCKS_PATH,
  checkFiles,
  COMMON_BLOCKS,
  NEW,
  range,
  REPOSITORY,
  TRUSTED_ROOT,
  UKI,
  withWorld,
  writeSlot,
} from "./test-staging.ts";

test("what the slot has is copied, the rest is fetched", async () => {
  await withWorld(async ({ stage, checkStaged }) => {
    const progress: UpdateProgress[] = [];
    const staged = await stage(undefined, { onProgress: (each) => progress.push(each) });
    await checkStaged();
    assert.equal(staged.copiedBytes, COMMON_BLOCKS * BLOCK_BYTES);
    assert.equal(staged.totalBytes, NEW.data.length + NEW.tree.length + UKI.length);
    assert.equal(staged.ukiBytes, UKI.length);
    assert.ok(staged.fetchedBytes - UKI.length < 60_000, `fetched ${staged.fetchedBytes}`);
    assert.deepEqual([staged.badSourceBlocks, staged.unusableSources], [[], []]);
    const { totalBytes, copiedBytes, fetchedBytes } = staged;
    assert.deepEqual(progress.at(-1), { totalBytes, copiedBytes, fetchedBytes });
    // Again: everything is there, and is hashed.
    const again = await stage();
    await checkStaged();
    assert.equal(again.ukiBytes, 0);
    assert.equal(again.copiedBytes, NEW.data.length + UKI.length);
  });
});

test("without slots everything is fetched; a repository may be a directory", async () => {
  await withWorld(async ({ directory, ready, checkStaged }) => {
    const opened = await openRepository({
      url: pathToFileURL(REPOSITORY.directory).href,
      trustedRoot: TRUSTED_ROOT,
      stateDirectory: join(directory, "state"),
      nowMs: NOW_MS,
    });
    await mkdir(ready);
    await writeFile(join(ready, "ashlar_0.9.0.efi.part"), "of another release");
    await stageRelease({ repository: opened, version: "1.1.0", sources: [], directory: ready });
    await checkStaged();
  });
});

test("any two images: the result is the new one", async () => {
  const contents = fc.array(fc.nat(12), { minLength: 2, maxLength: 400 });
  await withTemporaryDirectory(async (directory) => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(contents, contents, fc.array(fc.nat(399), { maxLength: 5 }), async (before, after, damaged) => {
        const place = join(directory, String((count += 1)));
        const repository = new TestRepository(join(place, "repository"));
        const wanted = imageOf(after);
        await repository.addRelease("1.1.0", wanted, UKI);
        const trustedRoot = await repository.sign();
        const old = imageOf(before);
        for (const block of damaged) old.data[(block * BLOCK_BYTES) % old.data.length] = 0xff;
        const sources = [await writeSlot(place, "slot", old)];
        const url = pathToFileURL(repository.directory).href;
        const opened = await openRepository({ url, trustedRoot, stateDirectory: join(place, "state"), nowMs: NOW_MS });
        await stageRelease({ repository: opened, version: "1.1.0", sources, directory: join(place, "ready") });
        await checkFiles(join(place, "ready"), wanted);
        await rm(place, { recursive: true });
      }),
      { numRuns: 25 },
    );
  });
});

test("bad blocks of a slot are reported and fetched; slots that give nothing are named", async () => {
  await withWorld(async ({ directory, slot, stage, checkStaged }) => {
    const file = await open(slot.dataPath, "r+");
    await file.write(Buffer.from("x"), 0, 1, 30 * BLOCK_BYTES + 5);
    await file.truncate(280 * BLOCK_BYTES);
    await file.close();
    const salted = await writeSlot(directory, "other salt", imageOf(range(0, 300), Buffer.alloc(8)));
    const empty = { label: "_empty", dataPath: slot.dataPath, treePath: join(directory, "none") };
    const staged = await stage(undefined, { sources: [empty, slot, salted] });
    await checkStaged();
    assert.deepEqual(
      staged.badSourceBlocks.map(({ label, block }) => `${label} ${block}`),
      ["ashlar_1.0.0 30", ...range(280, 290).map((block) => `ashlar_1.0.0 ${block}`)],
    );
    assert.deepEqual(
      staged.unusableSources.map(({ label }) => label),
      ["_empty", "other salt"],
    );
  });
});

test("stopped at any time, and its files spoilt as by a power cut, the next call finishes", async () => {
  await withWorld(async ({ ready, stage, checkStaged }) => {
    for (const stopAt of [1, 40_000, 400_000, 1_000_000]) {
      const controller = new AbortController();
      const onProgress = ({ fetchedBytes, copiedBytes }: UpdateProgress): void => {
        if (fetchedBytes + copiedBytes >= stopAt) controller.abort();
      };
      await assert.rejects(stage(undefined, { onProgress, signal: controller.signal }), { code: "interrupted" });
      for (const name of await readdir(ready)) {
        assert.match(name, /\.part$/u);
        const path = join(ready, name);
        const bytes = await readFile(path);
        bytes.fill(0, Math.floor(bytes.length * 0.9));
        await writeFile(path, bytes);
      }
    }
    await stage();
    await checkStaged();
  });
});

test("the network is used as slowly as told", async () => {
  await withWorld(async ({ stage, checkStaged }) => {
    const start = performance.now();
    const staged = await stage(undefined, { maxBytesPerSecond: 1_000_000 });
    const tookMs = performance.now() - start;
    await checkStaged();
    assert.ok(tookMs > staged.fetchedBytes / 1000 - 150, `took ${tookMs} ms`);
  });
});

const isRoot = process.getuid?.() === 0;

test("a full disk is named, and left as empty as before", { skip: !isRoot && "mounting needs root" }, async () => {
  await withTemporaryDirectory(async (directory) => {
    await run("mount", ["-t", "tmpfs", "-o", "size=2500k", "none", directory]);
    try {
      await withWorld(async (world) => {
        // The first size does not begin; with the second there seems to be room until the disk is filled by somebody else.
        const ready = join(directory, "ready");
        const noRoom = { code: "failed", message: /no room in .*: needed are \d+ MB, free \d+ MB/u };
        await writeFile(join(directory, "filling"), Buffer.alloc(1_500_000));
        await assert.rejects(world.stage(undefined, { directory: ready }), noRoom);
        await rm(join(directory, "filling"));
        const fill = async (): Promise<void> =>
          await writeFile(join(directory, "filling"), Buffer.alloc(2_400_000)).catch(() => undefined);
        await assert.rejects(
          world.stage(
            async ({ path, serve }) => {
              if (path === BLOCKS_PATH) await fill();
              await serve();
            },
            { directory: ready },
          ),
          { code: "failed", message: /no room in .*: it is full/u },
        );
        assert.deepEqual(await readdir(ready), []);
        await rm(join(directory, "filling"));
        await world.stage(undefined, { directory: ready });
        await checkFiles(ready, NEW);
      });
    } finally {
      await run("umount", [directory]);
    }
  });
});
