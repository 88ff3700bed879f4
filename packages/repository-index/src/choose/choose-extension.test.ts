import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { compareVersions } from "@ashlar/formats";
import fc from "fast-check";
import { addExtension } from "../model/edit-extensions.ts";
import { EMPTY_INDEX } from "../model/edit-index.ts";
import type { ExtensionEntry } from "../model/extension-entry.ts";
import type { PublishedFile } from "../model/index-fields.ts";
import type { RepositoryIndex } from "../model/repository-index.ts";
import { chooseExtension, type ExtensionWish } from "./choose-extension.ts";

const FILE: PublishedFile = { name: "x", sizeBytes: 4096, sha256: "0".repeat(64) };

function indexOf(versions: readonly string[], withdrawn: readonly string[] = []): RepositoryIndex {
  const entry = (version: string): ExtensionEntry => ({
    kind: "sysext",
    name: "kubernetes",
    version,
    tier: "community",
    rootHash: "",
    blocksRootHash: "",
    files: { image: FILE, blocks: FILE, manifest: FILE, sbom: FILE },
    ...(withdrawn.includes(version) && { withdrawn: { reason: "eats pods", at: "2026-11-22T00:00:00Z" } }),
  });
  return versions.map(entry).reduce(addExtension, EMPTY_INDEX);
}

const INDEX = indexOf(["v1.32.9", "v1.33.2", "v1.33.10", "v1.33.11", "v1.34.0"], ["v1.33.11"]);
const choose = (wish: Partial<ExtensionWish>, index = INDEX): string =>
  chooseExtension(index, { name: "kubernetes", pattern: "v1.33.*", failed: [], ...wish });

test("the newest that the pattern allows, and that nobody has withdrawn", () => {
  assert.equal(choose({}), "v1.33.10");
  assert.equal(choose({ running: "v1.33.2" }), "v1.33.10");
  assert.equal(choose({ running: "v1.33.10" }), "v1.33.10");
  assert.equal(choose({ pattern: "v1.33.2" }), "v1.33.2");
  assert.equal(choose({ pattern: "v1.*", running: "v1.33.10" }), "v1.34.0");
  assert.equal(choose({ running: "v1.32.9" }), "v1.33.10");
});

test("what runs stays when there is nothing better, also when it was withdrawn or is not published any more", () => {
  assert.equal(choose({ running: "v1.33.11" }), "v1.33.11");
  assert.equal(choose({ running: "v1.33.99" }), "v1.33.99");
  assert.equal(choose({ running: "v1.33.11", allowDowngrade: true }), "v1.33.10");
  assert.equal(choose({ to: "v1.33.11", running: "v1.33.11" }), "v1.33.11");
});

test("a failed version is passed over for another that is newer than what runs, and named when there is none", () => {
  assert.equal(choose({ failed: ["v1.33.10"] }), "v1.33.2");
  assert.equal(choose({ failed: ["v1.33.10"], retry: true }), "v1.33.10");
  assert.throws(() => choose({ failed: ["v1.33.10"], running: "v1.33.2" }), {
    code: "conflict",
    message: /v1\.33\.10 has failed on this node before/u,
    hint: /--retry/u,
  });
  assert.throws(() => choose({ failed: ["v1.33.10", "v1.33.2"] }), { code: "conflict", message: /v1\.33\.10/u });
});

test("a version that was asked for is taken, or it is said why not", () => {
  assert.equal(choose({ to: "v1.33.2" }), "v1.33.2");
  assert.throws(() => choose({ to: "v1.33.2", running: "v1.33.10" }), { code: "invalid", hint: /--allow-downgrade/u });
  assert.equal(choose({ to: "v1.33.2", running: "v1.33.10", allowDowngrade: true }), "v1.33.2");
  assert.throws(() => choose({ to: "v1.34.0" }), { code: "invalid", message: /does not match v1\.33\.\*/u });
  assert.throws(() => choose({ to: "v1.33.11" }), { code: "invalid", message: /withdrawn at 2026.*eats pods/u });
  assert.throws(() => choose({ to: "v1.33.9" }), { code: "not-found", hint: /v1\.34\.0, v1\.33\.11/u });
  assert.throws(() => choose({ to: "v1.33.10", failed: ["v1.33.10"] }), { code: "conflict" });
  assert.equal(choose({ to: "v1.33.10", failed: ["v1.33.10"], retry: true }), "v1.33.10");
});

test("why not", () => {
  assert.throws(() => choose({ name: "zfs" }), {
    code: "not-found",
    message: /no extension zfs/u,
    hint: /kubernetes/u,
  });
  assert.throws(() => choose({ pattern: "v1.35.*" }), { code: "not-found", message: /matches v1\.35\.\*/u });
  assert.throws(() => choose({ pattern: "v1.33.11" }), { code: "invalid", message: /withdrawn/u });
  assert.throws(() => choose({ pattern: "v1.32.*", running: "v1.33.2" }), { code: "invalid", message: /older than/u });
  assert.equal(choose({ pattern: "v1.32.*", running: "v1.33.2", allowDowngrade: true }), "v1.32.9");
});

test("whatever is published: never withdrawn, failed, older or not as declared, unless it runs or was allowed", () => {
  const version = fc.tuple(fc.nat(2), fc.nat(12)).map(([minor, patch]) => `v1.${minor}.${patch}`);
  const versions = fc.uniqueArray(version, { maxLength: 8 });
  const wishes = fc.record({
    pattern: fc.constantFrom("v1.0.*", "v1.1.*", "v1.*", "*", "v1.1.1?"),
    to: fc.option(version, { nil: undefined }),
    running: fc.option(version, { nil: undefined }),
    allowDowngrade: fc.boolean(),
    failed: versions,
    retry: fc.boolean(),
  });
  fc.assert(
    fc.property(versions, versions, wishes, (published, withdrawn, wish) => {
      const index = indexOf(published, withdrawn);
      let chosen: string;
      try {
        chosen = choose(wish, index);
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
        assert.ok(error.code !== "conflict" || (wish.failed.length > 0 && !wish.retry));
        return;
      }
      if (chosen === wish.running) return;
      assert.ok(published.includes(chosen) && !withdrawn.includes(chosen));
      assert.ok(wish.retry || !wish.failed.includes(chosen));
      assert.ok(wish.allowDowngrade || wish.running === undefined || compareVersions(chosen, wish.running) > 0);
      assert.ok(wish.to === undefined || wish.to === chosen);
      const better = published.filter((each) => !withdrawn.includes(each) && !wish.failed.includes(each));
      const isNewest = better.every(
        (each) => compareVersions(each, chosen) <= 0 || !new RegExp(`^${globToRegExp(wish.pattern)}$`, "u").test(each),
      );
      assert.ok(wish.to !== undefined || isNewest, `${chosen} of ${published.join()}`);
    }),
    { numRuns: 1000 },
  );
});

function globToRegExp(glob: string): string {
  return glob.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".");
}
