import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { expectationsOf, parseEkRoots, type Difference } from "@ashlar/identity";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { testLogs, testNextBootReport, testRelease } from "@ashlar/protocol/test-fixtures";
import { proveNodes } from "../prove-nodes.ts";
import { proveStored, type ProveStoredOptions } from "../prove-stored.ts";
import { TestAgent } from "../test-agent.ts";
import { keepIn } from "./keep-evidence.ts";
import { readStoredFleet } from "./read-fleet.ts";
import { writeStoredFleet } from "./write-fleet.ts";

const root = mkdtempSync(join(tmpdir(), "ashlar-stored-"));
after(() => rmSync(root, { recursive: true, force: true }));

const authority = new TestAuthority();
const machines = [new TestNode(authority), new TestNode(authority)];
const RELEASE = testRelease("1.0.0");
const EXPECTATIONS = expectationsOf({ release: RELEASE, classConfig: Buffer.from("{}"), nodeConfig: new Uint8Array() });
const JUDGING = { ekRoots: parseEkRoots(authority.roots), candidates: [], maxAgeMs: 600_000 };
const STORED: ProveStoredOptions = { ...JUDGING, release: RELEASE, extensions: [] };
const FLEET = { manifest: "{}", ekRoots: undefined, known: [RELEASE], extensions: [] };

/** Sound evidence of two nodes, made once. */
const SOUND = join(root, "sound");
{
  const logs = testLogs(RELEASE, EXPECTATIONS.classConfigSha256, EXPECTATIONS.nodeConfigSha256);
  const nextBoot = testNextBootReport([[RELEASE, "ashlar_1.0.0.efi"]]);
  const targets = [];
  for (const [index, node] of machines.entries()) {
    // Machine IDs differ, as those of real machines do.
    node.boot({
      ...logs,
      words: logs.words.map(({ pcr, word }) => ({ pcr, word: word.replace(/(?<=^machine-id:)./u, String(index)) })),
    });
    const agent = await TestAgent.start(node, RELEASE, { nextBoot });
    targets.push({ name: `node-${index + 1}`, url: agent.url, expectations: EXPECTATIONS, agent });
  }
  await writeStoredFleet(SOUND, { ...FLEET, nodes: ["node-1", "node-2"] });
  const options = { ...JUDGING, pinsPath: join(root, "pins.json"), evidence: keepIn(SOUND) };
  assert.equal((await proveNodes(targets, options)).fleet.verdict, "proven");
  for (const { agent } of targets) await agent[Symbol.asyncDispose]();
}

let copies = 0;
function copyOf(change: (directory: string) => void): string {
  copies += 1;
  const copy = join(root, `copy-${copies}`);
  cpSync(SOUND, copy, { recursive: true });
  change(copy);
  return copy;
}

/** The levels of both nodes, and the first node's differences. */
async function judge(directory: string): Promise<{ levels: string; differences: readonly Difference[] }> {
  const { nodes, strangers } = await readStoredFleet(directory);
  const { fleet } = await proveStored(directory, nodes, { ...STORED, strangers });
  return {
    levels: fleet.nodes.map(({ name, level }) => `${name} ${level}`).join(", "),
    differences: fleet.nodes[0]?.differences ?? [],
  };
}

test("whatever a stored certificate is, the other node keeps its verdict", async () => {
  const rsaEncryption = Buffer.from("06092a864886f70d010101", "hex");
  const changes: readonly ((certificate: Buffer) => Buffer)[] = [
    // id-RSAES-OAEP, with which Node.js makes no key of it.
    (bytes) => Buffer.concat([bytes.fill(7, bytes.indexOf(rsaEncryption) + 10, bytes.indexOf(rsaEncryption) + 11)]),
    (bytes) => bytes.subarray(0, 200),
    () => Buffer.from("3000", "hex"),
  ];
  for (const change of changes) {
    const directory = copyOf((copy) => {
      const path = join(copy, "node-1", "ek-cert.der");
      writeFileSync(path, change(readFileSync(path)));
    });
    assert.equal((await judge(directory)).levels, "node-1 mismatch, node-2 proven");
  }
});

const NODE_FILES = readdirSync(join(SOUND, "node-1"));
const KINDS: Readonly<Record<string, (path: string) => void>> = {
  "a device": (path) => symlinkSync("/dev/zero", path),
  "a FIFO": (path) => execFileSync("mkfifo", [path]),
  "a directory": (path) => mkdirSync(path),
  "a link to itself": (path) => symlinkSync(path, path),
  "a link to a sound file": (path) => symlinkSync(join(SOUND, "node-1", path.split("/").at(-1) ?? ""), path),
  "too many bytes": (path) => writeFileSync(path, Buffer.alloc(2 * 1024 * 1024)),
};

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind} instead of a file is a mismatch of that node, and names the file`, async () => {
    for (const file of NODE_FILES) {
      const path = (directory: string): string => join(directory, "node-1", file);
      const directory = copyOf((copy) => {
        rmSync(path(copy));
        make(path(copy));
      });
      const { levels, differences } = await judge(directory);
      assert.equal(levels, "node-1 mismatch, node-2 proven", file);
      assert.match(differences[0]?.found ?? "", new RegExp(`node-1/${file}`, "u"));
    }
  });

  test(`${kind} instead of a file of all nodes is refused by name`, async () => {
    for (const file of ["fleet.json", "manifest.json", "extensions.json", `releases/${RELEASE.uki.sha256}.json`]) {
      const directory = copyOf((copy) => {
        rmSync(join(copy, file));
        if (kind === "too many bytes") writeFileSync(join(copy, file), Buffer.alloc(65 * 1024 * 1024));
        else make(join(copy, file));
      });
      const name = kind === "too many bytes" && file.startsWith("releases") ? "releases" : file;
      await assert.rejects(readStoredFleet(directory), { name: "AshlarError", message: new RegExp(name, "u") }, file);
    }
  });
}

test("a file or a link instead of a node's directory is a mismatch of that node", async () => {
  for (const make of [
    (path: string): void => writeFileSync(path, ""),
    (path: string): void => symlinkSync(join(SOUND, "node-1"), path),
    (path: string): void => symlinkSync(path, path),
  ]) {
    const directory = copyOf((copy) => {
      rmSync(join(copy, "node-1"), { recursive: true });
      make(join(copy, "node-1"));
    });
    const { levels, differences } = await judge(directory);
    assert.equal(levels, "node-1 mismatch, node-2 proven");
    assert.match(differences[0]?.found ?? "", /node-1: expected a directory/u);
  }
});

test("releases are limited in number and size, and other files beside them are passed over", async () => {
  const many = copyOf((copy) => {
    for (let index = 0; index <= 1000; index++) {
      const release = testRelease("1.0.0", `image ${index}`);
      writeFileSync(join(copy, "releases", `${release.uki.sha256}.json`), JSON.stringify(release));
    }
  });
  await assert.rejects(readStoredFleet(many), { code: "limit", message: /at most 1000 releases/u });
  const renamed = copyOf((copy) => {
    cpSync(join(copy, "releases", `${RELEASE.uki.sha256}.json`), join(copy, "releases", `${"0".repeat(64)}.json`));
  });
  await assert.rejects(readStoredFleet(renamed), { code: "invalid", message: /releases\/0{64}\.json/u });
  const noted = copyOf((copy) => writeFileSync(join(copy, "releases", "notes.json"), "not ours"));
  assert.deepEqual((await readStoredFleet(noted)).known, [RELEASE]);
});

test("what contradicts itself is a mismatch that names the file", async () => {
  const cases: readonly (readonly [string, (node: string) => void, RegExp])[] = [
    ["qualifying data", (node) => writeFileSync(join(node, "qualifying-data"), "x"), /node-1\/qualifying-data$/u],
    [
      "next boot's",
      (node) => writeFileSync(join(node, "next-boot-qualifying-data"), ""),
      /next-boot-qualifying-data$/u,
    ],
    ["no quote", (node) => rmSync(join(node, "next-boot-quote.msg")), /next-boot-quote\.msg$/u],
    ["no signature", (node) => rmSync(join(node, "next-boot-quote.sig")), /next-boot-quote\.sig$/u],
    ["no report", (node) => rmSync(join(node, "next-boot.json")), /next-boot\.json$/u],
    [
      "an answer and none",
      (node) => {
        const answer = JSON.parse(readFileSync(join(node, "answer.json"), "utf8"));
        const noNextBoot = { level: "unknown", found: "nothing" };
        writeFileSync(join(node, "answer.json"), JSON.stringify({ ...answer, noNextBoot }));
      },
      /answer\.json$/u,
    ],
  ];
  assert.equal((await judge(SOUND)).levels, "node-1 proven, node-2 proven");
  for (const [what, change, expected] of cases) {
    const { levels, differences } = await judge(copyOf((copy) => change(join(copy, "node-1"))));
    assert.equal(levels, "node-1 mismatch, node-2 proven", what);
    assert.match(differences.map((each) => each.what).join("; "), expected, what);
  }
});

test("an answer of a node that the fleet does not know is a mismatch under its name", async () => {
  const directory = copyOf((copy) => cpSync(join(copy, "node-2"), join(copy, "node-3"), { recursive: true }));
  assert.equal((await judge(directory)).levels, "node-1 proven, node-2 proven, node-3 mismatch");
  const fleet = (nodes: readonly string[]): string => JSON.stringify({ schema: "ashlar.evidence-directory/v1", nodes });
  for (const nodes of [["node-1", "node-1"], ["node-1", "releases"], ["__proto__"], ["a_b"], ["-a"]]) {
    const wrong = copyOf((copy) => writeFileSync(join(copy, "fleet.json"), fleet(nodes)));
    await assert.rejects(readStoredFleet(wrong), { code: "malformed" }, nodes.join());
  }
});

/** All paths below a directory with the content of files. */
function contents(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    found[path] = entry.isFile() ? readFileSync(path, "latin1") : entry.isSymbolicLink() ? "link" : "directory";
  }
  return found;
}

test("a directory that is none of evidence is refused, and nothing in it changes", async () => {
  const fleet = { ...FLEET, nodes: ["node-1"] };
  const precious: readonly (readonly [string, (directory: string) => void])[] = [
    ["releases", (place) => mkdirSync(join(place, "releases", "keep"), { recursive: true })],
    ["makers", (place) => writeFileSync(join(place, "ek-roots.pem"), "precious")],
    ["an image", (place) => writeFileSync(join(place, "manifest.json"), "precious")],
    ["a node's name", (place) => mkdirSync(join(place, "node-1", "home"), { recursive: true })],
    ["another fleet.json", (place) => writeFileSync(join(place, "fleet.json"), '{"schema":"else"}')],
    ["a link as fleet.json", (place) => symlinkSync(join(SOUND, "fleet.json"), join(place, "fleet.json"))],
  ];
  for (const [index, [what, make]] of precious.entries()) {
    const place = join(root, `precious-${index}`);
    mkdirSync(place);
    make(place);
    const before = contents(place);
    await assert.rejects(writeStoredFleet(place, fleet), { code: "usage", message: new RegExp(place, "u") }, what);
    assert.deepEqual(contents(place), before, what);
  }
});

test("in a directory of evidence only evidence is replaced", async () => {
  const fleet = { ...FLEET, nodes: ["node-1"] };
  const elsewhere = join(root, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, `${"0".repeat(64)}.json`), "precious");
  writeFileSync(join(elsewhere, "answer.json"), "precious");
  const refused: readonly (readonly [string, (copy: string) => void])[] = [
    ["a stranger's file of a node", (copy) => writeFileSync(join(copy, "node-1", "notes.txt"), "precious")],
    ["a directory of a node's file", (copy) => mkdirSync(join(copy, "node-2", "ak.pub", "x"), { recursive: true })],
    ["a link as node", (copy) => symlinkSync(elsewhere, join(copy, "node-1"))],
    ["a link as releases", (copy) => symlinkSync(elsewhere, join(copy, "releases"))],
    [
      "a directory as release",
      (copy) => mkdirSync(join(copy, "releases", `${"1".repeat(64)}.json`, "x"), { recursive: true }),
    ],
    ["a directory as manifest", (copy) => mkdirSync(join(copy, "manifest.json"))],
  ];
  for (const [what, change] of refused) {
    const directory = copyOf((copy) => {
      if (what.startsWith("a link as node")) rmSync(join(copy, "node-1"), { recursive: true });
      if (what.startsWith("a link as releases")) rmSync(join(copy, "releases"), { recursive: true });
      if (what.startsWith("a directory as manifest")) rmSync(join(copy, "manifest.json"));
      if (what.startsWith("a directory of a node")) rmSync(join(copy, "node-2", "ak.pub"));
      change(copy);
    });
    const before = contents(directory);
    await assert.rejects(writeStoredFleet(directory, fleet), { code: "usage" }, what);
    assert.deepEqual(contents(directory), before, what);
  }
  assert.deepEqual(readdirSync(elsewhere).length, 2);

  const kept = copyOf((copy) => {
    writeFileSync(join(copy, "notes.txt"), "mine");
    writeFileSync(join(copy, "releases", "notes.txt"), "mine");
    mkdirSync(join(copy, "other", "deep"), { recursive: true });
    symlinkSync(elsewhere, join(copy, "link"));
  });
  await writeStoredFleet(kept, { ...fleet, known: [] });
  assert.deepEqual(readdirSync(kept).toSorted(), [
    "extensions.json",
    "fleet.json",
    "link",
    "manifest.json",
    "notes.txt",
    "other",
    "releases",
  ]);
  assert.deepEqual(readdirSync(join(kept, "releases")), ["notes.txt"]);
  assert.ok(existsSync(join(kept, "other", "deep")));
});

test("where the files of all releases would be too many, later ones are kept without", async () => {
  const files = Array.from({ length: 40_000 }, (_, index) => ({
    type: "file" as const,
    path: `/usr/${"x".repeat(200)}${index}`,
    sizeBytes: 1,
    sha256: "0".repeat(64),
  }));
  const known = [1, 2, 3].map((index) => testRelease("1.0.0", `image ${index}`, files));
  const directory = join(root, "large");
  await writeStoredFleet(directory, { ...FLEET, nodes: [], known });
  const read = (await readStoredFleet(directory)).known;
  assert.deepEqual(
    read.map((release) => release.files?.length ?? 0).toSorted((a, b) => a - b),
    [0, 40_000, 40_000],
  );
});
