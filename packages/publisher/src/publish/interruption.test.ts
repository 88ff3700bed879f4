/** What is left when a change of a repository stops at any of its steps (as SQLite tests: every Nth one, for every N). */
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, mock, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { KeyDirectory, isSignedSums, parseKeyring } from "@ashlar/keys";
import { sortedExtensions } from "@ashlar/repository-index";
import { readIndex, readKeys, verifyRepository } from "../verify/verify-repository.ts";
import { digestFile } from "@ashlar/host";
import type { ChangeOptions } from "./change-index.ts";
import { collectExtensionGarbage, collectGarbage } from "./collect-garbage.ts";
import { publishExtensions, withdrawExtensionFromRepository } from "./extension-repository.ts";
import { initRepository, promoteRelease, publishRelease, refreshRepository } from "./release-repository.ts";
import { rotateKeys } from "../rotate/rotate-keys.ts";
import { writeTestExtension } from "./test-extension-image.ts";
import { noPassphrase, NOW_MS, testOptions, writeTestImage } from "./test-image.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-interruption-"));
after(() => rmSync(directory, { recursive: true }));

class PowerCut extends Error {}

const CHANGES = ["rename", "symlink", "mkdir", "rm", "copyFile", "chmod"] as const;
const HANDLE_CHANGES = ["writeFile", "write", "sync", "chmod"] as const;

/** Changes that still succeed; the tests set it. */
let left = Infinity;

function step(): void {
  if (left <= 0) throw new PowerCut();
  left--;
}

for (const name of CHANGES) {
  const original = fs[name].bind(fs) as (...args: unknown[]) => Promise<unknown>;
  mock.method(fs, name, async (...args: unknown[]) => {
    step();
    return await original(...args);
  });
}
const open = fs.open.bind(fs);
mock.method(fs, "open", async (...args: Parameters<typeof open>) => {
  if (left <= 0) throw new PowerCut();
  const handle = await open(...args);
  for (const name of HANDLE_CHANGES) cutHandle(handle, name);
  return handle;
});
/** Making an RSA key takes longer than everything else of `init`. */
const generate = promisify(crypto.generateKeyPair) as (type: string, options?: object) => Promise<unknown>;
const rsaKey = generate("rsa", { modulusLength: 3072 });
const generateQuickly = async (type: string, options?: object): Promise<unknown> =>
  await (type === "rsa" ? rsaKey : generate(type, options));
Object.assign(crypto, { generateKeyPair: Object.assign(() => undefined, { [promisify.custom]: generateQuickly }) });
syncBuiltinESMExports();

function cutHandle(handle: FileHandle, name: (typeof HANDLE_CHANGES)[number]): void {
  const original = handle[name].bind(handle) as (...args: unknown[]) => Promise<unknown>;
  const replacement = async (...args: unknown[]): Promise<unknown> => {
    try {
      step();
    } catch (error) {
      const [content] = args;
      if (name === "writeFile" && content instanceof Uint8Array)
        await original(content.subarray(0, content.length / 2));
      throw error;
    }
    // A real sync takes most of the time, and shows nothing while the machine stays up.
    return name === "sync" ? undefined : await original(...args);
  };
  Object.assign(handle, { [name]: replacement });
}

/** Stops everything from the Nth change of the file system on; a write that is cut leaves half of its bytes. */
async function cutAfter(steps: number, work: () => Promise<unknown>): Promise<"done" | "cut"> {
  left = steps;
  try {
    await work();
    return "done";
  } catch (error) {
    if (error instanceof PowerCut) return "cut";
    throw error;
  } finally {
    left = Infinity;
  }
}

type Seen = { readonly tuf: string; readonly plain: ReadonlyMap<string, string> };

/** What readers of both kinds see: the signed index, and each list for systemd-sysupdate, checked against the files. */
async function observe({ repository, keys }: ChangeOptions): Promise<Seen> {
  const url = pathToFileURL(repository).href;
  const trustedRoot = readFileSync(join(keys.path, "release-root.json"));
  const index = await readIndex({ url, trustedRoot, nowMs: NOW_MS });
  // A node whose image is older than the root role that the keys trust.
  const pinned = { url, trustedRoot: readFileSync(join(base.keys.path, "release-root.json")), nowMs: NOW_MS };
  assert.deepEqual(await readIndex(pinned), index);
  const root = (await readKeys(pinned)).version;
  const published = [
    ...[...index.releases.values()].map(({ files }) => ({ directory: "releases", files })),
    ...sortedExtensions(index).map(({ name, files }) => ({ directory: `extensions/${name}`, files })),
  ];
  for (const { directory: own, files } of published) {
    for (const { name, sha256 } of Object.values(files)) {
      assert.equal((await digestFile(join(repository, own, name))).digest, sha256, name);
    }
  }
  const plain = new Map<string, string>();
  for (const own of ["stable", "extensions/hello", "extensions/tools"]) {
    plain.set(own, await readPlain(join(repository, own), keys));
  }
  return { tuf: JSON.stringify([root, [...index.channels], [...index.releases], sortedExtensions(index)]), plain };
}

async function readPlain(own: string, keys: KeyDirectory): Promise<string> {
  // A list that is not there yet is as good as an empty one.
  if (!existsSync(join(own, "SHA256SUMS"))) return "";
  const sums = readFileSync(join(own, "SHA256SUMS"), "utf8");
  const keyring = await parseKeyring("keyring", readFileSync(join(keys.path, "import-pubring.pgp")));
  assert.ok(await isSignedSums(sums, readFileSync(join(own, "SHA256SUMS.gpg")), keyring));
  for (const line of sums.split("\n").slice(0, -1)) {
    const [sha256 = "", name = ""] = line.split("  ");
    assert.equal((await digestFile(join(own, name))).digest, sha256, name);
  }
  return sums;
}

const base = testOptions(join(directory, "base"));
await initRepository(base, async () => undefined);
const extensionBase = { ...testOptions(join(directory, "extension-base")), keys: base.keys };
await initRepository(extensionBase, async () => undefined);

for (const version of ["1.0.0", "1.1.0"]) {
  const image = await writeTestImage(join(directory, version), version, [1, 2, 3]);
  await publishRelease({ ...base, image, channel: "stable" });
}
const newImage = await writeTestImage(join(directory, "1.2.0"), "1.2.0", [4, 2, 3]);

const signer = await base.keys.extensionSigner();
const extension = async (version: string, name = "hello"): Promise<string> =>
  await writeTestExtension(join(directory, "extensions"), signer, { name, version });
await publishExtensions({ ...extensionBase, images: [await extension("v1.2.3"), await extension("v1.2.4")] });
const newExtension = await extension("v1.0.0", "tools");

/** Compressing and hashing take long: the check tries some of the steps of publishing, ASHLAR_EVERY_STEP=1 each. */
const PUBLISH_STRIDE = process.env["ASHLAR_EVERY_STEP"] === "1" ? 1 : 3;

type Change = {
  readonly from: ChangeOptions;
  readonly stride?: number;
  readonly change: (options: ChangeOptions) => Promise<unknown>;
};

const changes: Record<string, Change> = {
  publish: {
    from: base,
    stride: PUBLISH_STRIDE,
    change: async (options) => await publishRelease({ ...options, image: newImage, channel: "stable" }),
  },
  promote: {
    from: base,
    change: async (options) => await promoteRelease({ ...options, version: "1.0.0", channel: "stable" }),
  },
  gc: { from: base, change: async (options) => await collectGarbage({ ...options, keep: 1 }) },
  refresh: {
    from: base,
    change: async (options) => await refreshRepository({ ...options, nowMs: NOW_MS + 200 * 24 * 3600 * 1000 }),
  },
  "rotate keys": {
    from: base,
    change: async (options) => {
      // Cut at its very end, where only the work directory is left, a rotation is over, and repeating would be a second.
      const isOver = existsSync(join(options.keys.path, "root.old.pem"));
      if (isOver && !existsSync(join(options.keys.path, "next-root.json"))) return;
      const change = { replace: ["root", "targets", "online"] } as const;
      await rotateKeys({ ...options, change, choosePassphrase: async () => undefined });
    },
  },
  "publish extensions": {
    from: extensionBase,
    stride: PUBLISH_STRIDE,
    change: async (options) => await publishExtensions({ ...options, images: [newExtension] }),
  },
  "withdraw an extension": {
    from: extensionBase,
    change: async (options) =>
      await withdrawExtensionFromRepository({ ...options, name: "hello", version: "v1.2.4", reason: "bad" }),
  },
  "gc extensions": {
    from: extensionBase,
    change: async (options) => await collectExtensionGarbage({ ...options, keep: 1 }),
  },
};

for (const [name, { from, stride = 1, change }] of Object.entries(changes)) {
  test(`${name}, cut at every step: readers see the old state or the new one, and repeating completes it`, async () => {
    const whole = copyOf(from, `${name}-whole`);
    await change(whole);
    const expected = { old: await observe(from), new: await observe(whole) };
    let [steps, outcome] = [0, "cut"];
    for (; outcome === "cut"; steps += stride) {
      const options = copyOf(from, `${name}-${steps}`);
      outcome = await cutAfter(steps, async () => await change(options));
      const seen = await observe(options);
      assert.ok([expected.old.tuf, expected.new.tuf].includes(seen.tuf), `step ${steps}: ${seen.tuf}`);
      for (const [own, sums] of seen.plain) {
        assert.ok([expected.old.plain.get(own), expected.new.plain.get(own)].includes(sums), `step ${steps}: ${sums}`);
      }
      if (outcome === "cut") await change(options);
      assert.deepEqual(await observe(options), expected.new, `step ${steps}`);
      rmSync(join(directory, `${name}-${steps}`), { recursive: true });
    }
    assert.ok(steps > 10, `${steps} steps`);
  });
}

/** A repository of its own, with keys of its own: some changes write there, too. */
function copyOf({ repository, keys }: ChangeOptions, name: string): ChangeOptions {
  const own = testOptions(join(directory, name));
  cpSync(repository, own.repository, { recursive: true, verbatimSymlinks: true });
  cpSync(keys.path, own.keys.path, { recursive: true });
  return own;
}

test("init, cut at every step: repeating completes it with the same keys", async () => {
  let [steps, outcome] = [0, "cut"];
  for (; outcome === "cut"; steps++) {
    const options = testOptions(join(directory, `init-${steps}`));
    const init = async (): Promise<unknown> => await initRepository(options, async () => undefined);
    outcome = await cutAfter(steps, init);
    const keys = new KeyDirectory(options.keys.path, noPassphrase);
    await initRepository({ ...options, keys }, async () => undefined);
    const { problems } = await verifyRepository({
      url: pathToFileURL(options.repository).href,
      trustedRoot: readFileSync(join(keys.path, "release-root.json")),
      nowMs: NOW_MS,
    });
    assert.deepEqual(problems, []);
  }
  assert.ok(steps > 10, `${steps} steps`);
});
