import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import type { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { AshlarError } from "@ashlar/base";
import type { ExtensionManifest } from "@ashlar/protocol";
import { KeyDirectory } from "@ashlar/keys";
import { verifyRepository, type RepositoryReport } from "../verify/verify-repository.ts";
import { addExtension } from "@ashlar/repository-index";
import { changeIndex, type ChangeOptions } from "./change-index.ts";
import { collectExtensionGarbage, collectGarbage } from "./collect-garbage.ts";
import { publishExtensions, withdrawExtensionFromRepository } from "./extension-repository.ts";
import { initRepository, publishRelease } from "./release-repository.ts";
import { type TestExtension, writeTestExtension } from "./test-extension-image.ts";
import { noPassphrase, NOW_MS, testOptions, writeTestImage } from "./test-image.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-extensions-"));
after(() => rmSync(directory, { recursive: true }));

const keys = new KeyDirectory(join(directory, "keys"), noPassphrase);
await keys.create(async () => undefined);
const signer = await keys.extensionSigner();

type World = ChangeOptions & { readonly publish: (...images: readonly string[]) => Promise<unknown> };

let count = 0;
async function newRepository(): Promise<World> {
  const options = { ...testOptions(join(directory, String(++count))), keys };
  await initRepository(options, async () => undefined);
  return { ...options, publish: async (...images) => await publishExtensions({ ...options, images }) };
}

const built = new Map<string, Promise<string>>();
/** The path of an image, made once. */
async function build(extension: TestExtension): Promise<string> {
  const key = JSON.stringify(extension);
  const image = built.get(key) ?? writeTestExtension(join(directory, `image-${built.size}`), signer, extension);
  built.set(key, image);
  return await image;
}

async function verify({ repository }: ChangeOptions, certificate?: X509Certificate): Promise<RepositoryReport> {
  return await verifyRepository({
    url: pathToFileURL(repository).href,
    trustedRoot: readFileSync(join(keys.path, "release-root.json")),
    keyring: readFileSync(join(keys.path, "import-pubring.pgp")),
    certificate: certificate ?? (await keys.extensionCertificate()),
    nowMs: NOW_MS,
  });
}

function isError(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AshlarError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

function sumsOf({ repository }: ChangeOptions, name = "hello"): string {
  const sums = readFileSync(join(repository, "extensions", name, "SHA256SUMS"), "utf8");
  return [...sums.matchAll(/-(v[0-9.+]+)-x86-64\.raw$/gmu)].map(([, version]) => version).join(" ");
}

test("what is published verifies, signatures of images included, and lies where systemd-sysupdate looks for it", async () => {
  const world = await newRepository();
  await world.publish(await build({ version: "v1.2.3" }), await build({ version: "v1.3.0" }));
  await world.publish(await build({ name: "tools", version: "v1.0.0", tier: "opt-in" }));
  await publishRelease({
    ...world,
    image: await writeTestImage(join(directory, "image"), "1.0.0", [1, 2]),
    channel: "stable",
  });
  const { index, problems } = await verify(world);
  assert.deepEqual(problems, []);
  const entry = index.extensions.get("hello")?.get("v1.3.0");
  assert.deepEqual(
    [entry?.kind, entry?.tier, entry?.files.image.name],
    ["sysext", "community", "hello-v1.3.0-x86-64.raw"],
  );
  assert.equal(index.extensions.get("tools")?.get("v1.0.0")?.tier, "opt-in");
  assert.equal(sumsOf(world), "v1.3.0 v1.2.3");
  const cwd = join(world.repository, "extensions/hello");
  assert.equal(spawnSync("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd }).status, 0);
  assert.ok(readFileSync(join(cwd, "SHA256SUMS.gpg")).length > 50);
});

test("a version with a plus sign lies under its own name, and its image is found in the index", async () => {
  const world = await newRepository();
  await world.publish(await build({ version: "v1.2+3" }), await build({ version: "v1.2+9" }));
  const { index, problems } = await verify(world);
  assert.deepEqual(problems, []);
  assert.equal(index.extensions.get("hello")?.get("v1.2+9")?.files.image.name, "hello-v1.2+9-x86-64.raw");
  assert.equal(sumsOf(world), "v1.2+9 v1.2+3");
});

test("publishing again changes nothing; other bytes, another kind or another tier are refused", async () => {
  const world = await newRepository();
  const image = await build({ version: "v1.2.3" });
  await world.publish(image, image);
  const before = readFileSync(join(world.repository, "metadata/timestamp.json"));
  await world.publish(image);
  assert.deepEqual(readFileSync(join(world.repository, "metadata/timestamp.json")), before);
  const other = await build({ version: "v1.2.3", content: 7 });
  await assert.rejects(world.publish(other), isError("conflict", /hello v1\.2\.3 exists with other bytes/u));
  const confext = await build({ version: "v1.2.4", lie: { kind: "confext" } });
  await assert.rejects(world.publish(confext), isError("conflict", /hello is a sysext here, not a confext/u));
  const tiered = publishExtensions({ ...world, images: [image], tier: "shipped" });
  await assert.rejects(tiered, isError("invalid", /expected an extension of tier shipped, found community/u));
  assert.deepEqual(readFileSync(join(world.repository, "metadata/timestamp.json")), before);
});

test("an image that is not what its manifest says, or signed by another key, is not published", async () => {
  const world = await newRepository();
  const refused = async (message: RegExp, image: string): Promise<void> =>
    await assert.rejects(world.publish(image), isError("untrusted", message));
  const strangers = new KeyDirectory(join(directory, "strangers"), noPassphrase);
  await strangers.create(async () => undefined);
  const theirs = await writeTestExtension(strangers.path, await strangers.extensionSigner(), { version: "v1.0.0" });
  await refused(/signature by a trusted certificate/u, theirs);
  const spoil = async (at: number): Promise<string> => {
    const image = await build({ version: "v1.0.1", content: 2 });
    return writeBytes(image, readFileSync(image).fill(0xff, at, at + 1));
  };
  await refused(/expected SHA-256/u, await spoil(50_000));
  const cut = await build({ version: "v1.0.2", content: 1 });
  writeBytes(cut, readFileSync(cut).subarray(4096));
  await refused(/expected 1105920 bytes, found 1101824/u, cut);
  const lies: readonly (readonly [RegExp, TestExtension["lie"]])[] = [
    [/root hash: expected/u, { image: await imageOf("v1.0.3", { rootHash: "0".repeat(64) }) }],
    [/certificate: expected/u, { image: await imageOf("v1.0.3", { certificateSha256: "0".repeat(64) }) }],
    [/host: expected/u, { host: { id: "_any", level: null } }],
    [/behaviour: expected/u, { behaviour: { replaces: [], restart: [], reload: [], start: [], healthCheck: null } }],
    [/kind: expected/u, { kind: "confext" }],
    [/expected the name that its manifest gives it, hello-v9/u, { version: "v9" }],
  ];
  for (const [message, lie = {}] of lies) await refused(message, await build({ version: "v1.0.3", lie }));
  assert.deepEqual((await verify(world)).index.extensions.size, 0);

  const image = await build({ version: "v1.0.5", content: 1 });
  rmSync(image.replace(/raw$/u, "sbom.cdx.json"));
  await assert.rejects(world.publish(image), isError("not-found", /cannot read .*sbom/u));
  await assert.rejects(world.publish("hello.img"), isError("usage", /NAME\.raw/u));
});

/** The manifest's image member, with something changed. */
async function imageOf(version: string, change: object): Promise<ExtensionManifest["image"]> {
  const image = await build({ version });
  const manifest: ExtensionManifest = JSON.parse(readFileSync(image.replace(/raw$/u, "manifest.json"), "utf8"));
  return { ...manifest.image, ...change };
}

function writeBytes(path: string, bytes: Uint8Array): string {
  writeFileSync(path, bytes);
  return path;
}

test("a withdrawn version is not offered nor published again, and says why", async () => {
  const world = await newRepository();
  const image = await build({ version: "v1.2.4" });
  await world.publish(await build({ version: "v1.2.3" }), image);
  const withdraw = async (version: string, reason: string): Promise<void> =>
    await withdrawExtensionFromRepository({ ...world, name: "hello", version, reason });
  await withdraw("v1.2.4", "eats pods");
  assert.equal(sumsOf(world), "v1.2.3");
  const { index, problems } = await verify(world);
  assert.deepEqual(problems, []);
  const { withdrawn } = index.extensions.get("hello")?.get("v1.2.4") ?? {};
  assert.deepEqual(withdrawn, { reason: "eats pods", at: "2026-11-22T00:00:00.000Z" });
  await assert.rejects(world.publish(image), isError("conflict", /was withdrawn: eats pods/u));
  await assert.rejects(withdraw("v1.2.3", " "), isError("usage", /reason/u));
  await assert.rejects(withdraw("v9", "x"), isError("not-found", /no version v9 of extension hello/u));
});

test("gc keeps the newest of each track that are good for something, and removes what nothing refers to", async () => {
  const world = await newRepository();
  const versions = ["v1.2.3", "v1.2.4", "v1.2.5", "v1.3.0"];
  for (const version of versions) await world.publish(await build({ version }));
  await world.publish(await build({ name: "tools", version: "v1.0.0" }));
  await withdrawExtensionFromRepository({ ...world, name: "hello", version: "v1.2.5", reason: "bad" });
  const at = (path: string): string => join(world.repository, "extensions", path);
  writeFileSync(at("hello/left-over"), "x".repeat(100));
  const { removed, freedBytes } = await collectExtensionGarbage({ ...world, keep: 1 });
  assert.deepEqual(removed, ["hello v1.2.3"]);
  assert.ok(freedBytes > 1_105_920, `${freedBytes}`);
  assert.equal(readdirSync(at("hello")).length, 3 * 4 + 3);
  assert.deepEqual((await verify(world)).problems, []);
  assert.equal(sumsOf(world), "v1.3.0 v1.2.4");
  // What an interrupted publication has left.
  spawnSync("cp", ["-r", at("tools"), at("other")]);
  writeFileSync(at("stray"), "");
  await collectGarbage({ ...world, keep: 1 });
  assert.deepEqual(readdirSync(at("")).toSorted(), ["hello", "tools"]);
});

test("verify finds a changed image, one that another key has signed, and a list that is not the index'", async () => {
  const world = await newRepository();
  await world.publish(await build({ version: "v1.2.3" }), await build({ version: "v1.2.4" }));
  const others = new KeyDirectory(join(directory, "others"), noPassphrase);
  await others.create(async () => undefined);
  const certificate = await others.extensionCertificate();
  assert.equal((await verify(world, certificate)).problems.length, 2);
  const at = (path: string): string => join(world.repository, "extensions/hello", path);
  writeFileSync(at("hello-v1.2.3-x86-64.raw"), readFileSync(at("hello-v1.2.3-x86-64.raw")).fill(1, 0, 1));
  rmSync(at("hello-v1.2.4-x86-64.blocks"));
  rmSync(at("SHA256SUMS"));
  symlinkSync("hello-v1.2.4-x86-64.manifest.json", at("SHA256SUMS"));
  const { problems } = await verify(world, certificate);
  const text = problems.join("\n");
  assert.equal(problems.length, 4, text);
  assert.match(text, /v1\.2\.3-x86-64\.raw: expected SHA-256/u);
  assert.match(text, /v1\.2\.4-x86-64\.blocks/u);
  assert.match(text, /extensions\/hello\/SHA256SUMS is not what the signed index says/u);
  assert.match(text, /v1\.2\.4-x86-64\.raw: expected a signature by a trusted certificate/u);
});

test("more versions than readers accept are refused before anything is signed", async () => {
  const world = await newRepository();
  await world.publish(await build({ version: "v1.2.3" }));
  const { index } = await verify(world);
  const entry = index.extensions.get("hello")?.get("v1.2.3");
  assert.ok(entry);
  const refused = changeIndex(world, "test", async (current) => {
    let many = current;
    for (let patch = 0; patch < 257; patch++) many = addExtension(many, { ...entry, version: `v9.${patch}` });
    return { index: many, result: undefined };
  });
  await assert.rejects(refused, isError("limit", /at most 256 entries/u));
  assert.equal((await verify(world)).index.serial, index.serial);
});
