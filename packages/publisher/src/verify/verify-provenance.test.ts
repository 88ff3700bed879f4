import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { needs } from "@ashlar/base/test-needs";
import { digestFile, run } from "@ashlar/host";
import { publicKeyOf } from "@ashlar/keys";
import { DEFAULT_BUILDER, type ProvenanceInput } from "@ashlar/statements";
import { verifyAsSigstore } from "@ashlar/statements/test-sigstore";
import { changeIndex, type ChangeOptions } from "../publish/change-index.ts";
import { collectGarbage } from "../publish/collect-garbage.ts";
import { publishExtensions } from "../publish/extension-repository.ts";
import { initRepository, publishRelease } from "../publish/release-repository.ts";
import { goodKeys, readRoot } from "../publish/root-role.ts";
import { writeTestExtension } from "../publish/test-extension-image.ts";
import { NOW_MS, testOptions, writeTestImage } from "../publish/test-image.ts";
import { writeExtensionProvenance, writeImageProvenance } from "../publish/test-provenance.ts";
import { rotateKeys } from "../rotate/rotate-keys.ts";
import { verifyRepository } from "./verify-repository.ts";

const skip = needs("xz") || needs("openssl");
const choosePassphrase = async (): Promise<undefined> => undefined;
const directory = mkdtempSync(join(tmpdir(), "ashlar-provenance-"));
after(() => rmSync(directory, { recursive: true }));

let count = 0;
async function newRepository(): Promise<ChangeOptions> {
  const options = testOptions(join(directory, String(++count)));
  await initRepository(options, choosePassphrase);
  return options;
}

/** @param change what the provenance says instead; null for an image without provenance */
async function publish(
  options: ChangeOptions,
  version: string,
  change: Partial<ProvenanceInput> | null = {},
): Promise<string> {
  const image = await writeTestImage(join(options.repository, "..", version), version, [Number(version[0]), 2, 3]);
  if (change !== null) writeImageProvenance(image, change);
  await publishRelease({ ...options, image, channel: "stable" });
  return image;
}

type Judged = { readonly problems: readonly string[]; readonly codes: readonly unknown[]; readonly reports: unknown };

async function verify(
  { repository, keys }: ChangeOptions,
  { builder = DEFAULT_BUILDER, trustedRoot = readFileSync(join(keys.path, "release-root.json")) } = {},
): Promise<Judged> {
  const url = pathToFileURL(repository).href;
  const { problems, provenance } = await verifyRepository({ url, trustedRoot, builder, nowMs: NOW_MS });
  return {
    problems,
    codes: (provenance ?? []).flatMap(({ refusals }) => refusals.map(({ code }) => code)),
    reports: provenance,
  };
}

test("provenance is signed with the release key, is a target of its own, and verifies offline", { skip }, async () => {
  const options = await newRepository();
  await publish(options, "1.0.0");
  const image = await writeTestExtension(join(directory, "ext"), await options.keys.extensionSigner(), {
    version: "v1.2.3",
  });
  writeExtensionProvenance(image);
  const [extension] = await publishExtensions({ ...options, images: [image] });
  assert.equal(extension?.files.provenance?.name, "hello-v1.2.3-x86-64.intoto.jsonl");
  const commit = "a".repeat(40);
  const found = { builder: DEFAULT_BUILDER, sourceCommit: commit, dependencies: 2, refusals: [] };
  assert.deepEqual(await verify(options), {
    problems: [],
    codes: [],
    reports: [
      { of: "release 1.0.0", ...found },
      { of: "extension hello v1.2.3", ...found },
    ],
  });
  const path = join(options.repository, "releases/ashlar_1.0.0.intoto.jsonl");
  const text = readFileSync(path, "utf8");
  const [key] = goodKeys(readRoot(readFileSync(join(options.keys.path, "release-root.json"))).signed).targets.keys;
  assert.ok(key !== undefined);
  verifyAsSigstore(text, publicKeyOf(key));
  const { payload }: { payload: string } = JSON.parse(text);
  assert.equal(
    Buffer.from(payload, "base64").toString("utf8"),
    readFileSync(join(image, "../../1/1.0.0/provenance.json"), "utf8"),
    "what is signed is what was built",
  );
  // It is listed and kept as the other files are.
  await collectGarbage({ ...options, keep: 1 });
  assert.deepEqual((await verify(options)).problems, []);
  writeFileSync(path, text.replace('"', ' "'));
  const changed = await verify(options);
  assert.deepEqual(changed.codes, ["unreadable"]);
  assert.match(changed.problems.join("\n"), /ashlar_1\.0\.0\.intoto\.jsonl: expected/u);
});

test("another builder than expected, and a release without provenance, are refused", { skip }, async () => {
  const options = await newRepository();
  const builder = { id: "https://ci.example/1", version: {} };
  await publish(options, "1.0.0", { builder });
  assert.deepEqual((await verify(options)).codes, ["builder"]);
  assert.deepEqual((await verify(options, { builder: builder.id })).codes, []);
  await publish(options, "2.0.0", null);
  const { codes, problems } = await verify(options, { builder: builder.id });
  assert.deepEqual(codes, ["missing"]);
  assert.deepEqual(problems, ["release 2.0.0, provenance: expected provenance, found none: it was published without"]);
});

test("what is not about the image, or leaves something out, is not signed", { skip }, async () => {
  const options = await newRepository();
  for (const [change, message] of [
    [{ externalParameters: { version: "9.9.9" } }, /expected the parameter version "1\.0\.0", found "9\.9\.9"/u],
    [{ subjects: [{ name: "x", sha256: "c".repeat(64) }] }, /expected provenance of the manifest, SHA-256/u],
    [{ materials: [] }, /expected every package of the bill of materials .* found no pkg:deb\/debian\/bash/u],
    [{ buildType: "https://example.org/" }, /expected the build type/u],
  ] as const) {
    await assert.rejects(publish(options, "1.0.0", change), { code: "untrusted", message });
  }
  // That of another image.
  const other = await writeTestImage(join(directory, "other"), "1.0.0", [7, 8]);
  writeImageProvenance(other);
  const image = await writeTestImage(join(directory, "own"), "1.0.0", [1, 2]);
  writeImageProvenance(image);
  copyFileSync(join(other, "provenance.json"), join(image, "provenance.json"));
  const published = publishRelease({ ...options, image, channel: "stable" });
  await assert.rejects(published, { code: "untrusted", message: /expected provenance of/u });
  writeFileSync(join(image, "provenance.json"), "{}");
  await assert.rejects(publishRelease({ ...options, image, channel: "stable" }), { code: "malformed" });
});

test(
  "a key that was replaced is believed by who trusts a root role that named it, and by nobody else",
  { skip },
  async () => {
    const options = await newRepository();
    const pinned = readFileSync(join(options.keys.path, "release-root.json"));
    await publish(options, "1.0.0");
    await rotateKeys({ ...options, choosePassphrase, change: { replace: ["targets"] } });
    await publish(options, "2.0.0");
    assert.deepEqual((await verify(options, { trustedRoot: pinned })).codes, []);
    const { codes, problems } = await verify(options);
    assert.deepEqual(codes, ["other-key"]);
    assert.match(problems.join("\n"), /^release 1\.0\.0, provenance: expected a signature by the key/mu);
  },
);

test("an archive that holds something else than what was built is named", { skip }, async () => {
  const options = await newRepository();
  await publish(options, "1.0.0");
  const release = join(options.repository, "releases");
  for (const bytes of [16_384, 12_288]) {
    await changeIndex(options, "test", async (index) => {
      const entry = index.releases.get("1.0.0");
      assert.ok(entry !== undefined);
      const path = join(release, entry.files.usrArchive.name);
      writeFileSync(path.slice(0, -3), Buffer.alloc(bytes, 9));
      await run("xz", ["--force", path.slice(0, -3)]);
      const { sizeBytes, digest: sha256 } = await digestFile(path);
      const files = { ...entry.files, usrArchive: { ...entry.files.usrArchive, sizeBytes, sha256 } };
      return { index: { ...index, releases: new Map([["1.0.0", { ...entry, files }]]) }, result: undefined };
    });
    const { codes, problems } = await verify(options);
    assert.deepEqual(codes, ["archive"], problems.join("\n"));
    assert.match(problems.join("\n"), /usr\.raw\.xz: expected (?:a file with SHA-256|\d+ bytes inside)/u);
  }
});
