import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { needs } from "@ashlar/base/test-needs";
import fc from "fast-check";
import { checkBehaviour, parseBehaviour } from "./behaviour.ts";
import { NO_BEHAVIOUR } from "../manifests/extension-manifest.ts";
import { type ExtensionContent, readExtension } from "./read-extension.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-extension-"));
after(() => rmSync(directory, { recursive: true }));

const RELEASE = {
  ID: "ashlar",
  SYSEXT_LEVEL: "1.0",
  ARCHITECTURE: "x86-64",
  IMAGE_ID: "debug-tools",
  IMAGE_VERSION: "v1.2.3",
};

function read(
  release: Readonly<Record<string, string>> = RELEASE,
  { name = "debug-tools", tree = "usr/lib", behaviour = "" } = {},
): ExtensionContent {
  const root = mkdtempSync(join(directory, "tree-"));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const fields = Object.entries(release).map(([key, value]) => `${key}=${value}\n`);
  write(`${tree}/extension-release.d/extension-release.${name}`, fields.join(""));
  if (behaviour !== "") write(`${tree}/ashlar/extensions/${name}.json`, behaviour);
  execFileSync("mkfs.erofs", ["--quiet", "-T0", `${root}.erofs`, root], { stdio: "pipe" });
  const bytes = readFileSync(`${root}.erofs`);
  return readExtension((offset, size) => bytes.subarray(offset, offset + size), bytes.length);
}

test("an extension says who it is and for which hosts", { skip: needs("mkfs.erofs") }, () => {
  const { kind, name, version, host, behaviour } = read();
  assert.deepEqual([kind, name, version], ["sysext", "debug-tools", "v1.2.3"]);
  assert.deepEqual([host, behaviour], [{ id: "ashlar", level: "1.0" }, NO_BEHAVIOUR]);
  const { SYSEXT_LEVEL: _, ...release } = RELEASE;
  const confext = read({ ...release, ID: "_any" }, { tree: "etc", behaviour: '{"reload":["a.service"]}' });
  assert.deepEqual([confext.kind, confext.host.level, confext.host.id], ["confext", null, "_any"]);
  assert.deepEqual(confext.behaviour, { ...NO_BEHAVIOUR, reload: ["a.service"] });
});

test("an extension that is not what its file's name says", { skip: needs("mkfs.erofs") }, () => {
  const cases: readonly [ExtensionContentArguments, RegExp][] = [
    [[{ ...RELEASE, IMAGE_ID: "other" }], /IMAGE_ID=debug-tools/u],
    [[RELEASE, { name: "Debug" }], /a name like debug-tools/u],
    [[{ ...RELEASE, IMAGE_VERSION: "1-2" }], /a version in IMAGE_VERSION, found 1-2/u],
    [[{ ...RELEASE, ARCHITECTURE: "arm64" }], /ARCHITECTURE=x86-64, found arm64/u],
    [[{ ...RELEASE, ID: "" }], /the host's ID/u],
  ];
  for (const [args, message] of cases) assert.throws(() => read(...args), { code: "invalid", message });
  assert.throws(() => read(RELEASE, { behaviour: "{" }), { code: "malformed", message: /behaviour: expected JSON/u });
  assert.throws(() => read(RELEASE, { behaviour: " ".repeat(70_000) }), { code: "limit" });
});

type ExtensionContentArguments = Parameters<typeof read>;

test("malformed behaviour: each field", () => {
  const malformed: readonly [unknown, RegExp][] = [
    [[], /an object/u],
    [null, /an object/u],
    [{ restarts: [] }, /found "restarts"/u],
    [{ restart: "a.service" }, /restart: expected a list/u],
    [{ restart: ["a"] }, /restart: expected names of units, found "a"/u],
    [{ reload: ["../a.service"] }, /reload: expected names of units/u],
    [{ start: [1] }, /start: expected names of units, found 1/u],
    [{ start: Array.from({ length: 1001 }, () => "a.service") }, /start: expected a list of at most 1000/u],
    [{ replaces: ["usr/bin/a"] }, /replaces: expected absolute paths/u],
    [{ replaces: ["/usr/../etc/a"] }, /replaces: expected absolute paths/u],
    [{ healthCheck: "/usr/bin/true" }, /healthCheck: expected a path below/u],
    [{ healthCheck: "/usr/lib/ashlar/health.d/../../bin/a" }, /healthCheck/u],
    [{ healthCheck: [] }, /healthCheck/u],
  ];
  for (const [value, message] of malformed) {
    assert.throws(() => checkBehaviour(value), { code: "malformed", message });
  }
  assert.throws(() => parseBehaviour(`{}${" ".repeat(70_000)}`), { code: "limit" });
  assert.throws(() => parseBehaviour("{}}"), { code: "malformed" });
});

test("fuzz: behaviour is a value or an AshlarError", () => {
  const key = fc.constantFrom(...Object.keys(NO_BEHAVIOUR));
  fc.assert(
    fc.property(fc.oneof(fc.dictionary(key, fc.jsonValue()), fc.jsonValue()), (value) => {
      try {
        checkBehaviour(value);
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
      }
    }),
  );
});
