/** A node's directories for tests of extensions, and a machine that keeps account instead of merging. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { type ExtensionKind, type ExtensionWord, extensionWord } from "@ashlar/protocol";
import { nodePaths, type NodePaths } from "../shared/node-paths.ts";
import { type Applied, applyExtensions, type Machine } from "../refresher/apply-extensions.ts";
import { makeTestSigner, type TestImage, type TestSigner, writeTestImage } from "./test-images.ts";

/** One for all tests of a file: making a key takes a while. */
const SIGNER = makeTestSigner();

export class TestExtensionNode implements Disposable {
  readonly root: string = mkdtempSync(join(tmpdir(), "ashlar-extensions-"));
  readonly paths: NodePaths = nodePaths(this.root);
  /** What was done, in order: words as they were measured, merges as KIND=NAMES. */
  readonly log: string[] = [];
  readonly merged: Map<ExtensionKind, ReadonlySet<string>> = new Map();
  /** Names whose merge fails. */
  readonly broken: Set<string> = new Set();
  /** Merges that fail from now on, whatever is merged. */
  failures = 0;
  bootId = "boot-1";
  #words: ExtensionWord[] = [];

  constructor() {
    this.write("base/usr/lib/os-release", "ID=ashlar\nSYSEXT_LEVEL=1.0\nCONFEXT_LEVEL=1.0\n");
    this.write("base/usr/lib/verity.d/test.crt", SIGNER.pem);
    this.write("base/usr/bin/base-tool", "");
    writeFileSync(this.#at(this.paths.bootId), this.bootId);
  }

  /** Writes below the runtime directory: `base/` is what the node has without extensions. */
  write(path: string, text: string): void {
    writeFileSync(this.#at(join(this.paths.extensions.runtime, path)), text);
  }

  declare(yaml: string): void {
    this.write("base/etc/ashlar/extensions.yaml", yaml);
  }

  link(name: string, target: string): void {
    symlinkSync(target, this.#at(join(this.paths.extensions.base, `etc/ashlar/declared-extensions/${name}.raw`)));
  }

  store(image: TestImage, signer: TestSigner = SIGNER): string {
    return writeTestImage(this.paths.extensions.store, signer, image);
  }

  /** What is not on the disk, or in /run, is gone. */
  reboot(bootId: string): void {
    this.bootId = bootId;
    this.log.length = 0;
    this.#words = [];
    this.merged.clear();
    rmSync(join(this.paths.extensions.runtime, "status.json"), { force: true });
    rmSync(join(this.paths.extensions.runtime, "debug"), { recursive: true, force: true });
    writeFileSync(this.paths.bootId, bootId);
  }

  async apply(): Promise<Applied> {
    return await applyExtensions(this.paths, this.machine, this.bootId);
  }

  readonly machine: Machine = {
    exposeBase: async () => await Promise.resolve(),
    measuredWords: async () => await Promise.resolve(this.#words),
    measure: async (word) => {
      this.#words.push(word);
      await Promise.resolve(void this.log.push(extensionWord(word)));
    },
    mergedNames: async (kind) => await Promise.resolve(this.merged.get(kind) ?? new Set()),
    merge: async (kind, images) => {
      const names = images.map(({ name, version }) => `${name}-${version}`);
      this.log.push(`${kind}=${names.join(",")}`);
      const broken = images.find(({ name, version }) => this.broken.has(`${name}-${version}`));
      if (this.failures > 0) {
        this.failures -= 1;
        throw new AshlarError("failed", "the device is busy");
      }
      if (broken !== undefined) throw new AshlarError("failed", `${broken.name} breaks it`);
      this.merged.set(kind, new Set(images.map(({ name }) => name)));
      await Promise.resolve();
    },
    reloadUnits: async () => await Promise.resolve(void this.log.push("daemon-reload")),
    applySettings: async (settings) => await Promise.resolve(void this.log.push(settings.join(" "))),
  };

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }

  #at(path: string): string {
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }
}
