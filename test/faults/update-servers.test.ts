/** Servers and disks that something is wrong with: the node stays as it is, says why, and is updated when it can be. */
import assert from "node:assert/strict";
import { cp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { KeyDirectory } from "@ashlar/keys";
import { refreshRepository, rotateKeys } from "@ashlar/publisher";
import { honest, HostileServer, instead } from "./hostile-server.ts";
import { UpdateLab } from "../e2e/update-lab.ts";
import { copyRepository, FAULTY, makeReleases, NEW, OLD, type Releases } from "../e2e/update-releases.ts";
import { findBlockOf, flipUsrBit } from "../e2e/usr-files.ts";
import { ashlar, OUT, removeLabOnSignal } from "../e2e/world.ts";

const MINUTES = 60_000;
const DAYS = 24 * 60 * MINUTES;
const NAME = "e2e-servers";
const LIMIT = { timeout: 60 * MINUTES };
const directory = join(OUT, "hostile");
const repository = join(directory, "repository");
/** No program of a node reads it by itself. */
const UNUSED = "bin/scp";
let releases: Releases;
let lab: UpdateLab;
let server: HostileServer;

removeLabOnSignal(NAME);

before(
  async () => {
    releases = await makeReleases();
    await copyRepository(releases, repository);
    lab = await UpdateLab.up(NAME, releases, OLD, repository);
    server = await HostileServer.inPlaceOf(lab.lab, repository);
  },
  { timeout: 60 * MINUTES },
);

after(async () => {
  await server.stop();
  await lab.down();
  await rm(directory, { recursive: true, force: true });
});

/** What an update may change. */
async function state(): Promise<unknown> {
  const { version, bootId, phase, staged } = await lab.status();
  const labels = await lab.mustRun("lsblk --noheadings --list --output PARTLABEL,PARTUUID /dev/vda");
  return { version, bootId, phase, staged, labels, entries: await lab.entries() };
}

/** The order fails, saying what is wrong, and the node is as before. */
async function expectRefusal(what: RegExp, ...args: string[]): Promise<void> {
  const was = await state();
  const start = performance.now();
  const { status, output } = await lab.order("update", ...(args.length === 0 ? ["--to", NEW] : args));
  lab.say(
    `${Math.round((performance.now() - start) / 1000)} s: ${output.split("\n").slice(-2).join(" | ").slice(0, 300)}`,
  );
  assert.ok(status >= 64, output);
  assert.match(output, what);
  assert.deepEqual(await state(), was);
}

async function expectStaged(version: string): Promise<void> {
  const start = performance.now();
  const { status, output } = await lab.order("update", "--to", version);
  lab.say(`${version} staged in ${Math.round((performance.now() - start) / 1000)} s`);
  assert.equal(status, 0, output);
  assert.deepEqual(await lab.entries(), [OLD, `${version}+3-0`]);
}

test("another repository's metadata, signed by other keys", LIMIT, async () => {
  const other = join(directory, "other");
  await ashlar("release", "init", "--repo", other, "--keys", join(directory, "other-keys"));
  const strange = await readFile(join(other, "metadata/timestamp.json"));
  await server.start(instead("timestamp.json", ({ response }) => void response.end(strange)));
  await expectRefusal(/timestamp\.json/u);
});

test("a changed byte in what is signed", LIMIT, async () => {
  const name = /[0-9]+\.targets\.json$/u;
  await server.start(async ({ path, response, serve }) => {
    if (!name.test(path)) return await serve();
    const text = await readFile(join(repository, path), "utf8");
    response.end(text.replace(`"minimumVersion": "${OLD}"`, `"minimumVersion": "0.0.0"`).replace("stable", "stabel"));
  });
  await expectRefusal(/targets\.json/u);
});

test("metadata that never ends", LIMIT, async () => {
  await server.start(
    instead("timestamp.json", ({ response }) => {
      const write = (): void => {
        while (response.writable && response.write(Buffer.alloc(64 * 1024, 0x20)));
      };
      response.on("drain", write);
      write();
    }),
  );
  await expectRefusal(/timestamp\.json.*expected at most \d+ bytes, found more/u);
});

test("half of the metadata", LIMIT, async () => {
  await server.start(
    instead("targets.json", async ({ path, response }) => {
      const bytes = await readFile(join(repository, path));
      response.end(bytes.subarray(0, bytes.length / 2));
    }),
  );
  await expectRefusal(/targets\.json/u);
});

const keys = (): KeyDirectory =>
  new KeyDirectory(releases.keys, async () => await Promise.reject(new Error("no passphrase")));

test("an older channel pointer, after a newer one was seen", LIMIT, async () => {
  const old = await readFile(join(repository, "metadata/timestamp.json"));
  await refreshRepository({ repository, keys: keys(), nowMs: Date.now() });
  await server.start(honest);
  // Sees the newer one; there is nothing to do.
  assert.equal((await lab.order("update", "--to", OLD)).status, 0);
  await server.start(instead("timestamp.json", ({ response }) => void response.end(old)));
  await expectRefusal(/older than what was seen before/u);
});

test("metadata that has expired", LIMIT, async () => {
  await refreshRepository({ repository, keys: keys(), nowMs: Date.now() - 100 * DAYS });
  await server.start(honest);
  await expectRefusal(/expired on .* the clock of this machine says/u);
  await refreshRepository({ repository, keys: keys(), nowMs: Date.now() });
});

test("a clock that is ten years ahead, and one that is ten years behind", LIMIT, async () => {
  await server.start(honest);
  await lab.mustRun("date --set='+10 years'");
  await expectRefusal(/expired on .* the clock of this machine says 20[34]/u);
  await lab.mustRun("date --set='-20 years'");
  assert.equal((await lab.order("update", "--to", OLD)).status, 0, "what is signed has not expired then");
  await lab.mustRun(`date --set=@${Math.round(Date.now() / 1000)}`);
});

test(
  "keys that were replaced since the node's image: it follows to the new ones, and refuses the old ones",
  LIMIT,
  async () => {
    const replaced = new KeyDirectory(join(directory, "replaced-keys"), async () => await Promise.reject(new Error()));
    await cp(releases.keys, replaced.path, { recursive: true });
    const ofOldKeys = await readFile(join(repository, "metadata/timestamp.json"));
    const options = { repository, keys: replaced, nowMs: Date.now() };
    for (const replace of [["root", "targets", "online"], ["root"]] as const) {
      await rotateKeys({ ...options, change: { replace }, choosePassphrase: async () => undefined });
    }
    // Without the signatures of the old keys beside those of the new ones.
    await refreshRepository(options);
    await server.start(honest);
    const { status, output } = await lab.order("update", "--to", OLD);
    assert.equal(status, 0, output);
    const roots = await lab.mustRun("ls /var/lib/ashlar/update/metadata");
    assert.match(roots, /2\.root\.json\n3\.root\.json/u);
    await server.start(instead("timestamp.json", ({ response }) => void response.end(ofOldKeys)));
    await expectRefusal(/timestamp was signed by 0\/1 keys/u);
    // The publisher signs nothing with a key that was taken back. All that comes below is staged with the new ones.
    await assert.rejects(refreshRepository({ ...options, keys: keys() }), {
      code: "untrusted",
      message: /online\.pem/u,
    });
  },
);

/** What an earlier test has left would not be fetched again. */
async function forgetCollected(): Promise<void> {
  await lab.mustRun("rm -rf /var/lib/ashlar/update/work /var/lib/ashlar/update/ready");
}

/** The same for each kind of file that a node reads of a release. */
function testSwappedFile(kind: string): void {
  test(`another release's file under the right name: ${kind}`, LIMIT, async () => {
    await forgetCollected();
    await server.start(async ({ path, serve }) => {
      await serve(path === `releases/ashlar_${NEW}${kind}` ? `releases/ashlar_${FAULTY}${kind}` : path);
    });
    await expectRefusal(/is not the file that was (?:signed|published)|expected at most \d+ bytes/u);
  });
}

testSwappedFile(".json");
testSwappedFile(".usr.blocks");

test("blocks that are not those that were published", LIMIT, async () => {
  await server.start(
    instead(".usr.blocks", async ({ range, response, earlier, serve }) => {
      // The index is true: the node shall believe that it gets what it asks for.
      if (earlier === 0 || range === undefined) return await serve();
      const sizeBytes = range.end - range.start;
      response.writeHead(206, {
        "content-length": sizeBytes,
        "content-range": `bytes ${range.start}-${range.end - 1}/${range.end}`,
      });
      response.end(Buffer.alloc(sizeBytes, 0x5a));
    }),
  );
  await expectRefusal(/is not the file that was published/u);
});

testSwappedFile(".efi");

test("answers that are cut short, each of them", LIMIT, async () => {
  await forgetCollected();
  await server.start(
    instead(".efi", ({ range, response }) => {
      const { start = 0, end = 1 } = range ?? {};
      response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${end}` });
      // Nothing comes, in a way that looks like the end.
      response.end();
    }),
  );
  await expectRefusal(/expected more bytes, found the end/u);
});

test("a server that dies in the middle and stays away; the next order goes on where it ended", LIMIT, async () => {
  await forgetCollected();
  await server.start(
    instead(".efi", async ({ path, range, response }) => {
      const bytes = await readFile(join(repository, path));
      const { start = 0, end = bytes.length } = range ?? {};
      response.writeHead(206, {
        "content-length": end - start,
        "content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
      });
      response.write(bytes.subarray(start, start + bytes.length / 2), () => void server.stop());
    }),
  );
  await expectRefusal(/\.efi/u);
  await server.start(honest);
  await expectStaged(NEW);
  const first = server.requests.find(({ path }) => path.endsWith(`${NEW}.efi`));
  assert.ok((first?.range?.start ?? 0) > 1_000_000, JSON.stringify(server.requests));
});

test("a server that dies and comes back, and one that stops sending, are waited for", LIMIT, async () => {
  await server.start(
    instead(".efi", async ({ path, range, response, earlier, serve }) => {
      if (earlier > 1) return await serve();
      const bytes = await readFile(join(repository, path));
      const { start = 0, end = bytes.length } = range ?? {};
      response.writeHead(206, {
        "content-length": end - start,
        "content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
      });
      // The first answer ends with its connection, the second one never does.
      response.write(bytes.subarray(start, start + 1_000_000));
      if (earlier === 0) setTimeout(() => response.destroy(), 100);
    }),
  );
  await expectStaged(FAULTY);
});

test("answers that are longer than what was asked for", LIMIT, async () => {
  await server.start(async ({ path, range, response, serve }) => {
    if (range === undefined) return await serve();
    const bytes = await readFile(join(repository, path));
    response.writeHead(206, { "content-range": `bytes ${range.start}-${range.end - 1}/${bytes.length}` });
    response.write(bytes.subarray(range.start, range.end));
    response.end(Buffer.alloc(4 * 1024 * 1024, 0x5a));
  });
  await expectStaged(NEW);
});

test("two updates at once: one is carried out, the other refused", LIMIT, async () => {
  await server.start(honest);
  const first = lab.order("update", "--to", FAULTY);
  while ((await lab.status()).phase === "idle") await sleep(500);
  const second = await lab.order("update", "--to", NEW);
  assert.equal(second.status, 69, second.output);
  assert.match(second.output, /another order is being carried out/u);
  const { status, output } = await first;
  assert.equal(status, 0, output);
  assert.deepEqual(await lab.entries(), [OLD, `${FAULTY}+3-0`]);
  // The same order twice is one.
  const same = await Promise.all([lab.order("update", "--to", NEW), lab.order("update", "--to", NEW)]);
  for (const each of same) assert.equal(each.status, 0, each.output);
  assert.deepEqual(await lab.entries(), [OLD, `${NEW}+3-0`]);
});

test("no room in the state partition", LIMIT, async () => {
  await lab.mustRun(
    "cd /var/lib/ashlar && fallocate --length $(($(df --output=avail -B1 . | tail -n 1) - 200000000)) filling",
  );
  await expectRefusal(/\/var\/lib\/ashlar: expected .* MiB free/u, "--to", FAULTY);
  await lab.mustRun("rm /var/lib/ashlar/filling");
});

test("no room on the ESP", LIMIT, async () => {
  await lab.mustRun("dd if=/dev/zero of=/boot/filling bs=1M status=none; sync; true");
  await expectRefusal(/the ESP: expected .* MiB free/u, "--to", FAULTY);
  await lab.mustRun("rm /boot/filling");
});

test("a damaged block in the slot that is copied from is fetched instead", LIMIT, async () => {
  const block = await findBlockOf(releases.image(OLD), UNUSED);
  // The disk is read from now on: not what the kernel remembers of it.
  await flipUsrBit(lab.disk, OLD, block);
  await lab.mustRun("echo 3 >/proc/sys/vm/drop_caches");
  await lab.mustRun(`rm -f /boot/EFI/Linux/ashlar_${NEW}*`);
  await expectStaged(FAULTY);
  const journal = await lab.mustRun("journalctl --boot --unit=ashlar-updater.service --output=cat");
  assert.match(journal, new RegExp(`block ${block} of ashlar_${OLD} is damaged and was fetched instead`, "u"));
});

test("a good release is not overwritten while the running one is damaged", LIMIT, async () => {
  await expectRefusal(/is the only good release, and is not overwritten/u, "--to", NEW);
  const { status, output } = await lab.order("scrub");
  assert.equal(status, 1, output);
  assert.match(output, new RegExp(`ashlar_${OLD}[^]*/usr/${UNUSED}`, "u"));
  await flipUsrBit(lab.disk, OLD, await findBlockOf(releases.image(OLD), UNUSED));
});

test("after all this the node is proven, and is updated", LIMIT, async () => {
  await server.stop();
  const turn = await lab.turn("update", "--to", NEW, "--no-reboot");
  assert.equal(turn.outcome, "staged", JSON.stringify(turn));
  const { status, node } = await lab.prove();
  assert.deepEqual([status, node.level, node.release, node.nextBoot?.release], [0, "proven", OLD, NEW]);
});
