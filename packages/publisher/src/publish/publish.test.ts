import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { AshlarError } from "@ashlar/base";
import { needs } from "@ashlar/base/test-needs";
import { withLock } from "@ashlar/host";
import { KeyDirectory } from "@ashlar/keys";
import { readIndex, verifyRepository, type RepositoryReport } from "../verify/verify-repository.ts";
import type { ChangeOptions } from "./change-index.ts";
import { collectGarbage } from "./collect-garbage.ts";
import {
  initRepository,
  promoteRelease,
  publishRelease,
  refreshRepository,
  withdrawFromRepository,
} from "./release-repository.ts";
import { noPassphrase, NOW_MS, testOptions, writeTestImage } from "./test-image.ts";

const DAY_MS = 24 * 3600 * 1000;
const directory = mkdtempSync(join(tmpdir(), "ashlar-release-"));
after(() => rmSync(directory, { recursive: true }));

let count = 0;
async function newRepository(): Promise<
  ChangeOptions & { image: (version: string, first?: number) => Promise<string> }
> {
  const own = join(directory, String(++count));
  const options = testOptions(own);
  await initRepository(options, async () => undefined);
  const image = async (version: string, first = 1): Promise<string> =>
    await writeTestImage(join(own, `image-${version}-${first}`), version, [first, 2, 3, 4]);
  return { ...options, image };
}

async function verify({ repository, keys }: ChangeOptions, nowMs = NOW_MS): Promise<RepositoryReport> {
  return await verifyRepository({
    url: pathToFileURL(repository).href,
    trustedRoot: readFileSync(join(keys.path, "release-root.json")),
    keyring: readFileSync(join(keys.path, "import-pubring.pgp")),
    nowMs,
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

function sumsOf({ repository }: ChangeOptions, channel = "stable"): string {
  const names = readFileSync(join(repository, channel, "SHA256SUMS"), "utf8").matchAll(/ashlar_([0-9.]+)\.efi\.xz/gu);
  return [...names].map(([, version]) => version).join(" ");
}

test("what is published verifies, is offered on its channel, and sha256sum agrees", async () => {
  const options = await newRepository();
  await publishRelease({ ...options, image: await options.image("1.0.0"), channel: "stable" });
  await publishRelease({ ...options, image: await options.image("1.1.0", 9), channel: "testing" });
  const { index, problems } = await verify(options);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    [...index.channels.entries()],
    [
      ["stable", { version: "1.0.0", minimumVersion: "0" }],
      ["testing", { version: "1.1.0", minimumVersion: "0" }],
    ],
  );
  assert.equal(sumsOf(options), "1.0.0");
  assert.equal(sumsOf(options, "testing"), "1.1.0 1.0.0");
  const cwd = join(options.repository, "testing");
  assert.equal(spawnSync("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd }).status, 0);
  const archive = readdirSync(cwd).find((name) => name.startsWith("ashlar_1.1.0_") && name.endsWith(".usr.raw.xz"));
  const plain = spawnSync("xz", ["-dc", archive ?? ""], { cwd }).stdout;
  assert.deepEqual(plain, readFileSync(join(await options.image("1.1.0", 9), "usr.erofs")));
});

test(
  "gpg accepts SHA256SUMS.gpg with the call that systemd-pull makes, and not for other text",
  { skip: needs("gpg") },
  async () => {
    const options = await newRepository();
    await publishRelease({ ...options, image: await options.image("1.0.0"), channel: "stable" });
    const home = mkdtempSync(join(directory, "gpg-"));
    const signature = join(options.repository, "stable/SHA256SUMS.gpg");
    const check = (text: string): number | null => {
      // src/import/pull-common.c of systemd 257.
      const args = [
        "--no-options",
        "--no-default-keyring",
        "--no-auto-key-locate",
        "--no-auto-check-trustdb",
        "--batch",
      ];
      const keyring = `--keyring=${join(options.keys.path, "import-pubring.pgp")}`;
      const trust = ["--trust-model=always", `--homedir=${home}`, keyring];
      return spawnSync("gpg", [...args, ...trust, "--verify", signature, "-"], { input: text }).status;
    };
    const sums = readFileSync(join(options.repository, "stable/SHA256SUMS"), "utf8");
    assert.equal(check(sums), 0);
    assert.notEqual(check(sums.replace("1.0.0", "1.0.1")), 0);
  },
);

test("publishing again changes nothing; other bytes under the version are refused", async () => {
  const options = await newRepository();
  const publish = async (image: string): Promise<unknown> =>
    await publishRelease({ ...options, image, channel: "stable" });
  await publish(await options.image("1.0.0"));
  const before = readFileSync(join(options.repository, "metadata/timestamp.json"));
  await publish(await options.image("1.0.0"));
  assert.deepEqual(readFileSync(join(options.repository, "metadata/timestamp.json")), before);
  await assert.rejects(
    publish(await options.image("1.0.0", 7)),
    isError("conflict", /1\.0\.0 exists with other bytes/u),
  );
  await publish(await options.image("1.1.0"));
  await assert.rejects(publish(await options.image("1.0.0")), isError("conflict", /has 1\.1\.0 already/u));
});

test("an image that is not what its manifest says is not published", async () => {
  const options = await newRepository();
  for (const part of ["usr.erofs", "usr.verity", "uki.efi"]) {
    const image = await options.image("1.0.0");
    const bytes = readFileSync(join(image, part));
    writeFileSync(join(image, part), bytes.fill(1, 5000, 5001));
    const refused = publishRelease({ ...options, image, channel: "stable" });
    await assert.rejects(refused, isError("untrusted", new RegExp(`${part} is not what the manifest says`, "u")));
    writeFileSync(join(image, part), bytes.subarray(1));
    await assert.rejects(publishRelease({ ...options, image, channel: "stable" }), isError("untrusted", /expected/u));
    rmSync(join(image, part));
    await assert.rejects(
      publishRelease({ ...options, image, channel: "stable" }),
      isError("not-found", /cannot read/u),
    );
  }
  assert.deepEqual(readdirSync(join(options.repository, "releases")), []);
});

test("channels: promoted, taken back, never below a minimum, which never falls", async () => {
  const options = await newRepository();
  for (const version of ["1.0.0", "1.1.0", "1.2.0"]) {
    await publishRelease({ ...options, image: await options.image(version), channel: "testing" });
  }
  const promote = async (version: string, minimumVersion?: string): Promise<unknown> =>
    await promoteRelease({ ...options, version, channel: "stable", ...(minimumVersion && { minimumVersion }) });
  await promote("1.2.0", "1.1.0");
  assert.equal(sumsOf(options), "1.2.0 1.1.0");
  await promote("1.1.0");
  assert.equal(sumsOf(options), "1.1.0");
  await assert.rejects(promote("1.0.0"), isError("invalid", /at least its minimum version 1\.1\.0, found 1\.0\.0/u));
  await assert.rejects(promote("1.2.0", "1.0.0"), isError("invalid", /minimum version of at least 1\.1\.0/u));
  await assert.rejects(promote("1.1.0", "1.2.0"), isError("invalid", /at least its minimum version 1\.2\.0/u));
  await assert.rejects(promote("2.0.0"), isError("not-found", /found 2\.0\.0/u));
  for (const channel of ["releases", "metadata", ".channels", "a/b", "Stable"]) {
    await assert.rejects(
      promoteRelease({ ...options, version: "1.1.0", channel }),
      isError("usage", /channel's name/u),
    );
  }
});

test("a withdrawn release is not offered, promoted or published, and says why", async () => {
  const options = await newRepository();
  for (const version of ["1.0.0", "1.1.0"]) {
    await publishRelease({ ...options, image: await options.image(version), channel: "stable" });
  }
  const withdraw = async (reason: string): Promise<string[]> =>
    await withdrawFromRepository({ ...options, version: "1.1.0", reason });
  assert.deepEqual(await withdraw("loses data"), ["stable"]);
  assert.equal(sumsOf(options), "1.0.0");
  const { index, problems } = await verify(options);
  assert.deepEqual(problems, []);
  assert.deepEqual(index.releases.get("1.1.0")?.withdrawn, { reason: "loses data", at: "2026-11-22T00:00:00.000Z" });
  const again = publishRelease({ ...options, image: await options.image("1.1.0"), channel: "stable" });
  await assert.rejects(again, isError("conflict", /was withdrawn: loses data/u));
  await assert.rejects(withdraw(" "), isError("usage", /reason/u));
});

test("gc keeps the newest and what a channel points at, and removes what nothing refers to", async () => {
  const options = await newRepository();
  await publishRelease({ ...options, image: await options.image("1.0.0"), channel: "old" });
  for (const version of ["1.1.0", "1.2.0", "1.10.0"]) {
    await publishRelease({ ...options, image: await options.image(version), channel: "stable" });
  }
  writeFileSync(join(options.repository, "releases/left-over"), "x".repeat(100));
  const { removed, freedBytes } = await collectGarbage({ ...options, keep: 2 });
  assert.deepEqual(removed, ["1.1.0"]);
  assert.ok(freedBytes > 20_000, `${freedBytes}`);
  const { index, problems } = await verify(options);
  assert.deepEqual(problems, []);
  assert.deepEqual([...index.releases.keys()].toSorted(), ["1.0.0", "1.10.0", "1.2.0"]);
  assert.equal(readdirSync(join(options.repository, "releases")).length, 3 * 8);
  assert.deepEqual(readdirSync(join(options.repository, ".channels")).length, 2);
});

test("dates: expired metadata is refused by readers and renewed by refresh, the root too", async () => {
  const options = await newRepository();
  await publishRelease({ ...options, image: await options.image("1.0.0"), channel: "stable" });
  const firstRoot = readFileSync(join(options.keys.path, "release-root.json"));
  const later = NOW_MS + 31 * DAY_MS;
  await assert.rejects(verify(options, later), isError("invalid", /expired on 2026-12-22/u));
  assert.deepEqual(await refreshRepository({ ...options, nowMs: later }), {
    renewed: ["timestamp", "snapshot"],
    due: [],
  });
  assert.deepEqual((await verify(options, later)).problems, []);

  const muchLater = NOW_MS + 300 * DAY_MS;
  const { renewed } = await refreshRepository({ ...options, nowMs: muchLater });
  assert.deepEqual(renewed, ["timestamp", "snapshot", "root", "targets"]);
  assert.deepEqual((await verify(options, muchLater + 29 * DAY_MS)).problems, []);
  const url = pathToFileURL(options.repository).href;
  const index = await readIndex({ url, trustedRoot: firstRoot, nowMs: muchLater + 29 * DAY_MS });
  assert.deepEqual([...index.releases.keys()], ["1.0.0"]);
});

test("refresh needs the online key only, and says what else is due", async () => {
  const options = await newRepository();
  await publishRelease({ ...options, image: await options.image("1.0.0"), channel: "stable" });
  for (const name of ["root.pem", "targets.pem", "sums.pgp"]) rmSync(join(options.keys.path, name));
  const { renewed, due } = await refreshRepository({ ...options, nowMs: NOW_MS + 200 * DAY_MS });
  assert.deepEqual(renewed, ["timestamp", "snapshot"]);
  assert.deepEqual(
    due.map(({ role }) => role),
    ["root", "targets"],
  );
  assert.deepEqual((await verify(options, NOW_MS + 200 * DAY_MS)).problems, []);
});

test("keys: modes, a passphrase for all of them, and none that others can read", async () => {
  const own = join(directory, "passphrase");
  let asked = 0;
  const keys = new KeyDirectory(join(own, "keys"), async () => {
    asked++;
    return "correct horse";
  });
  const options = { ...testOptions(own), keys };
  assert.deepEqual(await initRepository(options, async () => "correct horse"), { isNew: true });
  assert.equal(asked, 0);
  assert.equal(statSync(keys.path).mode & 0o777, 0o700);
  for (const name of ["root.pem", "targets.pem", "online.pem", "sums.pgp", "extensions.pem"]) {
    assert.equal(statSync(join(keys.path, name)).mode & 0o777, 0o600, name);
  }
  const image = await writeTestImage(join(own, "image"), "1.0.0", [1, 2]);
  const again = new KeyDirectory(keys.path, async () => "correct horse");
  assert.deepEqual(await initRepository({ ...options, keys: again }, noPassphrase), { isNew: false });
  await publishRelease({ ...options, keys: again, image, channel: "stable" });
  const wrong = new KeyDirectory(keys.path, async () => "wrong");
  await assert.rejects(refreshRepository({ ...options, keys: wrong }), isError("invalid", /passphrase/u));
  chmodSync(join(keys.path, "online.pem"), 0o640);
  await assert.rejects(refreshRepository({ ...options, keys: again }), isError("untrusted", /can be read by others/u));
});

test("the key for extensions: made in an older directory with the passphrase of the others, never a second time", async () => {
  const own = join(directory, "extension-key");
  const keys = new KeyDirectory(join(own, "keys"), async () => "correct horse");
  const options = { ...testOptions(own), keys };
  await initRepository(options, async () => "correct horse");
  const [key, certificate] = [join(keys.path, "extensions.pem"), join(keys.path, "extensions.crt")];
  const first = await keys.extensionSigner();
  assert.equal(first.privateKey.asymmetricKeyDetails?.modulusLength, 3072);
  assert.equal(first.certificatePem, readFileSync(certificate, "latin1"));

  for (const path of [key, certificate, join(keys.path, "root.pem")]) rmSync(path);
  await assert.rejects(keys.extensionSigner(), (error) => {
    assert.ok(error instanceof AshlarError && error.code === "not-found", String(error));
    return /release init/u.test(error.hint ?? "");
  });
  const wrong = { ...options, keys: new KeyDirectory(keys.path, async () => "wrong") };
  await assert.rejects(initRepository(wrong, noPassphrase), isError("invalid", /passphrase/u));
  await initRepository(options, noPassphrase);
  assert.match(readFileSync(key, "latin1"), /ENCRYPTED/u);
  assert.ok(!readdirSync(keys.path).includes("root.pem"), "a root key that nobody trusts");
  await keys.extensionSigner();

  writeFileSync(certificate, first.certificatePem);
  await assert.rejects(keys.extensionSigner(), isError("invalid", /is not of/u));
  rmSync(key);
  await initRepository(options, noPassphrase);
  await assert.rejects(keys.extensionSigner(), isError("not-found", /extensions\.pem/u));
  writeFileSync(certificate, "x");
  await assert.rejects(keys.extensionCertificate(), isError("malformed", /certificate/u));
});

test("a repository of other keys, or changed without them, gets nothing signed", async () => {
  const options = await newRepository();
  const image = await options.image("1.0.0");
  const strangers = new KeyDirectory(join(directory, "strangers"), noPassphrase);
  const init = initRepository({ ...options, keys: strangers }, async () => undefined);
  await assert.rejects(init, isError("conflict", /other keys/u));
  const path = join(options.repository, "metadata/1.targets.json");
  writeFileSync(path, readFileSync(path, "utf8").replace('"channels": {}', '"channels": {"x": {}}'));
  await assert.rejects(publishRelease({ ...options, image, channel: "stable" }), isError("untrusted", /metadata/u));
  const nowhere = { ...options, repository: join(directory, "nowhere"), image, channel: "stable" };
  await assert.rejects(publishRelease(nowhere), isError("not-found", /expected a repository/u));
});

test("two publishers: the second is told of the first", async () => {
  const options = await newRepository();
  const image = await options.image("1.0.0");
  const lock = { what: "it", holder: "ashlar release gc" };
  await withLock(join(options.repository, ".lock"), lock, async () => {
    const second = publishRelease({ ...options, image, channel: "stable" });
    await assert.rejects(second, isError("conflict", /in use by process [0-9]+ \(ashlar release gc\)$/u));
  });
});

test("verify finds a changed, a cut and a missing file, and sums that nobody has signed", async () => {
  const options = await newRepository();
  await publishRelease({ ...options, image: await options.image("1.0.0"), channel: "stable" });
  const at = (path: string): string => join(options.repository, path);
  const uki = readFileSync(at("releases/ashlar_1.0.0.efi"));
  writeFileSync(at("releases/ashlar_1.0.0.efi"), Buffer.from(uki).fill(0, 0, 1));
  writeFileSync(at("releases/ashlar_1.0.0.efi.xz"), "");
  rmSync(at("releases/ashlar_1.0.0.usr.blocks"));
  writeFileSync(at("stable/SHA256SUMS.gpg"), "no signature");
  const { problems } = await verify(options);
  assert.equal(problems.length, 4, problems.join("\n"));
  assert.match(problems.join("\n"), /ashlar_1\.0\.0\.efi: expected SHA-256/u);
  assert.match(problems.join("\n"), /efi\.xz: expected [0-9]+ bytes, found 0/u);
  assert.match(problems.join("\n"), /usr\.blocks/u);
  assert.match(problems.join("\n"), /SHA256SUMS\.gpg is not a signature/u);
});
