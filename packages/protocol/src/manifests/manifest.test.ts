import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { parseKnownRelease, parseManifest } from "./manifest.ts";
import { testRelease } from "../test-release.ts";

const RELEASE = testRelease("1.0.0", "x", [
  { type: "file", path: "/usr/a", sizeBytes: 1, sha256: "0".repeat(64) },
  { type: "link", path: "/usr/b", target: "a" },
]);

function assertRefused(text: string, code: string, message: RegExp): void {
  assert.throws(
    () => parseManifest(text),
    (error) => error instanceof AshlarError && error.code === code && message.test(error.message),
  );
}

test("a manifest survives being written and read", () => {
  assert.deepEqual(parseManifest(JSON.stringify(RELEASE)), RELEASE);
});

test("a release is known without its packages and files, but not without anything else", () => {
  const { packages: _packages, files: _files, ...summary } = RELEASE;
  assert.deepEqual(parseKnownRelease(JSON.stringify(summary)), summary);
  assert.deepEqual(parseKnownRelease(JSON.stringify(RELEASE)), RELEASE);
  assertRefused(JSON.stringify(summary), "malformed", /\$\.packages/u);
  const { usr: _usr, ...less } = summary;
  assert.throws(() => parseKnownRelease(JSON.stringify(less)), { code: "malformed" });
  assert.throws(() => parseKnownRelease(JSON.stringify({ ...summary, pcr11Sections: "0".repeat(64) })), {
    code: "invalid",
  });
});

test("a wrong member is named by its path", () => {
  const wrong = (path: string, value: unknown): string => {
    const copy = structuredClone(RELEASE) as unknown as Record<string, unknown>;
    const names = path.split(".");
    const last = names.pop() ?? "";
    const holder = names.reduce((each, name) => each[name] as Record<string, unknown>, copy);
    holder[last] = value;
    return JSON.stringify(copy);
  };
  const absurd: readonly (readonly [string, unknown])[] = [
    ["schema", "ashlar.manifest/v1"],
    ["version", "../1"],
    ["architecture", "arm64"],
    ["sysextLevel", ""],
    ["commandLine", "x".repeat(5000)],
    ["osRelease", undefined],
    ["usr.rootHash", "AB".repeat(32)],
    ["usr.salt", "0"],
    ["usr.uuid", "x"],
    ["usr.dataSizeBytes", -1],
    ["usr.verity.sizeBytes", 1.5],
    ["uki.sections", []],
    ["uki.sections.0.name", "linux"],
    ["uki.authenticode", null],
    ["bootLoader", undefined],
    ["pcrs.4", ""],
    ["pcrs.11.ready", 1],
    ["pcr11Sections", "0".repeat(63)],
    ["packages.0.version", 257],
    ["files.0.path", "usr/a"],
    ["files.0.type", "directory"],
    ["surplus", 1],
  ];
  for (const [path, value] of absurd) {
    const place =
      path === "surplus" ? /\$: Unrecognized key/u : new RegExp(`\\$\\.${path.replaceAll(".", "\\.")}`, "u");
    assertRefused(wrong(path, value), "malformed", place);
  }
  assertRefused("", "malformed", /expected JSON/u);
  assertRefused(`${JSON.stringify(RELEASE)}{}`, "malformed", /expected JSON/u);
  assertRefused(" ".repeat(50 * 1024 * 1024), "limit", /at most/u);
});

test("parts that disagree are refused", () => {
  const { pcrs, usr, uki } = RELEASE;
  const zeros = "0".repeat(64);
  const changes = {
    "$.pcrs.4": { pcrs: { ...pcrs, "4": zeros } },
    "$.pcrs.11.sysinit": { pcrs: { ...pcrs, "11": { ...pcrs["11"], sysinit: zeros } } },
    "$.pcr11Sections": { uki: { ...uki, sections: uki.sections.slice(1) } },
    "$.usr.dataPartitionUuid": { usr: { ...usr, dataPartitionUuid: usr.hashPartitionUuid } },
    "$.commandLine": { commandLine: `${RELEASE.commandLine} usrhash=${zeros}` },
  };
  for (const [place, change] of Object.entries(changes)) {
    const pattern = new RegExp(place.replaceAll(/[$.]/gu, String.raw`\$&`), "u");
    assertRefused(JSON.stringify({ ...RELEASE, ...change }), "invalid", pattern);
  }
});

test("texts that the UKI's measured sections do not bear out are refused, in manifests and what is known of a release", () => {
  const other = testRelease("9.9.9", "something else");
  const { usr, commandLine, osRelease, version, uki } = other;
  const without = (name: string): object => ({
    uki: { ...RELEASE.uki, sections: RELEASE.uki.sections.filter((section) => section.name !== name) },
  });
  const twice = { ...RELEASE.uki, sections: [...RELEASE.uki.sections, RELEASE.uki.sections[2]] };
  const absurd: readonly (readonly [string, object])[] = [
    // Consistent with itself, and measured by nobody.
    ["$.uki.sections..cmdline", { version, usr, commandLine }],
    ["$.uki.sections..cmdline", { version, usr, commandLine, osRelease }],
    ["$.uki.sections..osrel", { version, osRelease }],
    ["$.osRelease", { version }],
    ["$.osRelease", { sysextLevel: "2" }],
    ["$.usr.dataPartitionUuid", { usr: { ...usr, dataPartitionUuid: RELEASE.usr.dataPartitionUuid } }],
    ["$.commandLine", { usr }],
    ["$.pcrs.4", { uki }],
    ["$.pcr11Sections", without(".cmdline")],
    ["$.pcr11Sections", { uki: twice }],
  ];
  for (const [place, change] of absurd) {
    const pattern = new RegExp(`at ${place.replaceAll(/[$.]/gu, String.raw`\$&`)}, found`, "u");
    const text = JSON.stringify({ ...RELEASE, ...change });
    assertRefused(text, "invalid", pattern);
    assert.throws(() => parseKnownRelease(text), { code: "invalid" });
  }
});

test("any text gives a manifest or an AshlarError", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.constant("[".repeat(100_000))), (text) => {
      try {
        parseManifest(text);
      } catch (error) {
        if (!(error instanceof AshlarError)) throw error;
      }
    }),
  );
});
