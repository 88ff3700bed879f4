import assert from "node:assert/strict";
import { test } from "node:test";
import { RELEASE_FILE_KINDS, type ReleaseFileKind } from "../model/file-names.ts";
import type { PublishedFile, Withdrawal } from "../model/index-fields.ts";
import type { ReleaseEntry, RepositoryIndex } from "../model/repository-index.ts";
import { chooseRelease, type ReleaseWish } from "./choose-release.ts";

const FILE: PublishedFile = { name: "ashlar_1", sizeBytes: 1, sha256: "0".repeat(64) };
const FILES = Object.fromEntries(RELEASE_FILE_KINDS.map((kind) => [kind, FILE])) as Record<
  ReleaseFileKind,
  PublishedFile
>;
const WITHDRAWN: Record<string, Withdrawal> = { "1.1.2": { reason: "eats disks", at: "2026-11-22T00:00:00Z" } };

function release(version: string): [string, ReleaseEntry] {
  const withdrawn = WITHDRAWN[version];
  return [version, { version, files: FILES, ...(withdrawn && { withdrawn }) }];
}

const INDEX: RepositoryIndex = {
  serial: 7,
  extensions: new Map(),
  releases: new Map(["0.9.0", "1.0.0", "1.1.0", "1.1.1", "1.1.2", "1.1.10", "1.2.0", "1.3.0"].map(release)),
  channels: new Map([
    ["stable", { version: "1.2.0", minimumVersion: "1.0.0" }],
    ["old", { version: "1.1.0", minimumVersion: "1.0.0" }],
    ["spoilt", { version: "1.1.2", minimumVersion: "1.0.0" }],
  ]),
};

const choose = (wish: Partial<ReleaseWish>): string => chooseRelease(INDEX, { running: "1.1.0", failed: [], ...wish });

test("the channel's release, or the running one when it is the same or newer", () => {
  assert.equal(choose({}), "1.2.0");
  assert.equal(choose({ running: "1.2.0" }), "1.2.0");
  assert.equal(choose({ running: "1.3.0" }), "1.3.0");
  assert.equal(choose({ running: "1.3.0", allowDowngrade: true }), "1.2.0");
  assert.equal(choose({ to: "1.3.0" }), "1.3.0");
  assert.equal(choose({ to: "1.1.0", failed: ["1.1.0"] }), "1.1.0");
});

test("a pin gives the newest that matches, of what the channel has reached and nobody has withdrawn", () => {
  assert.equal(choose({ pin: "1.1.*" }), "1.1.10");
  assert.equal(choose({ pin: "1.2.*" }), "1.2.0");
  assert.equal(choose({ pin: "1.1.*", running: "1.2.0" }), "1.2.0");
  assert.throws(() => choose({ pin: "1.3.*" }), { code: "invalid", message: /no release before it matches 1\.3\.\*/u });
  assert.throws(() => choose({ pin: "1.1.*", to: "1.2.0" }), { code: "invalid", message: /pinned/u });
});

test("why not", () => {
  assert.throws(() => choose({ channel: "beta" }), { code: "not-found", hint: /stable, old, spoilt/u });
  assert.throws(() => choose({ to: "9.9.9" }), { code: "not-found" });
  assert.throws(() => choose({ to: "1.1.2" }), { code: "invalid", message: /withdrawn at 2026.*eats disks/u });
  assert.throws(() => choose({ channel: "spoilt" }), { code: "invalid", message: /withdrawn/u });
  assert.throws(() => choose({ to: "1.0.0" }), { code: "invalid", hint: /--allow-downgrade/u });
  assert.throws(() => choose({ to: "0.9.0", allowDowngrade: true }), { code: "invalid", message: /below 1\.0\.0/u });
  assert.throws(() => choose({ failed: ["1.2.0"] }), { code: "conflict", hint: /--retry/u });
  assert.equal(choose({ failed: ["1.2.0"], retry: true }), "1.2.0");
});
