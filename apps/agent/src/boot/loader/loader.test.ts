import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { sha256 } from "@ashlar/formats";
import { BOOT_LOADER_PATHS } from "@ashlar/protocol";
import { makeTestRelease, makeTestUpdateNode, type TestUpdateNode } from "../../updater/test-update-node.ts";
import { readLoaderStatus } from "./loader-notes.ts";
import { updateLoader, type LoaderOutcome } from "./update-loader.ts";

const V10 = makeTestRelease("1.0.0");
const V11 = makeTestRelease("1.1.0");
const [FIRST, SECOND] = BOOT_LOADER_PATHS;
const REPLACED: LoaderOutcome = { kind: "replaced", paths: [FIRST, SECOND] };

/** A node on whose ESP 1.0.0's systemd-boot is, and which runs 1.1.0. */
class LoaderNode {
  readonly #node: TestUpdateNode = makeTestUpdateNode(V11, V10);
  readonly paths = this.#node.paths;

  constructor() {
    for (const path of BOOT_LOADER_PATHS) {
      mkdirSync(dirname(this.on(path)), { recursive: true });
      writeFileSync(this.on(path), "loader of 1.0.0");
    }
    this.boot("1.1.0");
  }

  on(path: string): string {
    return join(this.paths.esp, path);
  }

  /** What runs is another release, healthy and not on trial unless it is said to be. */
  boot(version: "1.0.0" | "1.1.0", { healthy = true, onTrial = false, loader = `loader of ${version}` } = {}): void {
    const entry = readdirSync(this.on("EFI/Linux")).find((name) => name.includes(version)) ?? "";
    this.#node.boot(version === "1.0.0" ? V10 : V11, onTrial ? `/EFI/Linux/${entry}` : undefined);
    writeFileSync(join(this.paths.runtime, "health.json"), JSON.stringify({ healthy, checks: [] }));
    const source = this.paths.bootLoaders.at(-1) ?? "";
    mkdirSync(dirname(source), { recursive: true });
    writeFileSync(source, loader);
  }

  found(): string[] {
    return BOOT_LOADER_PATHS.map((path) => readFileSync(this.on(path), "utf8"));
  }

  [Symbol.dispose](): void {
    this.#node[Symbol.dispose]();
  }
}

const both = (version: string): string[] => [`loader of ${version}`, `loader of ${version}`];

test("a release that was found healthy replaces both copies, once", async () => {
  using node = new LoaderNode();
  assert.deepEqual(await updateLoader(node.paths), REPLACED);
  assert.deepEqual(node.found(), both("1.1.0"));
  for (const path of BOOT_LOADER_PATHS) assert.equal(readdirSync(dirname(node.on(path))).length, 1);
  const { copies, problem } = await readLoaderStatus(node.paths);
  assert.equal(problem, null);
  assert.deepEqual(copies[0], { path: FIRST, sha256: sha256("loader of 1.1.0"), release: "1.1.0" });
  assert.deepEqual(await updateLoader(node.paths), { kind: "current" });
});

test("on trial, and in a boot that is not healthy or not judged yet, it stays", async () => {
  using node = new LoaderNode();
  for (const state of [{ onTrial: true }, { healthy: false }]) {
    node.boot("1.1.0", state);
    assert.deepEqual(await updateLoader(node.paths), { kind: "waiting" });
  }
  node.boot("1.1.0");
  rmSync(join(node.paths.runtime, "health.json"));
  assert.deepEqual(await updateLoader(node.paths), { kind: "waiting" });
  assert.deepEqual(node.found(), both("1.0.0"));
  assert.deepEqual((await readLoaderStatus(node.paths)).copies[0]?.release, null);
});

test("after a rollback the newer one stays; what is damaged or missing is replaced all the same", async () => {
  using node = new LoaderNode();
  await updateLoader(node.paths);
  node.boot("1.0.0");
  assert.deepEqual(await updateLoader(node.paths), { kind: "current" });
  assert.deepEqual(node.found(), both("1.1.0"));
  assert.equal((await readLoaderStatus(node.paths)).copies[0]?.release, "1.1.0");
  writeFileSync(node.on(FIRST), "torn");
  rmSync(node.on(SECOND));
  assert.deepEqual(await updateLoader(node.paths), REPLACED);
  assert.deepEqual(node.found(), both("1.0.0"));
});

test("a newer release brings whatever it has, also one that was there from the beginning", async () => {
  using node = new LoaderNode();
  node.boot("1.0.0");
  assert.deepEqual(await updateLoader(node.paths), { kind: "current" });
  node.boot("1.1.0", { loader: "an older systemd-boot" });
  assert.deepEqual(await updateLoader(node.paths), REPLACED);
  assert.deepEqual(node.found(), ["an older systemd-boot", "an older systemd-boot"]);
});

test("an extension's file in its place is not taken", async () => {
  using node = new LoaderNode();
  const [base = ""] = node.paths.bootLoaders;
  mkdirSync(dirname(base), { recursive: true });
  writeFileSync(base, "loader of /usr itself");
  await updateLoader(node.paths);
  assert.equal(node.found()[0], "loader of /usr itself");
});

test("what a power cut has left is removed, and not taken for anything", async () => {
  using node = new LoaderNode();
  for (const path of BOOT_LOADER_PATHS) writeFileSync(join(dirname(node.on(path)), ".loader.new"), "half");
  await updateLoader(node.paths);
  assert.deepEqual(node.found(), both("1.1.0"));
  for (const path of BOOT_LOADER_PATHS) assert.equal(readdirSync(dirname(node.on(path))).length, 1);
});

test("a full ESP loses nothing, and says what to do", async (context) => {
  if (process.getuid?.() !== 0) {
    context.diagnostic("needs root, to mount a small file system");
    return;
  }
  using node = new LoaderNode();
  const { esp } = node.paths;
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "esp", dirname(node.on(FIRST))]);
  try {
    writeFileSync(node.on(FIRST), "loader of 1.0.0");
    writeFileSync(join(dirname(node.on(FIRST)), "other"), Buffer.alloc(56 * 1024));
    node.boot("1.1.0", { loader: `loader of 1.1.0${" ".repeat(16 * 1024)}` });
    const full = { code: "limit", message: /^the ESP is full: .* takes 16399 bytes more$/u, hint: /next boot/u };
    await assert.rejects(updateLoader(node.paths), full);
    assert.equal(readFileSync(node.on(FIRST), "utf8"), "loader of 1.0.0");
    assert.equal(existsSync(join(esp, "EFI/BOOT/.loader.new")), false);
    assert.equal((await readLoaderStatus(node.paths)).problem?.code, "limit");
    rmSync(join(dirname(node.on(FIRST)), "other"));
    assert.deepEqual(await updateLoader(node.paths), { kind: "replaced", paths: [FIRST] });
  } finally {
    execFileSync("umount", [dirname(node.on(FIRST))]);
  }
});

test("why it cannot be replaced is said in the status, until it can", async () => {
  using node = new LoaderNode();
  rmSync(dirname(node.on(FIRST)), { recursive: true });
  writeFileSync(dirname(node.on(FIRST)), "no directory");
  await assert.rejects(updateLoader(node.paths), /ENOTDIR/u);
  rmSync(dirname(node.on(FIRST)));
  mkdirSync(dirname(node.on(FIRST)));
  const { copies, problem } = await readLoaderStatus(node.paths);
  assert.match(problem?.message ?? "", /systemd-boot on the ESP is left as it is: .*ENOTDIR/u);
  assert.equal(copies[0]?.sha256, null);
  await updateLoader(node.paths);
  assert.equal((await readLoaderStatus(node.paths)).problem, null);
  assert.deepEqual(node.found(), both("1.1.0"));

  rmSync(node.paths.bootLoaders.at(-1) ?? "");
  await assert.rejects(updateLoader(node.paths), { code: "not-found" });
  assert.deepEqual(node.found(), both("1.1.0"));
});
