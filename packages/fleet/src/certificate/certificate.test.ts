import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { keyIdOf, PAYLOAD_TYPE, preAuthEncoding, signerOf } from "@ashlar/statements";
import fc from "fast-check";
import { checkCertificate, type CheckInput } from "./check.ts";
import { certificateJsonSchema, parseCertificate, type FleetCertificate } from "./document.ts";
import { makeCertificate, makeNodeCertificate, type CertificateInput, type ProvedNode } from "./make.ts";
import { recordHash, type NodeRecord, type Running } from "./node-record.ts";
import { fleetCertificateJsonSchema } from "./statement.ts";
import { treeRoot } from "../merkle/tree.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-certificate-"));
after(() => rmSync(directory, { recursive: true }));

const KEYS = generateKeyPairSync("ed25519");
const ECDSA = generateKeyPairSync("ec", { namedCurve: "P-256" });
const NOW = Date.parse("2026-03-04T05:06:07Z");
const HOUR = 3_600_000;
const [A, B, FLEET] = ["a", "b", "f"].map((digit) => digit.repeat(64));
const EXTENSION = { kind: "sysext", name: "kubernetes", version: "v1.33.5", rootHash: "c".repeat(64) } as const;
const OLD: Running = { identity: A ?? "", release: "1.0.0", config: B ?? "", extensions: [EXTENSION] };
const NEW: Running = { ...OLD, identity: B ?? "", release: "1.1.0" };

function nodeOf(name: string, more: Partial<ProvedNode> = {}): ProvedNode {
  const times = { challengedAt: "2026-03-04T05:06:00.000Z", evidence: "e".repeat(64) };
  return { name, level: "proven", nextBoot: "proven", running: OLD, policy: 0, differences: [], ...times, ...more };
}

const POLICY = { ekRoots: { count: 2, sha256: A ?? "" }, cloudRoots: null, acceptExpiredEk: false } as const;
const INPUT: CertificateInput = {
  nodes: ["n-3", "n-1", "n-2", "n-10"].map((name) => nodeOf(name, name === "n-2" ? { running: NEW } : {})),
  verdict: "proven",
  fleet: { name: "fleet.yaml", sha256: FLEET ?? "" },
  policies: [{ ...POLICY, vouchedBy: null, firmwarePolicy: null, maxAgeSeconds: 60 }],
  challenge: "audit 7",
  verifier: "ashlar 0.1.0",
  issuedAtMs: NOW,
  validForMs: 24 * HOUR,
};
const salt = (): Uint8Array => randomBytes(16);
const make = (change: Partial<CertificateInput> = {}, keys: { privateKey: KeyObject; publicKey: KeyObject } = KEYS) =>
  makeCertificate({ ...INPUT, ...change }, signerOf(keys), salt);
const TEXT = make();
const GOOD: CheckInput = { publicKey: KEYS.publicKey, nowMs: NOW + HOUR };

type Written = Record<string, unknown> & { nodes: NodeRecord[]; node: NodeRecord; running: Record<string, Running> };

/** The codes of what is refused after a change to the document. */
function codes(
  change: (written: Written) => object = (written) => written,
  input: CheckInput = GOOD,
  text = TEXT,
): unknown {
  const written: Written = JSON.parse(text);
  return checkCertificate(parseCertificate(JSON.stringify(change(written))), input).refusals.map(({ code }) => code);
}

test("a certificate holds: by Ed25519 and by ECDSA on P-256, before it expires", () => {
  assert.deepEqual(codes(), []);
  const ecdsa = make({}, ECDSA);
  assert.deepEqual(
    codes((written) => written, { ...GOOD, publicKey: ECDSA.publicKey }, ecdsa),
    [],
  );
  const { predicate } = checkCertificate(parseCertificate(TEXT), GOOD);
  assert.deepEqual(predicate?.identities, [
    { identity: A, release: "1.0.0", nodes: 3 },
    { identity: B, release: "1.1.0", nodes: 1 },
  ]);
  assert.deepEqual(predicate.levels, { proven: 4, reported: 0, mismatch: 0, unknown: 0 });
  assert.deepEqual([predicate.verdict, predicate.tree.size, predicate.challenge], ["proven", 4, "audit 7"]);
  const none = checkCertificate(parseCertificate(make({ nodes: [], verdict: "unknown" })), GOOD);
  assert.deepEqual([none.refusals, none.predicate?.tree.size], [[], 0]);
  assert.throws(() => make({ nodes: [nodeOf("a"), nodeOf("a")] }), { code: "invalid" });
  assert.throws(() => make({}, generateKeyPairSync("ec", { namedCurve: "P-384" })), { code: "invalid" });
});

test("each kind of tampering has its own reason", () => {
  const without = (at: number) => (written: Written) => ({ ...written, nodes: written.nodes.toSpliced(at, 1) });
  for (let at = 0; at < 4; at++) assert.deepEqual(codes(without(at)), ["node-left-out"]);
  const changed = (change: Partial<NodeRecord>) => (written: Written) => ({
    ...written,
    nodes: written.nodes.map((node, index) => (index === 1 ? { ...node, ...change } : node)),
  });
  const names = parseNames(TEXT);
  assert.deepEqual(names, ["n-1", "n-10", "n-2", "n-3"]);
  assert.deepEqual(codes(changed({ name: "n-11" })), ["node-changed"]);
  assert.deepEqual(codes(changed({ level: "mismatch" })), ["node-changed"]);
  assert.deepEqual(codes(changed({ evidence: "e".repeat(63).concat("f") })), ["node-changed"]);
  assert.deepEqual(codes(changed({ runs: A ?? "" })), ["node-changed"]);
  const twice = (written: Written) => ({
    ...written,
    nodes: written.nodes.toSpliced(1, 0, ...written.nodes.slice(0, 1)),
  });
  assert.deepEqual(codes(twice), ["node-twice"]);
  const instead = (written: Written) => ({
    ...written,
    nodes: written.nodes.with(1, written.nodes[0] ?? written.node),
  });
  assert.deepEqual(codes(instead), ["node-twice"]);
  assert.deepEqual(
    codes((written) => ({ ...written, nodes: written.nodes.toReversed() })),
    ["node-order"],
  );
  const more = (written: Written) => {
    const [first] = written.nodes;
    assert.ok(first !== undefined);
    return { ...written, nodes: [...written.nodes, { ...first, name: "z" }] };
  };
  assert.deepEqual(codes(more), ["node-added"]);
  const release = (written: Written) => {
    const running = Object.entries(written.running).map(([key, value]) => [key, { ...value, release: "9.9.9" }]);
    return { ...written, running: Object.fromEntries(running) };
  };
  assert.deepEqual(codes(release), ["running-changed"]);
  assert.deepEqual(
    codes((written) => ({ ...written, running: {} })),
    ["running-changed"],
  );
  const other: Written = JSON.parse(make());
  const otherTree = (written: Written) => ({ ...written, nodes: other.nodes, root: other["root"] });
  assert.deepEqual(codes(otherTree), ["other-tree"]);
  assert.deepEqual(
    codes((written) => ({ ...written, payloadType: "text/plain" })),
    ["payload-type"],
  );
  assert.deepEqual(codes(resigned("application/vnd.dsse+json")), ["payload-type"]);
  assert.deepEqual(
    codes((written) => written, { ...GOOD, publicKey: ECDSA.publicKey }),
    ["other-key"],
  );
  assert.deepEqual(codes(payload((text) => text.replace("audit 7", "audit 8"))), ["signature"]);
  assert.deepEqual(
    codes((written) => written, { ...GOOD, nowMs: NOW + 25 * HOUR }),
    ["expired"],
  );
  assert.deepEqual(
    codes((written) => written, { ...GOOD, nowMs: NOW - HOUR }),
    ["not-yet-valid"],
  );
  assert.deepEqual(
    codes((written) => written, { ...GOOD, challenge: "audit 8" }),
    ["other-challenge"],
  );
  const random = make({ challenge: null });
  assert.deepEqual(
    codes((written) => written, { ...GOOD, challenge: "audit 7" }, random),
    ["other-challenge"],
  );
});

test("the fleet's file decides which nodes there have to be", () => {
  const names = ["n-1", "n-2", "n-3", "n-10"];
  const check = (fleet: CheckInput["fleet"], text = TEXT): unknown =>
    codes((written) => written, { ...GOOD, fleet }, text);
  const sha256 = FLEET ?? "";
  assert.deepEqual(check({ sha256, names, isWhole: true }), []);
  assert.deepEqual(check({ sha256: A ?? "", names, isWhole: true }), ["other-fleet"]);
  assert.deepEqual(check({ sha256, names, isWhole: true }, make({ fleet: null })), ["other-fleet"]);
  // The signer itself has left one out, or has one of its own: the file tells.
  assert.deepEqual(check({ sha256, names: [...names, "n-4"], isWhole: true }), ["node-left-out"]);
  assert.deepEqual(check({ sha256, names: names.slice(1), isWhole: true }), ["node-added"]);
  assert.deepEqual(check({ sha256, names: names.slice(1), isWhole: false }), []);
});

test("a signer whose counts do not follow from its nodes is refused", () => {
  const lie = (change: (predicate: Record<string, unknown>) => object) =>
    payload((text) => {
      const statement: { predicate: Record<string, unknown> } = JSON.parse(text);
      return JSON.stringify({ ...statement, predicate: { ...statement.predicate, ...change(statement.predicate) } });
    }, true);
  assert.deepEqual(codes(lie(() => ({ verdict: "unknown" }))), ["summary"]);
  assert.deepEqual(codes(lie(() => ({ levels: { proven: 3, reported: 1, mismatch: 0, unknown: 0 } }))), ["summary"]);
  assert.deepEqual(codes(lie(() => ({ identities: [] }))), ["summary"]);
  assert.deepEqual(codes(lie(() => ({ fleet: null }))), ["summary"]);
  assert.deepEqual(codes(lie(() => ({ more: 1 }))), ["statement"]);
  assert.deepEqual(codes(payload((text) => text.replace("/fleet-certificate/v1", "/fleet-certificate/v2"), true)), [
    "statement",
  ]);
  assert.deepEqual(codes(payload(() => "[]", true)), ["statement"]);
  const wrong = make({ nodes: [nodeOf("a", { level: "mismatch" })], verdict: "proven" });
  assert.deepEqual(
    codes((written) => written, GOOD, wrong),
    ["summary"],
  );
});

test("a proof for one node holds alone, and shows no other", () => {
  const fleet = parseCertificate(TEXT) as FleetCertificate;
  for (const name of parseNames(TEXT)) {
    const proof = makeNodeCertificate(fleet, name);
    assert.deepEqual(
      codes((written) => written, GOOD, proof),
      [],
    );
    const shown = proof + Buffer.from(JSON.parse(proof).payload, "base64").toString();
    for (const other of fleet.nodes.filter((node) => node.name !== name)) {
      assert.ok(!shown.includes(`"${other.name}"`), `${name}: ${other.name}`);
      assert.ok(!shown.includes(other.salt));
    }
    const changed = (written: Written) => ({ ...written, node: { ...written.node, level: "reported" } });
    assert.deepEqual(codes(changed, GOOD, proof), ["node-changed"]);
    const moved = (written: Written) => ({ ...written, index: (Number(written["index"]) + 1) % 4 });
    assert.deepEqual(codes(moved, GOOD, proof), ["node-changed"]);
    assert.deepEqual(
      codes((written) => ({ ...written, path: [] }), GOOD, proof),
      ["other-tree"],
    );
    assert.deepEqual(
      codes((written) => ({ ...written, running: {} }), GOOD, proof),
      ["running-changed"],
    );
    const other = makeNodeCertificate(parseCertificate(make()) as FleetCertificate, name);
    const { payload: own, signatures }: Written = JSON.parse(proof);
    assert.deepEqual(
      codes((written) => ({ ...written, payload: own, signatures }), GOOD, other),
      ["other-tree"],
    );
    assert.deepEqual(
      codes((written) => written, { ...GOOD, nowMs: NOW + 25 * HOUR }, proof),
      ["expired"],
    );
  }
  assert.throws(() => makeNodeCertificate(fleet, "n-4"), { code: "not-found" });
});

test("openssl verifies what is signed: DSSE's encoding of type and payload, with either kind of key", () => {
  for (const keys of [KEYS, ECDSA]) {
    const { payloadType, payload: body, signatures } = JSON.parse(make({}, keys));
    assert.equal(payloadType, PAYLOAD_TYPE);
    assert.equal(signatures[0].keyid, keyIdOf(keys.publicKey));
    const payloadBytes = Buffer.from(body, "base64");
    const [signed, sig, key] = ["signed", "sig", "key.pem"].map((name) => join(directory, name));
    assert.ok(signed !== undefined && sig !== undefined && key !== undefined);
    // As the specification writes it, and not by our own code.
    writeFileSync(
      signed,
      Buffer.concat([Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${payloadBytes.length} `), payloadBytes]),
    );
    writeFileSync(sig, Buffer.from(signatures[0].sig, "base64"));
    writeFileSync(key, keys.publicKey.export({ type: "spki", format: "pem" }));
    const digest = keys === ECDSA ? ["-digest", "sha256"] : [];
    const args = ["pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", ...digest, "-in", signed, "-sigfile", sig];
    assert.match(execFileSync("openssl", args, { encoding: "utf8" }), /Verified Successfully/u);
  }
  assert.equal(
    preAuthEncoding("http://example.com/HelloWorld", Buffer.from("hello world")).toString(),
    "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  );
});

test("the subject is the fleet's file, for tools that compare files, and the root is no file's digest", () => {
  const statement = JSON.parse(Buffer.from(JSON.parse(TEXT).payload, "base64").toString());
  const { nodes, root } = parseCertificate(TEXT) as FleetCertificate;
  assert.equal(root, treeRoot(nodes.map(recordHash)).toString("hex"));
  assert.deepEqual(statement.subject, [
    { name: "fleet.yaml", digest: { sha256: FLEET } },
    { name: "nodes", digest: { rfc6962Sha256: root } },
  ]);
});

test("a changed byte anywhere is refused", () => {
  const bytes = Buffer.from(TEXT);
  const JSON_SPACE = new Set([0x0a, 0x20]);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const byte = bytes[at] ?? 0;
      const changed = Buffer.from(bytes);
      changed[at] = byte ^ change;
      // Only what JSON itself does not tell apart may stay the same.
      if (JSON_SPACE.has(byte) && [0x09, 0x0a, 0x0d, 0x20].includes(byte ^ change)) return;
      // A key's name is a hint, as DSSE says: each signature is tried.
      if (isInside(TEXT, at, '"keyid":"')) return;
      assert.notDeepEqual(attempt(changed.toString("utf8")), [], `${at}`);
    }),
    { numRuns: 400 },
  );
});

test("any text is a certificate, or an error of ours", () => {
  const part = fc.constantFrom(...TEXT.split(/(?<=[,{}[\]])/u), "null", '"nodes": []', '"node": {}', "1e999");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      attempt(parts.join(""));
    }),
  );
});

test("the published schemas have the members", () => {
  for (const [schema, members] of [
    [certificateJsonSchema(), ["nodes", "node", "path", "salt", "challengedAt"]],
    [fleetCertificateJsonSchema(), ["issuedAt", "policies", "challenge", "identities"]],
  ] as const) {
    for (const member of members) assert.ok(JSON.stringify(schema).includes(`"${member}"`), member);
  }
});

function parseNames(text: string): string[] {
  const certificate = parseCertificate(text);
  return certificate.kind === "fleet" ? certificate.nodes.map(({ name }) => name) : [];
}

/** Whether a place is in the text that begins after a mark and ends at the next quote. */
function isInside(text: string, at: number, mark: string): boolean {
  const start = text.indexOf(mark) + mark.length;
  return at >= start && at < text.indexOf('"', start);
}

function attempt(text: string): readonly string[] {
  try {
    return checkCertificate(parseCertificate(text), GOOD).refusals.map(({ code }) => code);
  } catch (error) {
    if (error instanceof AshlarError) return [error.code];
    throw error;
  }
}

/** Another statement; signed anew, where the signer itself shall be wrong. */
function payload(change: (text: string) => string, isSigned = false): (written: Written) => object {
  return (written) => {
    const body = Buffer.from(change(Buffer.from(String(written["payload"]), "base64").toString()));
    const sig = sign(null, preAuthEncoding(PAYLOAD_TYPE, body), KEYS.privateKey).toString("base64");
    const signatures = isSigned ? [{ keyid: keyIdOf(KEYS.publicKey), sig }] : written["signatures"];
    return { ...written, payload: body.toString("base64"), signatures };
  };
}

/** The same statement, signed as something of another type. */
function resigned(payloadType: string): (written: Written) => object {
  return (written) => {
    const body = Buffer.from(String(written["payload"]), "base64");
    const sig = sign(null, preAuthEncoding(payloadType, body), KEYS.privateKey).toString("base64");
    return { ...written, payloadType, signatures: [{ sig }] };
  };
}
