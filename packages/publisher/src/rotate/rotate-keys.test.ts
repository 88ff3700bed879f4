/** Keys are replaced, and the client that nodes have walks from the root role in an old image to the newest. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { openRepository } from "@ashlar/repository";
import { KeyDirectory } from "@ashlar/keys";
import { readKeys, verifyRepository } from "../verify/verify-repository.ts";
import type { KeyChange } from "./plan-keys.ts";
import { initRepository, publishRelease, refreshRepository } from "../publish/release-repository.ts";
import { parseProposal } from "./root-proposal.ts";
import { collectSignatures, type RotateOptions, rotateKeys, type RotationResult } from "./rotate-keys.ts";
import { showProposal, signProposal } from "./sign-proposal.ts";
import { noPassphrase, NOW_MS, testOptions, writeTestImage } from "../publish/test-image.ts";

const DAY_MS = 24 * 3600 * 1000;
const directory = mkdtempSync(join(tmpdir(), "ashlar-rotation-"));
after(() => rmSync(directory, { recursive: true }));
const choosePassphrase = async (): Promise<undefined> => undefined;

class Owner {
  readonly path: string;
  readonly options: RotateOptions;
  /** What the image of a node has that was built in the beginning. */
  readonly pinned: Buffer;

  private constructor(path: string, options: RotateOptions) {
    this.path = path;
    this.options = options;
    this.pinned = readFileSync(join(options.keys.path, "release-root.json"));
  }

  static async start(name: string): Promise<Owner> {
    const path = join(directory, name);
    const options = { ...testOptions(path), choosePassphrase };
    await initRepository(options, choosePassphrase);
    return new Owner(path, options);
  }

  async rotate(change: KeyChange): Promise<RotationResult> {
    return await rotateKeys({ ...this.options, change });
  }

  async publish(version: string, contents: number): Promise<void> {
    const image = await writeTestImage(join(this.path, version), version, [contents, 2, 3]);
    await publishRelease({ ...this.options, image, channel: "stable" });
  }

  /** Another holder of a key, with a directory of their own. */
  async holder(name: string): Promise<{ keys: KeyDirectory; publicFile: string; id: string }> {
    const keys = new KeyDirectory(join(this.path, name), noPassphrase);
    const { signer, publicFile } = await keys.createNext("root", choosePassphrase);
    return { keys, publicFile, id: signer.key.keyID };
  }

  /** Reads as a node does. @returns the version of the index */
  async read(state: string, trustedRoot = this.pinned): Promise<number> {
    const url = pathToFileURL(this.options.repository).href;
    const stateDirectory = join(this.path, state);
    return (await openRepository({ url, trustedRoot, stateDirectory, nowMs: this.options.nowMs })).index.serial;
  }

  async problems(trustedRoot = this.pinned): Promise<readonly string[]> {
    const url = pathToFileURL(this.options.repository).href;
    return (await verifyRepository({ url, trustedRoot, nowMs: this.options.nowMs })).problems;
  }

  get nextRoot(): string {
    return join(this.options.keys.path, "next-root.json");
  }
}

test("every key is replaced, and nodes that trust the first root role, or have seen it, follow", async () => {
  const owner = await Owner.start("all");
  await owner.publish("1.0.0", 1);
  assert.equal(await owner.read("node"), 2);
  const before = join(owner.path, "before");
  cpSync(owner.options.keys.path, before, { recursive: true });
  const { keys, changes, missing } = await owner.rotate({ replace: ["root", "targets", "online"] });
  assert.deepEqual([keys.version, changes.length, missing], [2, 3, []]);
  await owner.publish("1.1.0", 2);
  for (const state of ["node", "new-node"]) assert.equal(await owner.read(state), 4);
  assert.deepEqual(await owner.problems(), []);
  assert.ok(existsSync(join(owner.options.keys.path, "targets.old.pem")));
  assert.ok(!existsSync(owner.nextRoot));

  // Whoever has the old keys gets nothing signed with them that anybody takes.
  const thief = { ...owner.options, keys: new KeyDirectory(before, noPassphrase) };
  await assert.rejects(refreshRepository(thief), {
    code: "untrusted",
    message: /online\.pem is no key .* root role 2/u,
  });
  const image = await writeTestImage(join(owner.path, "9.0.0"), "9.0.0", [9, 2, 3]);
  await assert.rejects(publishRelease({ ...thief, image, channel: "stable" }), { code: "untrusted" });
  // A server with the old keys, whose versions are higher.
  const old = testOptions(join(owner.path, "old"));
  await initRepository({ ...old, keys: thief.keys }, choosePassphrase);
  for (let count = 0; count < 9; count++) await refreshRepository({ ...old, keys: thief.keys });
  cpSync(join(old.repository, "metadata"), join(owner.options.repository, "metadata"), { recursive: true });
  await assert.rejects(owner.read("node"), {
    code: "untrusted",
    message: /timestamp\.json: timestamp was signed by 0\/1/u,
  });
});

test("from one root key to three of which two sign, then two others: signatures come one after the other", async () => {
  const owner = await Owner.start("shares");
  const [ada, ben, cleo] = [await owner.holder("ada"), await owner.holder("ben"), await owner.holder("cleo")];
  const root = [ada, ben, cleo].map(({ publicFile }) => publicFile);
  await assert.rejects(owner.rotate({ keys: { root } }), { code: "usage", hint: /--root-threshold/u });
  const prepared = await owner.rotate({ keys: { root }, rootThreshold: 2 });
  assert.deepEqual(prepared.missing, [{ of: "next", version: 2, count: 2, keyIds: [ada.id, ben.id, cleo.id] }]);
  // In the meantime everything goes on.
  await owner.publish("1.0.0", 1);
  assert.equal(await owner.read("node"), 2);

  const first = await signProposal(owner.nextRoot, ada.keys);
  assert.deepEqual([first.signedBy, first.isTrusted, first.missing[0]?.count], [[ada.id], false, 1]);
  const still = await collectSignatures({ ...owner.options, proposals: [owner.nextRoot] });
  assert.deepEqual(still.missing, [{ of: "next", version: 2, count: 1, keyIds: [ben.id, cleo.id] }]);
  // Another copy, signed at another place.
  const copy = join(owner.path, "copy.json");
  cpSync(owner.nextRoot, copy);
  await signProposal(copy, cleo.keys);
  const done = await collectSignatures({ ...owner.options, proposals: [copy] });
  assert.deepEqual([done.missing, done.keys.root.threshold], [[], 2]);
  assert.equal(await owner.read("node"), 2);
  assert.deepEqual(await owner.problems(), []);

  // The key of before counts no more, and one of three is not enough.
  const alone = await owner.rotate({ replace: ["targets"] });
  assert.deepEqual(alone.missing, [
    { of: "current", version: 2, count: 2, keyIds: [ada.id, ben.id, cleo.id] },
    { of: "next", version: 3, count: 2, keyIds: [ada.id, ben.id, cleo.id] },
  ]);
  await signProposal(owner.nextRoot, ada.keys);
  const second = await signProposal(owner.nextRoot, ben.keys);
  assert.deepEqual(second.missing, []);
  await collectSignatures({ ...owner.options, proposals: [owner.nextRoot] });
  await owner.publish("1.1.0", 2);
  for (const state of ["node", "new-node"]) assert.equal(await owner.read(state), 4);

  // Ada leaves: two of the others, and a new one that is made where Ben's is.
  const dora = await owner.holder("dora");
  const keep = [ben.id.slice(0, 12), cleo.id, dora.publicFile];
  await owner.rotate({ keys: { root: keep }, rootThreshold: 2 });
  await assert.rejects(signProposal(owner.nextRoot, owner.options.keys), { code: "invalid" });
  await signProposal(owner.nextRoot, ben.keys);
  await signProposal(owner.nextRoot, cleo.keys);
  const last = await collectSignatures({ ...owner.options, proposals: [owner.nextRoot] });
  assert.deepEqual(last.changes, [
    { name: "root", added: [dora.id], removed: [ada.id], threshold: { from: 2, to: 2 } },
  ]);
  for (const state of ["node", "last-node"]) assert.equal(await owner.read(state), 4);
  const url = pathToFileURL(owner.options.repository).href;
  const keys = await readKeys({ url, trustedRoot: owner.pinned, nowMs: NOW_MS });
  assert.deepEqual([keys.version, keys.root.keyIds], [4, [ben.id, cleo.id, dora.id]]);
});

test("a root role that needs several signatures is renewed by them, not by refresh", async () => {
  const owner = await Owner.start("renew");
  const ada = await owner.holder("ada");
  const own = (await owner.options.keys.signers("root")).map(({ key }) => key.keyID);
  await owner.rotate({ keys: { root: [...own, ada.publicFile] }, rootThreshold: 2 });
  await signProposal(owner.nextRoot, ada.keys);
  await collectSignatures({ ...owner.options, proposals: [owner.nextRoot] });
  const later = { ...owner.options, nowMs: NOW_MS + 200 * DAY_MS };
  const { renewed, due } = await refreshRepository(later);
  assert.deepEqual(renewed, ["timestamp", "snapshot", "targets"]);
  assert.deepEqual(due, [{ role: "root", expires: "2027-11-22T00:00:00Z", missing: "signatures" }]);
  await rotateKeys({ ...later, change: {} });
  await signProposal(owner.nextRoot, ada.keys);
  const { keys, changes } = await collectSignatures({ ...later, proposals: [owner.nextRoot] });
  assert.deepEqual([keys.version, keys.expires, changes], [3, "2028-06-09T00:00:00Z", []]);
});

test("fast forward: what a stolen online key has made of the versions counts no more with another key", async () => {
  const owner = await Owner.start("stolen");
  await owner.publish("1.0.0", 1);
  const good = join(owner.path, "good");
  cpSync(owner.options.repository, good, { recursive: true, verbatimSymlinks: true });
  for (let count = 0; count < 5; count++) await refreshRepository(owner.options);
  assert.equal(await owner.read("node"), 2);
  // The owner goes back to the last state that is known to be good.
  rmSync(owner.options.repository, { recursive: true });
  renameSync(good, owner.options.repository);
  await assert.rejects(owner.read("node"), { code: "untrusted", message: /older/u });
  await owner.rotate({ replace: ["online"] });
  assert.equal(await owner.read("node"), 2);
});

test("a key on another machine is replaced there: the timer takes the new one by itself", async () => {
  const owner = await Owner.start("timer");
  const timer = join(owner.path, "timer");
  cpSync(owner.options.keys.path, timer, { recursive: true });
  for (const name of ["root.pem", "targets.pem", "sums.pgp"]) rmSync(join(timer, name));
  const there = { ...owner.options, keys: new KeyDirectory(timer, noPassphrase) };
  const { publicFile } = await there.keys.createNext("online", choosePassphrase);
  const change = { keys: { online: [publicFile] } };
  await assert.rejects(owner.rotate(change), { code: "not-found", hint: /online\.next\.pem/u });
  assert.equal(await owner.read("node"), 1);
  await refreshRepository(there);
  cpSync(join(timer, "online.next.pem"), join(owner.options.keys.path, "online.next.pem"));
  assert.deepEqual((await owner.rotate(change)).missing, []);
  await refreshRepository(there);
  assert.ok(!existsSync(join(timer, "online.next.pem")));
  assert.equal(await owner.read("node"), 1);
});

test("without the old online key the change goes on, also after an interruption in its middle", async () => {
  const owner = await Owner.start("lost");
  await owner.options.keys.createNext("online", choosePassphrase);
  const { signer } = await owner.options.keys.createNext("online", choosePassphrase);
  rmSync(join(owner.options.keys.path, "online.pem"));
  const publicFile = join(owner.options.keys.path, "online.next.pub");
  assert.deepEqual(
    (await owner.options.keys.signers("online")).map(({ key }) => key),
    [signer.key],
  );
  // As a full disk would: the root role is there, and what the new key signs is not.
  rmSync(join(owner.options.repository, "metadata/2.snapshot.json"), { force: true });
  const blocked = join(owner.options.repository, "metadata/2.snapshot.json/x");
  await import("node:fs/promises").then(async ({ mkdir }) => await mkdir(blocked, { recursive: true }));
  await assert.rejects(owner.rotate({ keys: { online: [publicFile] } }));
  assert.ok(existsSync(join(owner.options.repository, "metadata/2.root.json")));
  rmSync(join(owner.options.repository, "metadata/2.snapshot.json"), { recursive: true });
  assert.deepEqual((await owner.rotate({ keys: { online: [publicFile] } })).missing, []);
  assert.equal(await owner.read("node"), 1);
});

test("what is not the prepared role, not of this repository, or overtaken, is neither signed nor published", async () => {
  const [owner, stranger] = [await Owner.start("mine"), await Owner.start("theirs")];
  const ada = await owner.holder("ada");
  const two = { keys: { root: [ada.publicFile] } };
  await owner.rotate(two);
  await assert.rejects(owner.rotate({ replace: ["online"] }), { code: "conflict", hint: /remove it/u });
  await stranger.rotate({ keys: { root: [ada.publicFile] } });
  const foreign = stranger.nextRoot;
  await assert.rejects(collectSignatures({ ...owner.options, proposals: [foreign] }), { code: "conflict" });
  await signProposal(owner.nextRoot, ada.keys);
  // Ada has seen which repository it is.
  await assert.rejects(signProposal(foreign, ada.keys), { code: "untrusted" });
  const late = join(owner.path, "late.json");
  cpSync(owner.nextRoot, late);
  await collectSignatures({ ...owner.options, proposals: [late] });
  const again = await collectSignatures({ ...owner.options, proposals: [late] });
  assert.deepEqual([again.keys.version, again.missing], [2, []]);
  await assert.rejects(collectSignatures({ ...owner.options, proposals: [foreign] }), { code: "conflict" });

  await owner.rotate({});
  const bytes = readFileSync(owner.nextRoot);
  const content = JSON.parse(bytes.toString("utf8"));
  const { next, roots } = content;
  const change = (patch: object): Buffer => Buffer.from(JSON.stringify({ ...content, ...patch }));
  const other = { ...next, signed: { ...next.signed, version: 9 } };
  const twice = structuredClone(next);
  twice.signed.keys["0".repeat(64)] = Object.values(twice.signed.keys)[0];
  twice.signed.roles.root.keyids.push("0".repeat(64));
  const bad: readonly [Buffer, string][] = [
    [Buffer.from(""), "malformed"],
    [Buffer.from("null"), "malformed"],
    [Buffer.from(`[${"[".repeat(100_000)}`), "malformed"],
    [change({ schema: "x" }), "malformed"],
    [change({ roots: [] }), "malformed"],
    [change({ next: other }), "malformed"],
    [change({ next: twice }), "malformed"],
    [change({ next: null }), "malformed"],
    [change({ roots: [roots[0], roots[0]], next: { ...next, signed: { ...next.signed, version: 2 } } }), "untrusted"],
    [Buffer.alloc(16 * 1024 * 1024 + 1, " "), "limit"],
  ];
  for (const [text, code] of bad)
    assert.throws(() => parseProposal("file", text), { code }, text.toString().slice(0, 99));
  writeFileSync(late, "{}");
  await assert.rejects(showProposal(late), { code: "malformed", hint: /rotate-keys/u });
});

test("the keys of SHA256SUMS and of extensions are replaced as the guide says: moved away, and made anew", async () => {
  const owner = await Owner.start("plain");
  await owner.publish("1.0.0", 1);
  const { path } = owner.options.keys;
  const old = readFileSync(join(path, "import-pubring.pgp"));
  const oldCertificate = readFileSync(join(path, "extensions.crt"));
  for (const name of ["sums.pgp", "import-pubring.pgp", "extensions.pem", "extensions.crt"]) rmSync(join(path, name));
  await initRepository(owner.options, choosePassphrase);
  await refreshRepository(owner.options);
  const own = readFileSync(join(path, "import-pubring.pgp"));
  const url = pathToFileURL(owner.options.repository).href;
  const problemsFor = async (keyring: Buffer): Promise<readonly string[]> =>
    (await verifyRepository({ url, trustedRoot: owner.pinned, keyring, nowMs: NOW_MS })).problems;
  // Readers that have both keyrings, one after the other in one file, read lists of before and of after.
  for (const keyring of [own, Buffer.concat([old, own])]) assert.deepEqual(await problemsFor(keyring), []);
  assert.match((await problemsFor(old)).join(), /SHA256SUMS\.gpg is not a signature/u);
  assert.notDeepEqual(readFileSync(join(path, "extensions.crt")), oldCertificate);
  await owner.options.keys.extensionSigner();
});

test("a second repository of the same keys has the whole way from the first root role, too", async () => {
  const owner = await Owner.start("second");
  for (let count = 0; count < 3; count++) await owner.rotate({ replace: ["root"] });
  const options = { ...owner.options, repository: join(owner.path, "repository-2") };
  await initRepository(options, choosePassphrase);
  const url = pathToFileURL(options.repository).href;
  const trustedRoot = owner.pinned;
  assert.deepEqual((await verifyRepository({ url, trustedRoot, nowMs: NOW_MS })).problems, []);
  const newest = readFileSync(join(owner.options.keys.path, "release-root.json"));
  rmSync(join(options.repository, "metadata/3.root.json"));
  const { problems } = await verifyRepository({ url, trustedRoot: newest, nowMs: NOW_MS });
  assert.match(problems.join(), /3\.root\.json is missing/u);
});
