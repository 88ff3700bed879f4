import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { KeyDirectory } from "./key-directory.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-keys-"));
after(() => rmSync(directory, { recursive: true }));

const none = async (): Promise<undefined> => undefined;
const nobody = async (): Promise<never> => {
  throw new Error("nobody is there to give a passphrase");
};

test("a key that shall replace another has its passphrase, waits beside it, and takes its place when it is good", async () => {
  const path = join(directory, "encrypted");
  const first = await new KeyDirectory(path, nobody).createNext("root", async () => "correct horse");
  assert.equal(first.publicFile, join(path, "root.pub"));
  const keys = new KeyDirectory(path, async () => "correct horse");
  const second = await keys.createNext("root", nobody);
  assert.notEqual(second.signer.key.keyID, first.signer.key.keyID);
  const file = join(path, "root.next.pem");
  assert.match(readFileSync(file, "latin1"), /ENCRYPTED/u);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  // Repeated, it is the same one.
  assert.deepEqual((await keys.createNext("root", nobody)).signer.key, second.signer.key);
  const ids = async (): Promise<string[]> => (await keys.signers("root")).map(({ key }) => key.keyID);
  assert.deepEqual(await ids(), [first.signer.key.keyID, second.signer.key.keyID]);

  await keys.adoptNext((_, id) => id === first.signer.key.keyID);
  assert.equal((await ids()).length, 2, "no root role names it yet");
  await keys.adoptNext(() => true);
  assert.equal((await ids()).length, 2, "both are good");
  await keys.adoptNext((_, id) => id === second.signer.key.keyID);
  assert.deepEqual(await ids(), [second.signer.key.keyID]);
  assert.ok(existsSync(join(path, "root.old.pem")));
  await assert.rejects(new KeyDirectory(path, async () => "wrong").signers("root"), { code: "invalid" });
});

test("where a root role is, a new key never takes the name of one that is in its drawer", async () => {
  const path = join(directory, "drawer");
  const keys = new KeyDirectory(path, nobody);
  await keys.create(none);
  await keys.keepTrustedRoot(Buffer.from('{"signed":{"version":1}}'));
  rmSync(join(path, "root.pem"));
  assert.equal((await keys.createNext("root", none)).publicFile, join(path, "root.next.pub"));
  assert.ok(!existsSync(join(path, "root.pem")));
});

test("a waiting key that others can read is refused", async () => {
  const path = join(directory, "open");
  const keys = new KeyDirectory(path, nobody);
  await keys.createNext("online", none);
  await keys.createNext("online", none);
  chmodSync(join(path, "online.next.pem"), 0o640);
  await assert.rejects(keys.signers("online"), { code: "untrusted", hint: /chmod 600/u });
});

test("each root role that was trusted stays, by its version", async () => {
  const keys = new KeyDirectory(join(directory, "roots"), nobody);
  await keys.create(none);
  for (const version of [1, 2, 2, 3]) await keys.keepTrustedRoot(Buffer.from(`{"signed":{"version":${version}}}`));
  assert.deepEqual(new Set((await keys.oldRoots()).keys()), new Set([1, 2]));
  assert.equal((await keys.trustedRoot())?.toString(), '{"signed":{"version":3}}');
});
