import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { expectationsOf, parseEkRoots } from "@ashlar/identity";
import { authorityExtensions, KeyedMachine, testCertificate } from "@ashlar/identity/test-fixtures";
import { testLogs, testNextBootReport, testRelease } from "@ashlar/protocol/test-fixtures";
import { proveStored, type ProveStoredOptions } from "../prove-stored.ts";
import type { StoredAnswer } from "./answer.ts";
import { EvidenceArchive } from "./archive.ts";
import { digestOfStoredAnswer } from "./digest-answer.ts";
import { keepEvidence } from "./keep-evidence.ts";
import { openEvidence } from "./place.ts";
import { readStoredFleet } from "./read-fleet.ts";

const root = mkdtempSync(join(tmpdir(), "ashlar-archive-"));
after(() => rmSync(root, { recursive: true, force: true }));

const issuer = testCertificate({ commonName: "Maker", key: "rsa", extensions: authorityExtensions() });
const RELEASES = [testRelease("1.0.0"), testRelease("1.1.0")] as const;
const CONFIG = Buffer.from("{}");
/** The last one is too long for a tar header's own fields. */
const NAMES = ["node-1", "node-2.example.org:7443", "fd00::1", `${"n".repeat(60)}.`.repeat(3).slice(0, -1)];
const FLEET = {
  nodes: [...NAMES, "silent"],
  manifest: JSON.stringify(RELEASES[0]),
  ekRoots: issuer.pem,
  known: RELEASES,
  extensions: [],
};

function answerOf(index: number): StoredAnswer {
  const release = RELEASES[index % 2] ?? RELEASES[0];
  const expectations = expectationsOf({ release, classConfig: CONFIG, nodeConfig: CONFIG });
  const machine = new KeyedMachine(issuer);
  machine.boot(testLogs(release, expectations.classConfigSha256, expectations.nodeConfigSha256));
  const challenge = { nonce: Buffer.alloc(32, index + 1), tlsPublicKey: Buffer.alloc(91, index) };
  return {
    evidence: machine.evidence(release, challenge),
    ...challenge,
    challengedAtMs: Date.now(),
    pin: { ...machine.pin, enrolledAt: new Date().toISOString(), resetCount: 0 },
    expected: { ...expectations, releases: [release.uki.sha256] },
    nextBoot: { answer: machine.nextBoot(testNextBootReport([[release, `ashlar_${release.version}.efi`]]), challenge) },
  };
}
const ANSWERS = NAMES.map((name, index) => [name, answerOf(index)] as const);

async function write(path: string): Promise<void> {
  await using keeper = await keepEvidence(path, FLEET);
  await Promise.all(ANSWERS.map(async ([name, answer]) => keeper.keep(name, answer)));
  await keeper.finish();
}
const ARCHIVE = join(root, "evidence.tar");
const DIRECTORY = join(root, "evidence");
await write(ARCHIVE);
await write(DIRECTORY);

type Found = {
  readonly nodes: readonly { readonly name: string; readonly level: string; readonly differences: readonly object[] }[];
  readonly seen: ReadonlyMap<string, object>;
  readonly digests: readonly (string | undefined)[];
};

async function judge(path: string, threads = 1): Promise<Found> {
  using evidence = await openEvidence(path);
  const { nodes, manifest, ekRoots, known, strangers } = await readStoredFleet(evidence.place);
  assert.ok(manifest === FLEET.manifest && ekRoots === FLEET.ekRoots);
  const options: ProveStoredOptions = {
    ekRoots: parseEkRoots(issuer.pem),
    release: RELEASES[0],
    candidates: known,
    extensions: [],
    maxAgeMs: 3_600_000,
    nowMs: NOW_MS,
    strangers,
    threads,
    tell: { digest: true, firmware: true },
  };
  const seen = new Map<string, object>();
  const { fleet } = await proveStored(evidence.place, nodes, {
    ...options,
    onSeen: (name, answer) => void seen.set(name, answer),
  });
  const digests = nodes.map((name) => {
    try {
      return digestOfStoredAnswer(evidence.place, name);
    } catch (error) {
      assert.ok(error instanceof AshlarError);
      return undefined;
    }
  });
  // Messages name the place.
  const found: Found["nodes"] = JSON.parse(JSON.stringify(fleet.nodes).replaceAll(path, "PLACE"));
  return { nodes: found, seen, digests };
}
const NOW_MS = Date.now();

function packed(directory: string, ...options: readonly string[]): string {
  const path = `${directory}.tar`;
  execFileSync("tar", ["--create", "--file", path, "--directory", directory, "--sort=name", ...options, "."]);
  return path;
}

test("an archive gives the verdicts that a directory gives, in one thread or in several", async () => {
  const found = await judge(DIRECTORY);
  assert.deepEqual(
    found.nodes.map(({ level }) => level),
    ["proven", "proven", "proven", "proven", "unknown"],
  );
  assert.deepEqual(await judge(ARCHIVE), found);
  assert.deepEqual(await judge(ARCHIVE, 3), found);
});

test("tar makes the directory of it, and what tar makes of a directory is read, too", async () => {
  const unpacked = join(root, "unpacked");
  mkdirSync(unpacked);
  execFileSync("tar", ["--extract", "--file", ARCHIVE, "--directory", unpacked]);
  for (const name of NAMES) {
    const files = readdirSync(join(DIRECTORY, name));
    assert.deepEqual(readdirSync(join(unpacked, name)), files);
    for (const file of files)
      assert.deepEqual(readFileSync(join(unpacked, name, file)), readFileSync(join(DIRECTORY, name, file)), file);
  }
  const one = statSync(join(unpacked, NAMES[0] ?? "", "firmware-log.bin"));
  assert.ok(one.nlink >= 2, "a log that nodes share is there once");
  const right = await judge(DIRECTORY);
  assert.deepEqual(await judge(unpacked), right);
  for (const format of ["ustar", "gnu", "pax"]) {
    const copy = join(root, `copy-${format}`);
    cpSync(DIRECTORY, copy, { recursive: true });
    // Names with more than 100 characters do not fit into every form of ustar.
    if (format === "ustar") rmSync(join(copy, NAMES[3] ?? ""), { recursive: true });
    const { nodes } = await judge(packed(copy, `--format=${format}`));
    assert.deepEqual(nodes.slice(0, 3), right.nodes.slice(0, 3), format);
  }
});

test("a byte that differs anywhere in a node's entries, or in what it shares, is another verdict or the same as in a directory", async () => {
  const bytes = readFileSync(ARCHIVE);
  const sound = await judge(ARCHIVE);
  using archive = EvidenceArchive.open(ARCHIVE);
  const name = NAMES[0] ?? "";
  const node = archive.index.nodes.get(name);
  assert.ok(node !== undefined);
  const spans = [node, ...archive.index.shared.values()];
  const path = join(root, "changed.tar");
  let tried = 0;
  for (const span of spans) {
    for (let at = 0; at < span.sizeBytes; at += 97) {
      const changed = Buffer.from(bytes);
      const offset = span.startBytes + at;
      // What tar pads with is no content.
      if (changed[offset] === 0) continue;
      changed[offset] = (changed[offset] ?? 0) ^ 1;
      writeFileSync(path, changed);
      tried++;
      let found: Found;
      try {
        found = await judge(path);
      } catch {
        // A header that is damaged: nothing of the archive is believed.
        continue;
      }
      if (span === node) checkOwn(found, sound, at);
      else assert.ok(hasMismatch(found), `byte ${at} of what is shared`);
    }
  }
  assert.ok(tried > 50, `${tried} bytes`);
});

function hasMismatch({ nodes }: Found): boolean {
  return nodes.some(({ level }) => level === "mismatch");
}

/** Of a change in the first node's entries. */
function checkOwn(found: Found, sound: Found, at: number): void {
  assert.deepEqual(found.nodes[1], sound.nodes[1], "the other node keeps its verdict");
  // Texts that a node only reports change nothing, in a directory neither: then the digest of its evidence tells.
  const isTold = found.nodes[0]?.level !== "proven" || found.digests[0] !== sound.digests[0];
  assert.ok(isTold, `byte ${at} of a node's entries`);
}

test("what is no archive of evidence, or a crooked one, is refused with its reason", async () => {
  const make = (what: string, bytes: Uint8Array): string => {
    const path = join(root, `${what}.tar`);
    writeFileSync(path, bytes);
    return path;
  };
  const bytes = readFileSync(ARCHIVE);
  using archive = EvidenceArchive.open(ARCHIVE);
  const node = archive.index.nodes.get(NAMES[0] ?? "");
  assert.ok(node !== undefined);
  const entries = bytes.subarray(node.startBytes, node.startBytes + node.sizeBytes);
  const beside = bytes.subarray(0, bytes.length - 1024);
  const refused: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["no-archive", Buffer.from("#!/bin/sh\n".repeat(100)), /tar at offset 0: checksum|octal/u],
    ["cut", bytes.subarray(0, bytes.length - 2000), /found the end/u],
    ["node-twice", Buffer.concat([beside, entries, Buffer.alloc(1024)]), /expected its files side by side/u],
    ["fleet-twice", Buffer.concat([bytes.subarray(0, node.startBytes), beside]), /expected it once, found it again/u],
  ];
  for (const [what, changed, message] of refused) {
    await assert.rejects(judge(make(what, changed)), { name: "AshlarError", message }, what);
  }
  await assert.rejects(judge(make("empty", Buffer.alloc(0))), { code: "not-found", message: /found no fleet.json/u });
  await assert.rejects(judge("/dev/null"), {
    code: "invalid",
    message: /expected an archive of evidence, found a device/u,
  });
});

test("links lead to what nodes share, and nowhere else; a file twice is none", async () => {
  const name = NAMES[0] ?? "";
  const relinked = async (script: string): Promise<Found["nodes"][number] | undefined> => {
    const copy = mkdtempSync(join(root, "linked-"));
    cpSync(DIRECTORY, copy, { recursive: true });
    execFileSync("sh", ["-ec", script], { cwd: copy });
    return (await judge(packed(copy))).nodes.find((node) => node.name === name);
  };
  const links = [
    `rm ${name}/firmware-log.bin; ln -s ../${NAMES[1]}/firmware-log.bin ${name}/firmware-log.bin`,
    `rm ${name}/quote.sig; ln ${NAMES[1]}/quote.sig ${name}/quote.sig`,
    `rm ${name}/firmware-log.bin; ln -s /etc/passwd ${name}/firmware-log.bin`,
  ];
  for (const link of links) {
    const found = await relinked(link);
    assert.equal(found?.level, "mismatch", link);
    // Of two hard links tar has the first as a file, with the other node's signature.
    const why = link.includes("quote.sig") ? /signature/u : /expected a file, or a link into _shared/u;
    assert.match(JSON.stringify(found?.differences), why, link);
  }
  const twice = join(root, "twice.tar");
  cpSync(ARCHIVE, twice);
  using archive = EvidenceArchive.open(ARCHIVE);
  const last = NAMES.toSorted((a, b) => place(b) - place(a))[0] ?? "";
  function place(each: string): number {
    return archive.index.nodes.get(each)?.startBytes ?? 0;
  }
  execFileSync("tar", ["--append", "--file", twice, "--directory", DIRECTORY, `${last}/quote.msg`]);
  const { nodes } = await judge(twice);
  const found = nodes.find((node) => node.name === last);
  assert.match(JSON.stringify(found), /quote.msg: expected it once, found it again/u);
});

test("a stranger's answer in an archive is a mismatch", async () => {
  const copy = join(root, "stranger");
  cpSync(DIRECTORY, copy, { recursive: true });
  cpSync(join(copy, "node-1"), join(copy, "stranger"), { recursive: true });
  const { nodes } = await judge(packed(copy));
  assert.equal(nodes.find((node) => node.name === "stranger")?.level, "mismatch");
});

test("other files are not replaced", async () => {
  for (const [what, content] of [
    ["notes.tar", "mine"],
    ["other.tar", execFileSync("tar", ["--create", "--directory", root, "evidence"])],
  ] as const) {
    const path = join(root, what);
    writeFileSync(path, content);
    await assert.rejects(keepEvidence(path, FLEET), { code: "usage", message: /expected no file, or an archive/u });
    assert.deepEqual(readFileSync(path), Buffer.from(content));
  }
  // A file above it; a directory that is not there is made.
  await assert.rejects(keepEvidence(join(root, "notes.tar", "x.tar"), FLEET), { name: "AshlarError" });
  await write(join(root, "new", "evidence.tar"));
  assert.deepEqual(await judge(join(root, "new", "evidence.tar")), await judge(ARCHIVE));
  await assert.rejects(keepEvidence(join(root, "x.tar"), { ...FLEET, nodes: ["../x"] }), { code: "usage" });
  assert.ok(!existsSync(join(root, "x.tar")));
  await keepEvidence(join(root, "unfinished.tar"), FLEET).then(async (keeper) => keeper[Symbol.asyncDispose]());
  assert.deepEqual(
    readdirSync(root).filter((name) => name.includes("unfinished") || name.endsWith(".new")),
    [],
  );
});

test("killed at each write, the archive is the old one or the new one", async () => {
  const place = join(root, "killed.tar");
  const script = join(import.meta.dirname, "test-archive-writer.ts");
  cpSync(ARCHIVE, place);
  const before = readFileSync(place);
  let killed = 0;
  for (let writes = 1; ; writes++) {
    const { signal, status, stderr } = spawnSync(process.execPath, [script, place, ARCHIVE, String(writes)], {
      encoding: "utf8",
    });
    if (signal === null) {
      assert.equal(status, 0, stderr);
      break;
    }
    killed++;
    assert.deepEqual(readFileSync(place), before, `killed at write ${writes}`);
  }
  assert.ok(killed > 6, `${killed} writes`);
  const { nodes } = await judge(place);
  assert.deepEqual(
    nodes.map(({ level }) => level),
    ["proven", "unknown", "unknown", "unknown", "unknown"],
  );
});
