import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { testRelease } from "@ashlar/protocol/test-fixtures";
import { DEFAULT_BUILDER, parseProvenance } from "@ashlar/statements";
import { describeProvenance, IMAGE_SUBJECTS } from "./provenance.ts";

const directory = await mkdtemp(join(tmpdir(), "ashlar-image-provenance-"));
after(async () => await rm(directory, { recursive: true }));

/** @returns the text of provenance.json for an image of files that hold their own names */
async function describe(name: string, osText: string): Promise<string> {
  const [result, osDirectory, keys] = ["result", "os", "keys"].map((each) => join(directory, name, each));
  assert.ok(result !== undefined && osDirectory !== undefined && keys !== undefined);
  for (const each of [result, osDirectory, keys]) await mkdir(each, { recursive: true });
  for (const subject of IMAGE_SUBJECTS) await writeFile(join(result, subject), subject);
  await writeFile(join(osDirectory, "packages.list"), osText);
  for (const key of ["release-root.json", "import-pubring.pgp", "extensions.crt"])
    await writeFile(join(keys, key), key);
  const manifest = testRelease("1.0.0");
  const shipped = manifest.packages.map(({ name: own, version, architecture }) => ({
    name: own,
    version,
    architecture,
  }));
  const tool = { name: "dracut", version: "106", architecture: "all" };
  const archives = [...shipped, tool].map(({ name: own, version, architecture }) => ({
    name: own,
    version,
    architecture,
    sha256: hash("sha256", own),
  }));
  return await describeProvenance({
    options: { version: "1.0.0", snapshot: "20261122T000000Z", releaseSource: { url: "https://r.example/", keys } },
    builder: DEFAULT_BUILDER,
    archives,
    sourceDateEpoch: 1_760_000_000,
    osDirectory,
    ownSource: [],
    agent: [{ name: "agent", digest: { dirHash: "a".repeat(64) }, annotations: { role: "source" } }],
    manifest,
    result,
    signal: undefined,
  });
}

test("provenance names what an image was made of, by digest", async () => {
  const text = await describe("first", "bash");
  const { subject, predicate } = parseProvenance(text);
  assert.deepEqual(
    subject.map(({ name, digest }) => [name, digest.sha256]),
    IMAGE_SUBJECTS.map((name) => [name, hash("sha256", name)]),
  );
  const { externalParameters, internalParameters, resolvedDependencies } = predicate.buildDefinition;
  assert.deepEqual(externalParameters, {
    version: "1.0.0",
    snapshot: "20261122T000000Z",
    releaseUrl: "https://r.example/",
  });
  assert.equal(internalParameters?.["sourceDateEpoch"], 1_760_000_000);
  const ofRole = (role: string): unknown[] =>
    resolvedDependencies.filter(({ annotations }) => annotations.role === role).map(({ uri, name }) => uri ?? name);
  assert.equal(ofRole("content").length, testRelease("1.0.0").packages.length);
  assert.deepEqual(ofRole("build"), ["pkg:deb/debian/dracut@106?arch=all&distro=trixie"]);
  assert.deepEqual(ofRole("source"), ["agent", "os"]);
  assert.deepEqual(ofRole("key"), ["extensions.crt", "import-pubring.pgp", "release-root.json"]);
});

test("the same inputs in another directory give the same bytes, and another input others", async () => {
  assert.equal(await describe("second", "bash"), await describe("third", "bash"));
  assert.notEqual(await describe("fourth", "zsh"), await describe("third", "bash"));
  assert.ok(!(await describe("third", "bash")).includes(directory), "no path of this machine");
});
