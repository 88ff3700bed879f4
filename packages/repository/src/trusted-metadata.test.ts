import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import { withTemporaryDirectory } from "@ashlar/host";
import { openRepository, type Repository } from "./open-repository.ts";
import { days, imageOf, makeKey, NOW_MS, TestRepository } from "./test-repository.ts";

/** A repository in its second state, and a client that has seen the first. */
async function withClient(
  work: (repository: TestRepository, open: (nowMs?: number) => Promise<Repository>, state: string) => Promise<void>,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const repository = new TestRepository(join(directory, "repository"));
    const trustedRoot = await repository.sign();
    const stateDirectory = join(directory, "state");
    const url = pathToFileURL(repository.directory).href;
    const open = async (nowMs = NOW_MS): Promise<Repository> =>
      await openRepository({ url, trustedRoot, stateDirectory, nowMs });
    await open();
    await repository.addRelease("1.0.0", imageOf([1, 2, 3]));
    repository.raise();
    await repository.sign();
    await work(repository, open, stateDirectory);
  });
}

test("a good repository gives its index, until when that is trusted, and its small files", async () => {
  await withClient(async (repository, open) => {
    const { index, readSummary, expiresMs } = await open();
    assert.equal(expiresMs, Math.min(...Object.values(repository.expires).map((date) => Date.parse(date))));
    assert.equal(index.serial, 2);
    assert.equal(index.channels.get("stable")?.version, "1.0.0");
    assert.equal((await readSummary("1.0.0")).version, "1.0.0");
    await assert.rejects(readSummary("9.9.9"), { code: "not-found" });
  });
});

for (const role of ["targets", "snapshot", "timestamp"] as const) {
  test(`arbitrary software: ${role} signed by another key is refused`, async () => {
    await withClient(async (repository, open) => {
      repository.keys[role] = makeKey();
      repository.raise();
      await repository.sign();
      await assert.rejects(open(), { code: "untrusted", message: /was signed by 0\/1 keys/u });
    });
  });

  test(`freeze: an expired ${role} names its date and this machine's clock`, async () => {
    await withClient(async (repository, open) => {
      repository.expires[role] = days(-1);
      repository.raise();
      await repository.sign();
      await assert.rejects(open(), {
        code: "invalid",
        message: /\d*\.?(?:targets|snapshot|timestamp)\.json expired on 2026-11-21T00:00:00Z, .* clock .* 2026-11-22T/u,
        hint: /clock/u,
      });
    });
  });
}

test("a clock that is ten years ahead is named, whatever has expired first", async () => {
  await withClient(async (_, open) => {
    await open();
    const tenYears = 10 * 365 * 24 * 3600 * 1000;
    await assert.rejects(open(NOW_MS + tenYears), {
      code: "invalid",
      message: /root\.json expired on 2027-11-22.*2036-/u,
    });
    await open(NOW_MS - tenYears);
  });
});

test("rollback: a replayed older timestamp is refused, also by a new process", async () => {
  await withClient(async (repository, open) => {
    const path = join(repository.directory, "metadata/timestamp.json");
    const old = await readFile(path);
    repository.raise();
    await repository.sign();
    await open();
    await writeFile(path, old);
    await assert.rejects(open(), { code: "untrusted", message: /older than what was seen before/u });
  });
});

test("rollback: a new timestamp of an older snapshot, and a new snapshot of older targets, are refused", async () => {
  await withClient(async (repository, open) => {
    await open();
    repository.versions.timestamp += 1;
    repository.versions.snapshot -= 1;
    await repository.sign();
    await assert.rejects(open(), { code: "untrusted", message: /older/u });
    repository.versions.timestamp += 1;
    repository.versions.snapshot += 2;
    repository.versions.targets -= 1;
    await repository.sign();
    await assert.rejects(open(), { code: "untrusted", message: /older/u });
  });
});

test("mix and match: a snapshot or targets of another time are refused", async () => {
  for (const role of ["snapshot", "targets"]) {
    await withClient(async (repository, open) => {
      const old = await readFile(join(repository.directory, `metadata/1.${role}.json`));
      await repository.write(`metadata/2.${role}.json`, old);
      await assert.rejects(open(), { code: "untrusted", message: new RegExp(`2\\.${role}\\.json: Expected`, "u") });
    });
  }
});

test("endless data: metadata longer than its limit or its signed length is refused", async () => {
  await withClient(async (repository, open) => {
    await repository.write("metadata/timestamp.json", Buffer.alloc(17 * 1024, " "));
    await assert.rejects(open(), { code: "limit" });
    await repository.sign();
    await repository.write("metadata/2.snapshot.json", Buffer.alloc(60 * 1024, " "));
    await assert.rejects(open(), { code: "limit" });
  });
});

test("what is no metadata at all is malformed", async () => {
  await withClient(async (repository, open) => {
    for (const text of ["", "nonsense", "null", "[]", "{}", '{"signed":{"_type":"timestamp"},"signatures":[]}']) {
      await repository.write("metadata/timestamp.json", Buffer.from(text));
      await assert.rejects(open(), (error: { code: string }) => ["malformed", "untrusted"].includes(error.code), text);
    }
  });
});

test("a new root signed by the old one is followed, and its keys count from then on", async () => {
  await withClient(async (repository, open, state) => {
    const old = { ...repository.keys };
    repository.versions.root = 2;
    repository.keys.root = makeKey();
    repository.keys.timestamp = makeKey();
    const rootBytes = repository.signed(repository.rootRole(), [old.root, repository.keys.root]);
    await repository.write("metadata/2.root.json", rootBytes);
    repository.raise();
    await repository.sign();
    assert.equal((await open()).index.serial, 3);
    // A repository that hides the new root, to use a key that the new root has taken back.
    await rm(join(repository.directory, "metadata/2.root.json"));
    repository.keys.timestamp = old.timestamp;
    repository.raise();
    await repository.sign();
    await assert.rejects(open(), { code: "untrusted", message: /timestamp/u });
    assert.deepEqual(await readFile(join(state, "2.root.json")), rootBytes);
  });
});

/** A stolen key has signed what is higher than the repository will ever be, and the client has seen it. */
async function fastForward(repository: TestRepository, open: () => Promise<Repository>): Promise<void> {
  const before = { ...repository.versions };
  Object.assign(repository.versions, { timestamp: 2 ** 31, snapshot: 2 ** 31 });
  await repository.sign();
  await open();
  Object.assign(repository.versions, before);
}

for (const stolen of ["timestamp", "snapshot"] as const) {
  test(`fast forward: another ${stolen} key lets the repository's own versions be new again`, async () => {
    await withClient(async (repository, open) => {
      await fastForward(repository, open);
      repository.raise();
      await repository.sign();
      await assert.rejects(open(), { code: "untrusted", message: /older than what was seen before/u });
      const old = repository.keys[stolen];
      repository.keys[stolen] = makeKey();
      repository.versions.root = 2;
      repository.raise();
      await repository.sign();
      assert.equal((await open()).index.serial, 4);
      // From here on the stolen key is worth nothing.
      repository.keys[stolen] = old;
      repository.raise();
      await repository.sign();
      await assert.rejects(open(), { code: "untrusted", message: new RegExp(`${stolen} was signed by 0/1 keys`, "u") });
    });
  });
}

test("fast forward: a key that comes along beside the old one does not make older metadata new", async () => {
  await withClient(async (repository, open) => {
    const path = join(repository.directory, "metadata/timestamp.json");
    const old = await readFile(path);
    repository.raise();
    await repository.sign();
    await open();
    repository.versions.root = 2;
    const root = repository.rootRole();
    for (const role of ["timestamp", "snapshot"]) root.addKey(makeKey().key, role);
    await repository.write("metadata/2.root.json", repository.signed(root, [repository.keys.root]));
    await writeFile(path, old);
    await assert.rejects(open(), { code: "untrusted", message: /older than what was seen before/u });
  });
});

test("a root that the old one has not signed, or that skips a version, is refused", async () => {
  await withClient(async (repository, open, state) => {
    const stranger = makeKey();
    repository.versions.root = 2;
    const foreign = repository.rootRole({ ...repository.keys, root: stranger });
    await repository.write("metadata/2.root.json", repository.signed(foreign, [stranger]));
    await assert.rejects(open(), { code: "untrusted", message: /2\.root\.json: root was signed by 0\/1 keys/u });
    repository.versions.root = 3;
    await repository.write("metadata/2.root.json", repository.signed(repository.rootRole(), [repository.keys.root]));
    await assert.rejects(open(), { code: "untrusted" });
    // Neither does it help to put such a root where the machine keeps what it has seen.
    await rm(join(repository.directory, "metadata/2.root.json"));
    await writeFile(join(state, "2.root.json"), repository.signed(foreign, [stranger]));
    assert.equal((await open()).index.serial, 2);
  });
});

test("kept metadata that a power cut has spoilt is read anew", async () => {
  await withClient(async (_, open, state) => {
    for (const name of ["timestamp.json", "snapshot.json", "targets.json"]) await writeFile(join(state, name), "");
    assert.equal((await open()).index.serial, 2);
  });
});

test("a repository without metadata, and one that is not there", async () => {
  await withClient(async (repository, open) => {
    await rm(join(repository.directory, "metadata/timestamp.json"));
    await assert.rejects(open(), { code: "not-found", message: /timestamp\.json/u });
  });
});
