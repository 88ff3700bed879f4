/**
 * Whichever write to the ESP is the last before a power cut, firmware finds a whole systemd-boot at the one place where it
 * looks, and the UKI is there under one of its names. A node's kernel makes the writes, which are replayed one sector after
 * the other, and also with any of those missing that a disk need not have written yet; then fsck.fat repairs as in a boot.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { SECTOR_BYTES } from "@ashlar/formats";
import { run } from "@ashlar/host";
import { BOOT_LOADER_PATHS } from "@ashlar/protocol";
import { makeReleases, OLD } from "../e2e/update-releases.ts";
import { OUT, ROOT } from "../e2e/world.ts";
import { runOnKernel } from "./kernel-guest.ts";
import { readFatFile } from "./read-fat.ts";
import { type DiskWrite, type Epoch, readWriteLog, sectorsOf } from "./write-log.ts";

const MINUTES = 60_000;
/** The least that FAT with entries of 32 bits takes. */
const ESP_BYTES = 36 * 1024 * 1024;
/** As large as the real one: it takes many clusters. */
const LOADER_BYTES = 124_416;
const UKI_BYTES = 300_000;
/** Of so many writes in an epoch every subset is tried. */
const MAX_SUBSET_WRITES = 6;
/** Larger writes are a file's contents: where in them the power goes makes no difference to anything else. */
const MAX_METADATA_SECTORS = 16;
const UKI_NAMES = ["EFI/Linux/ashlar_1.1.0.efi", "EFI/Linux/ashlar_1.1.0+0-0.efi"];

const work = join(OUT, "esp-power-cut");
const esp = join(work, "esp.img");
const contents = {
  oldLoader: randomBytes(LOADER_BYTES),
  newLoader: randomBytes(LOADER_BYTES),
  uki: randomBytes(UKI_BYTES),
};

test("each power cut leaves a loader and a UKI that are whole", { timeout: 90 * MINUTES }, async () => {
  await makeEsp();
  const before = await readFile(esp);
  const image = (await makeReleases()).image(OLD);
  const log = join(work, "writes.log");
  const module = join(ROOT, "apps/agent/src/boot/loader/test-writes-in-guest.ts");
  await runOnKernel({ image, module, disk: esp, log, work: join(work, "guest") });
  await assertReadBy("mcopy", BOOT_LOADER_PATHS[0], contents.newLoader);

  const states = new Map<string, number>();
  for await (const found of cutEverywhere(before, await readWriteLog(log))) {
    states.set(found, (states.get(found) ?? 0) + 1);
  }
  for (const [state, count] of states) console.log(`  ${count} cuts left ${state}`);
  // Before, between and after: else the writes were not those.
  const [first, second] = BOOT_LOADER_PATHS;
  assert.deepEqual(
    [...states.keys()],
    [
      `${first} old, ${second} old, ${UKI_NAMES[0]}`,
      `${first} old, ${second} new, ${UKI_NAMES[0]}`,
      `${first} new, ${second} new, ${UKI_NAMES[0]}`,
      `${first} new, ${second} new, ${UKI_NAMES[1]}`,
    ],
  );
});

async function makeEsp(): Promise<void> {
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  await writeFile(esp, "");
  await truncate(esp, ESP_BYTES);
  await run("mkfs.vfat", ["-F", "32", "-n", "ESP", esp]);
  await run("mmd", ["-i", esp, "::EFI", "::EFI/BOOT", "::EFI/Linux", "::EFI/systemd", "::loader"]);
  for (const [path, content] of [
    ...BOOT_LOADER_PATHS.map((each) => [each, contents.oldLoader] as const),
    [UKI_NAMES[0] ?? "", contents.uki],
    ["new-loader", contents.newLoader],
  ] as const) {
    await run("mcopy", ["-i", esp, "-", `::${path}`], { input: content });
  }
}

/** Another implementation reads the same. */
async function assertReadBy(program: string, path: string, expected: Buffer): Promise<void> {
  const { stdout } = await run(program, ["-n", "-i", esp, `::${path}`, "-"]);
  assert.ok(stdout.equals(expected), path);
  assert.ok(readFatFile(await readFile(esp), path)?.equals(expected), path);
}

/** Gives what was found after each cut, in words. */
async function* cutEverywhere(disk: Buffer, epochs: readonly Epoch[]): AsyncGenerator<string> {
  for (const epoch of epochs) {
    for (const subset of subsetsOf(epoch)) {
      const undo = apply(disk, subset);
      yield await check(disk);
      apply(disk, undo);
    }
    for (const write of epoch) {
      const sectors = sectorsOf(write);
      for (const [index, sector] of sectors.entries()) {
        apply(disk, [sector]);
        // All of it is among the subsets.
        if (index < sectors.length - 1 && sectors.length <= MAX_METADATA_SECTORS) yield await check(disk);
      }
    }
  }
}

function subsetsOf(epoch: Epoch): DiskWrite[][] {
  // Of a longer epoch each write alone, and all but each.
  if (epoch.length > MAX_SUBSET_WRITES) {
    return [...epoch.map((write) => [write]), ...epoch.map((write) => epoch.filter((each) => each !== write))];
  }
  return Array.from({ length: 2 ** epoch.length }, (_, bits) =>
    epoch.filter((__, index) => ((bits >> index) & 1) === 1),
  );
}

/** Gives what was there before. */
function apply(disk: Buffer, writes: readonly DiskWrite[]): DiskWrite[] {
  return writes
    .map(({ sector, data }) => {
      const place = disk.subarray(sector * SECTOR_BYTES, sector * SECTOR_BYTES + data.length);
      const undo = { sector, data: Buffer.from(place) };
      place.set(data);
      return undo;
    })
    .toReversed();
}

async function check(disk: Buffer): Promise<string> {
  const asFirmwareFindsIt = describe(disk);
  const repaired = join(work, "repaired.img");
  await writeFile(repaired, disk);
  await run("fsck.vfat", ["-a", repaired], { acceptStatus: [0, 1] });
  describe(await readFile(repaired));
  return asFirmwareFindsIt;
}

function describe(disk: Buffer): string {
  const loaders = BOOT_LOADER_PATHS.map((path) => {
    const content = readFatFile(disk, path);
    const isOld = content?.equals(contents.oldLoader) === true;
    assert.ok(isOld || content?.equals(contents.newLoader) === true, `${path} is not whole`);
    return `${path} ${isOld ? "old" : "new"}`;
  });
  const uki = UKI_NAMES.find((path) => readFatFile(disk, path)?.equals(contents.uki) === true);
  assert.ok(uki, "no UKI is whole");
  return [...loaders, uki].join(", ");
}
