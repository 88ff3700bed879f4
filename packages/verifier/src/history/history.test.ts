import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import {
  bundleOf,
  checkCertificate,
  entryOf,
  formatEntry,
  leavesOf,
  makeCertificate,
  openCheckpoint,
  parseCertificate,
  parseBundle,
  signCheckpoint,
  tileOf,
  treeRoot,
  type Predicate,
  type ProvedNode,
} from "@ashlar/fleet";
import { signerOf } from "@ashlar/statements";
import { appendCertificate, type AppendOptions } from "./append-certificate.ts";
import { logTransport, openLog } from "./open-log.ts";
import { verifyLog } from "./verify-log.ts";

const root = mkdtempSync(join(tmpdir(), "ashlar-history-"));
after(() => rmSync(root, { recursive: true }));

const KEYS = signerOf(generateKeyPairSync("ed25519"));
const ORIGIN = "example.org/log";
const DAY_MS = 86_400_000;
const START_MS = Date.parse("2026-01-01T00:00:00Z");

type Issued = { readonly text: string; readonly predicate: Predicate; readonly nowMs: number };

/** A certificate of one node, of the `day`-th day. */
function issue(day: number, change: Partial<ProvedNode> = {}): Issued {
  const running = { identity: "a".repeat(64), release: "1.0.0", config: "b".repeat(64), extensions: [] };
  const node: ProvedNode = {
    name: "node-1",
    level: "proven",
    nextBoot: "proven",
    running,
    policy: 0,
    challengedAt: null,
    evidence: null,
    differences: [],
    ...change,
  };
  const nowMs = START_MS + day * DAY_MS;
  const text = makeCertificate(
    {
      nodes: [node],
      verdict: "proven",
      fleet: null,
      policies: [
        {
          ekRoots: null,
          cloudRoots: null,
          acceptExpiredEk: false,
          vouchedBy: null,
          firmwarePolicy: null,
          maxAgeSeconds: 60,
        },
      ],
      challenge: null,
      verifier: "ashlar",
      issuedAtMs: nowMs,
      validForMs: DAY_MS,
    },
    KEYS,
    () => Buffer.alloc(16),
  );
  const { predicate } = checkCertificate(parseCertificate(text), { publicKey: KEYS.publicKey, nowMs });
  assert.ok(predicate !== undefined);
  return { text, predicate, nowMs };
}

const append = async (directory: string, issued: Issued, more: Partial<AppendOptions> = {}) =>
  await appendCertificate({ directory, origin: ORIGIN, signer: KEYS, ...issued, ...more });
const problemsOf = async (directory: string, remembered?: string): Promise<string[]> => {
  const key = { name: ORIGIN, publicKey: KEYS.publicKey };
  const { problems } = await verifyLog(logTransport(directory), {
    publicKey: KEYS.publicKey,
    certificateKey: KEYS.publicKey,
    remembered: remembered === undefined ? undefined : openCheckpoint(remembered, key),
  });
  return problems.map(({ code }) => code);
};

/** A log of three certificates, in a directory of its own. */
const three = join(root, "three");
for (const day of [0, 1, 2]) await append(three, issue(day));
function copy(name: string): { readonly directory: string; readonly inside: (path: string) => string } {
  const directory = join(root, name);
  cpSync(three, directory, { recursive: true });
  return { directory, inside: (path) => join(directory, path) };
}

test("certificates are added in order, each once, and all of them hold", async () => {
  const { entries, checkpoint } = await openLog(logTransport(three), KEYS.publicKey);
  assert.deepEqual([checkpoint.origin, checkpoint.size], [ORIGIN, 3]);
  assert.deepEqual(
    entries.map(({ issuedAt }) => issuedAt.slice(0, 10)),
    ["2026-01-01", "2026-01-02", "2026-01-03"],
  );
  assert.deepEqual(await problemsOf(three), []);
  const before = readFileSync(join(three, "checkpoint"), "utf8");
  const { index, isNew } = await append(three, { ...issue(1), nowMs: START_MS + 9 * DAY_MS });
  assert.deepEqual([index, isNew, readFileSync(join(three, "checkpoint"), "utf8")], [1, false, before]);
});

test("another key, another name, another kind of key, no name, and a clock that goes backwards are refused", async () => {
  const other = signerOf(generateKeyPairSync("ed25519"));
  const ecdsa = signerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }));
  await assert.rejects(append(three, issue(3), { signer: other }), { code: "untrusted" });
  await assert.rejects(append(three, issue(3), { signer: ecdsa }), { code: "invalid" });
  await assert.rejects(append(three, issue(3), { origin: "other" }), { code: "conflict" });
  await assert.rejects(append(three, { ...issue(3), nowMs: START_MS }), { code: "invalid" });
  await assert.rejects(append(join(root, "new"), issue(3), { origin: undefined }), { code: "usage" });
  await assert.rejects(append(join(root, "new"), issue(3), { origin: "a b" }), { code: "usage" });
  await assert.rejects(openLog(logTransport(three), other.publicKey), { code: "untrusted" });
  await assert.rejects(openLog(logTransport(join(root, "none")), KEYS.publicKey), { code: "not-found" });
  assert.deepEqual(await problemsOf(three), []);
});

test("an interruption at any write leaves the log as it was, and the next try completes it", async () => {
  for (let stopAt = 0; ; stopAt += 1) {
    const { directory } = copy(`killed-${stopAt}`);
    let writes = 0;
    const write = async (path: string, bytes: Uint8Array | string): Promise<void> => {
      if (writes === stopAt) throw new Error("killed");
      writes += 1;
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
    };
    const isWhole = await append(directory, issue(3), { write }).then(
      () => true,
      () => false,
    );
    assert.deepEqual(await problemsOf(directory), []);
    assert.equal((await openLog(logTransport(directory), KEYS.publicKey)).checkpoint.size, isWhole ? 4 : 3);
    // Another certificate than the one that was interrupted.
    await append(directory, issue(4));
    assert.deepEqual(await problemsOf(directory), []);
    if (isWhole) {
      // Certificate, bundle, tile, checkpoint.
      assert.equal(stopAt, 4);
      return;
    }
  }
});

test("a changed, removed or exchanged file is named", async () => {
  const path = join(three, "tile/entries/000.p/3");
  const entries = parseBundle(readFileSync(path), 3);
  const changed = entries.toSpliced(1, 1, Buffer.from(entries[1]?.toString().replace('"proven"', '"unknown"') ?? ""));
  const cases: Record<string, [string[], (inside: (path: string) => string) => void]> = {
    "an entry": [
      ["entry-changed", "other-root"],
      (inside) => writeFileSync(inside("tile/entries/000.p/3"), bundleOf(changed)),
    ],
    "an entry and its hash": [
      ["other-root"],
      (inside) => {
        writeFileSync(inside("tile/entries/000.p/3"), bundleOf(changed));
        const leaves = leavesOf(changed);
        writeFileSync(inside("tile/0/000.p/3"), tileOf({ level: 0, index: 0, width: 3 }, leaves));
      },
    ],
    "no bundle": [["entry-unreadable"], (inside) => rmSync(inside("tile/entries/000.p/3"))],
    "an entry less": [
      ["entry-unreadable"],
      (inside) => writeFileSync(inside("tile/entries/000.p/3"), bundleOf(entries.slice(1))),
    ],
    "no tile": [["tile-missing"], (inside) => rmSync(inside("tile/0/000.p/3"))],
    "a short tile": [["tile-changed"], (inside) => writeFileSync(inside("tile/0/000.p/3"), "x")],
  };
  for (const [name, [codes, change]] of Object.entries(cases)) {
    const { directory, inside } = copy(name);
    change(inside);
    assert.deepEqual(await problemsOf(directory), codes, name);
    if (name !== "no tile" && name !== "a short tile")
      await assert.rejects(openLog(logTransport(directory), KEYS.publicKey));
  }
  const { entries: logged } = await openLog(logTransport(three), KEYS.publicKey);
  const certificate = `certificates/${logged[1]?.certificate}.json`;
  const without = copy("without");
  rmSync(without.inside(certificate));
  assert.deepEqual(await problemsOf(without.directory), ["certificate-missing"]);
  const edited = copy("edited");
  writeFileSync(edited.inside(certificate), `${readFileSync(edited.inside(certificate), "utf8")} `);
  assert.deepEqual(await problemsOf(edited.directory), ["certificate-changed"]);
});

test("the key's own holder cannot take back what somebody remembers", async () => {
  const remembered = readFileSync(join(three, "checkpoint"), "utf8");
  const { directory } = copy("goes on");
  await append(directory, issue(3));
  assert.deepEqual(await problemsOf(directory, remembered), []);
  const shorter = join(root, "shorter");
  for (const day of [0, 1]) await append(shorter, issue(day));
  assert.deepEqual(await problemsOf(shorter, remembered), ["rolled-back"]);
  const rewritten = join(root, "rewritten");
  for (const day of [0, 1, 2]) await append(rewritten, issue(day, { level: "reported" }));
  await append(rewritten, issue(3));
  assert.deepEqual(await problemsOf(rewritten, remembered), ["rewritten"]);
  const named = signCheckpoint({ origin: "other", size: 0, root: treeRoot([]) }, KEYS);
  const { problems } = await verifyLog(logTransport(three), {
    publicKey: KEYS.publicKey,
    certificateKey: KEYS.publicKey,
    remembered: openCheckpoint(named, { name: "other", publicKey: KEYS.publicKey }),
  });
  assert.deepEqual(
    problems.map(({ code }) => code),
    ["other-log"],
  );
});

test("a certificate that its signer does not stand by is named", async () => {
  const other = signerOf(generateKeyPairSync("ed25519"));
  const { problems } = await verifyLog(logTransport(three), {
    publicKey: KEYS.publicKey,
    certificateKey: other.publicKey,
  });
  assert.deepEqual(new Set(problems.map(({ code }) => code)), new Set(["certificate-refused"]));
  assert.equal(problems.length, 3);
});

test("over 256 entries: whole tiles take the place of parts", async () => {
  const directory = join(root, "many");
  const issued = issue(0);
  const textOf = (at: number): string => issued.text.replace(/\}\n$/u, `}${" ".repeat(at)}\n`);
  const put = (path: string, bytes: Uint8Array | string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  };
  // What adding them one after the other leaves, in a moment.
  const entries = Array.from({ length: 254 }, (_, at) => entryOf(textOf(at), issued.predicate, issued.nowMs));
  for (const [at, { certificate }] of entries.entries()) put(`certificates/${certificate}.json`, textOf(at));
  const leaves = leavesOf(entries.map(formatEntry));
  put("tile/entries/000.p/254", bundleOf(entries.map(formatEntry)));
  put("tile/0/000.p/254", tileOf({ level: 0, index: 0, width: 254 }, leaves));
  put("checkpoint", signCheckpoint({ origin: ORIGIN, size: 254, root: treeRoot(leaves) }, KEYS));
  assert.deepEqual(await problemsOf(directory), []);
  for (const at of [254, 255, 256]) await append(directory, { ...issued, text: textOf(at) });
  assert.deepEqual(await problemsOf(directory), []);
  assert.ok(existsSync(join(directory, "tile/1/000.p/1")) && existsSync(join(directory, "tile/entries/001.p/1")));
  assert.ok(!existsSync(join(directory, "tile/entries/000.p")) && !existsSync(join(directory, "tile/0/000.p")));
});
