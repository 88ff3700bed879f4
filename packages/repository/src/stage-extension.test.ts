import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync } from "node:fs";
import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { run, withTemporaryDirectory } from "@ashlar/host";
import type { UpdateProgress } from "@ashlar/protocol";
import fc from "fast-check";
import { BLOCK_BYTES } from "@ashlar/repository-index";
import { openRepository } from "./open-repository.ts";
import { stageExtension, type StagedExtension, type StageExtensionOptions } from "./stage-extension.ts";
import { blockOf, NOW_MS, TestRepository } from "./test-repository.ts";
import { type Behaviour, withServer } from "./test-server.ts";
import { COMMON_BLOCKS, NEW as NEW_IMAGE, OLD as OLD_IMAGE } from "./test-staging.ts";

const [OLD, NEW] = [OLD_IMAGE.data, NEW_IMAGE.data];
const FILE = "kubernetes-v1.33.3-x86-64.raw";
const BLOCKS_PATH = "extensions/kubernetes/kubernetes-v1.33.3-x86-64.blocks";
const PATIENCE = { stallMs: 150, attempts: 2, retryDelayMs: 1 };

const REPOSITORY = new TestRepository(mkdtempSync(join(tmpdir(), "ashlar-extensions-")));
process.once("exit", () => rmSync(REPOSITORY.directory, { recursive: true, force: true }));
await REPOSITORY.addExtension("kubernetes", "v1.33.2", OLD);
// The first blocks of it are compressed together, since nothing of them is in the version before.
const IS_NEW = new Uint8Array(NEW.length / BLOCK_BYTES).fill(1, 0, 20);
await REPOSITORY.addExtension("kubernetes", "v1.33.3", NEW, IS_NEW);
const TRUSTED_ROOT = await REPOSITORY.sign();

type World = {
  readonly directory: string;
  readonly ready: string;
  /** The image of v1.33.2. */
  readonly source: string;
  readonly stage: (behave?: Behaviour, options?: Partial<StageExtensionOptions>) => Promise<StagedExtension>;
  /** Fails unless the image is there and nothing else. */
  readonly checkStaged: () => Promise<void>;
};

async function withWorld(work: (world: World) => Promise<void>): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const [ready, source] = [join(directory, "ready"), join(directory, "kubernetes-v1.33.2-x86-64.raw")];
    await writeFile(source, OLD);
    const stage: World["stage"] = async (behave = async ({ serve }) => await serve(), options = {}) => {
      let staged: StagedExtension | undefined;
      await withServer(REPOSITORY.directory, behave, async (url) => {
        const [stateDirectory, trustedRoot] = [join(directory, "state"), TRUSTED_ROOT];
        const opened = { url, trustedRoot, stateDirectory, nowMs: NOW_MS, patience: PATIENCE };
        const [repository, wanted] = [await openRepository(opened), { name: "kubernetes", version: "v1.33.3" }];
        staged = await stageExtension({ repository, ...wanted, sources: [source], directory: ready, ...options });
      });
      assert.ok(staged);
      return staged;
    };
    await work({ directory, ready, source, stage, checkStaged: async () => await checkImage(ready, NEW) });
  });
}

async function checkImage(ready: string, image: Buffer): Promise<void> {
  assert.deepEqual(await readdir(ready), [FILE]);
  assert.ok(image.equals(await readFile(join(ready, FILE))), "another image");
}

test("what an earlier image has is copied, the rest is fetched; again, and nothing is", async () => {
  await withWorld(async ({ ready, stage, checkStaged }) => {
    const progress: UpdateProgress[] = [];
    const staged = await stage(undefined, { onProgress: (each) => progress.push(each) });
    await checkStaged();
    assert.equal(staged.path, join(ready, FILE));
    assert.equal(staged.entry.version, "v1.33.3");
    assert.equal(staged.copiedBytes, COMMON_BLOCKS * BLOCK_BYTES);
    assert.equal(staged.totalBytes, NEW.length);
    assert.ok(staged.fetchedBytes < 80_000, `fetched ${staged.fetchedBytes}`);
    const { totalBytes, copiedBytes, fetchedBytes } = staged;
    assert.deepEqual(progress.at(-1), { totalBytes, copiedBytes, fetchedBytes });
    const again = await stage();
    await checkStaged();
    assert.equal(again.copiedBytes, NEW.length);
    assert.ok(again.fetchedBytes < 3000, `fetched ${again.fetchedBytes}`);
  });
});

test("without sources everything is fetched; what cannot be used is named; a repository may be a directory", async () => {
  await withWorld(async ({ directory, ready, checkStaged }) => {
    const url = pathToFileURL(REPOSITORY.directory).href;
    const state = { stateDirectory: join(directory, "state"), nowMs: NOW_MS };
    const repository = await openRepository({ url, trustedRoot: TRUSTED_ROOT, ...state });
    const odd = join(directory, "odd.raw");
    await writeFile(odd, NEW.subarray(0, 5000));
    await mkdir(ready);
    await writeFile(join(ready, "kubernetes-v1.33.1-x86-64.raw.part"), "of another version");
    const sources = [join(directory, "none.raw"), odd];
    const wanted = { name: "kubernetes", version: "v1.33.3" };
    const staged = await stageExtension({ repository, ...wanted, sources, directory: ready });
    await checkStaged();
    assert.equal(staged.copiedBytes, 0);
    const labels = staged.unusableSources.map(({ label }) => label);
    assert.deepEqual(labels, ["none.raw", "odd.raw"]);
    const missing = stageExtension({ repository, name: "kubernetes", version: "v9", sources, directory: ready });
    await assert.rejects(missing, { code: "not-found" });
  });
});

test("any two images: the result is the new one", async () => {
  const contents = fc.array(fc.nat(12), { minLength: 2, maxLength: 300 });
  await withTemporaryDirectory(async (directory) => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(contents, contents, async (before, after) => {
        const place = join(directory, String((count += 1)));
        const repository = new TestRepository(join(place, "repository"));
        const wanted = Buffer.concat(after.map(blockOf));
        await repository.addExtension("kubernetes", "v1.33.3", wanted);
        const trustedRoot = await repository.sign();
        const source = join(place, "old.raw");
        await writeFile(source, Buffer.concat(before.map(blockOf)));
        const url = pathToFileURL(repository.directory).href;
        const opened = await openRepository({ url, trustedRoot, stateDirectory: join(place, "state"), nowMs: NOW_MS });
        const [name, version, ready] = ["kubernetes", "v1.33.3", join(place, "ready")];
        await stageExtension({ repository: opened, name, version, sources: [source], directory: ready });
        await checkImage(ready, wanted);
        await rm(place, { recursive: true });
      }),
      { numRuns: 15 },
    );
  });
});

test("a source that changes while it is read does not matter", async () => {
  await withWorld(async ({ source, stage, checkStaged }) => {
    let isSpoilt = false;
    const staged = await stage(undefined, {
      // The source has been hashed when the first of its blocks is copied.
      onProgress: ({ copiedBytes }) => {
        if (copiedBytes === 0 || isSpoilt) return;
        isSpoilt = true;
        truncateSync(source, 0);
      },
    });
    await checkStaged();
    assert.ok(staged.badSourceBlocks.length > 0, `${staged.copiedBytes} bytes were copied`);
  });
});

test("stopped at any time, and its file spoilt as by a power cut, the next call finishes", async () => {
  await withWorld(async ({ ready, stage, checkStaged }) => {
    for (const stopAt of [1, 40_000, 400_000, 1_000_000]) {
      const controller = new AbortController();
      const onProgress = ({ fetchedBytes, copiedBytes }: UpdateProgress): void => {
        if (fetchedBytes + copiedBytes >= stopAt) controller.abort();
      };
      await assert.rejects(stage(undefined, { onProgress, signal: controller.signal }), { code: "interrupted" });
      assert.deepEqual(await readdir(ready), [`${FILE}.part`]);
      const bytes = await readFile(join(ready, `${FILE}.part`));
      await writeFile(join(ready, `${FILE}.part`), bytes.fill(0, Math.floor(bytes.length * 0.9)));
    }
    await stage();
    await checkStaged();
  });
});

test("a server without ranges, one that is cut, and one that lies once", async () => {
  await withWorld(async ({ stage, checkStaged }) => {
    await stage(async ({ path, response }) => {
      const bytes = await readFile(join(REPOSITORY.directory, path)).catch(() => undefined);
      if (bytes === undefined) response.writeHead(404);
      response.end(bytes);
    });
    await checkStaged();
  });
  await withWorld(async ({ stage, checkStaged }) => {
    const bytes = await readFile(join(REPOSITORY.directory, BLOCKS_PATH));
    const lie = Buffer.from(bytes).fill(0x5a, bytes.length - 60_000, bytes.length - 12_288);
    await stage(async ({ path, range, earlier, response, serve }) => {
      if (path !== BLOCKS_PATH || range?.start === 0) return await serve();
      if (earlier === 1) return void response.writeHead(200).write(bytes.subarray(0, 100), () => response.destroy());
      await serve(earlier === 2 ? lie : undefined);
    });
    await checkStaged();
  });
});

test("a server that lies is refused, whatever it serves instead", async () => {
  await withWorld(async ({ ready, stage, checkStaged }) => {
    const other = await readFile(join(REPOSITORY.directory, BLOCKS_PATH.replace("v1.33.3", "v1.33.2")));
    const right = await readFile(join(REPOSITORY.directory, BLOCKS_PATH));
    const lies = [other, right.subarray(0, 500), Buffer.alloc(1_000_000, "noise"), Buffer.from(right).fill(7, 5000)];
    for (const lie of lies) {
      const served = stage(async ({ path, serve }) => await serve(path === BLOCKS_PATH ? lie : undefined), {
        sources: [],
      });
      await assert.rejects(served, ({ code }) => ["untrusted", "malformed", "unavailable"].includes(code));
      for (const name of await readdir(ready)) assert.match(name, /\.part$/u);
    }
    await stage();
    await checkStaged();
  });
});

test("an index whose blocks are of another file than its digest", async () => {
  await withTemporaryDirectory(async (directory) => {
    const repository = new TestRepository(join(directory, "repository"));
    await repository.addExtension("kubernetes", "v1.33.3", NEW);
    const trustedRoot = await repository.sign();
    const url = pathToFileURL(repository.directory).href;
    const opened = await openRepository({ url, trustedRoot, stateDirectory: join(directory, "state"), nowMs: NOW_MS });
    const entry = opened.index.extensions.get("kubernetes")?.get("v1.33.3");
    assert.ok(entry);
    const files = { ...entry.files, image: { ...entry.files.image, sha256: "0".repeat(64) } };
    const extensions = new Map([["kubernetes", new Map([["v1.33.3", { ...entry, files }]])]]);
    const wrong = { ...opened, index: { ...opened.index, extensions } };
    const ready = join(directory, "ready");
    const staged = stageExtension({
      repository: wrong,
      name: "kubernetes",
      version: "v1.33.3",
      sources: [],
      directory: ready,
    });
    await assert.rejects(staged, { code: "untrusted", message: /publish it again/u });
    assert.deepEqual(await readdir(ready), [`${FILE}.part`]);
  });
});

const isRoot = process.getuid?.() === 0;

test("a full disk is named, and left as empty as before", { skip: !isRoot && "mounting needs root" }, async () => {
  await withTemporaryDirectory(async (directory) => {
    await run("mount", ["-t", "tmpfs", "-o", "size=2000k", "none", directory]);
    try {
      await withWorld(async ({ stage }) => {
        const ready = join(directory, "ready");
        await writeFile(join(directory, "filling"), Buffer.alloc(1_500_000));
        await assert.rejects(stage(undefined, { directory: ready }), { code: "failed", message: /no room in/u });
        await rm(join(directory, "filling"));
        const filled = stage(
          async ({ path, serve }) => {
            if (path === BLOCKS_PATH) await fill(join(directory, "filling"));
            await serve();
          },
          { directory: ready },
        );
        await assert.rejects(filled, { code: "failed", message: /no room in .*: it is full/u });
        assert.deepEqual(await readdir(ready), []);
        await rm(join(directory, "filling"));
        await stage(undefined, { directory: ready });
        await checkImage(ready, NEW);
      });
    } finally {
      await run("umount", [directory]);
    }
  });
});

async function fill(path: string): Promise<void> {
  await using file = await open(path, "w");
  await file.writeFile(Buffer.alloc(2_000_000)).catch(() => undefined);
}
