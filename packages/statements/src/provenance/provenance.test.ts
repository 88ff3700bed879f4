import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { signEnvelope, signerOf } from "../dsse.ts";
import { EXPECTED, INPUT, KEYS, signed } from "../test-provenance.ts";
import { verifyAsSigstore } from "../test-sigstore.ts";
import { checkProvenance, formatSignedProvenance, parseSignedProvenance } from "./check.ts";
import { makeProvenance, parseProvenance, type ProvenanceInput } from "./provenance.ts";
import { parseSbomComponents } from "./sbom-components.ts";

type Expected = typeof EXPECTED;

/** The codes of what is refused. */
function codes(change: Partial<ProvenanceInput>, expected: Partial<Expected> = {}): string[] {
  const text = signed(makeProvenance({ ...INPUT, ...change }));
  return checkProvenance(text, { ...EXPECTED, ...expected }).refusals.map(({ code }) => code);
}

test("signed provenance of what is offered, by the builder that is expected, holds", () => {
  const { provenance, refusals } = checkProvenance(signed(), EXPECTED);
  assert.deepEqual(refusals, []);
  assert.equal(provenance?.predicate.runDetails.builder.id, EXPECTED.builder);
  // A root role can name several keys.
  const other = generateKeyPairSync("ed25519");
  assert.deepEqual(codes({}, { publicKeys: [other.publicKey, KEYS.publicKey] }), []);
});

test("the same inputs give the same bytes, in whatever order the dependencies were found", () => {
  const text = makeProvenance(INPUT);
  const [first] = INPUT.materials;
  assert.ok(first !== undefined);
  assert.equal(makeProvenance({ ...INPUT, materials: [...INPUT.materials.toReversed(), first] }), text);
  assert.equal(signed(text), signed(text), "Ed25519 has no random part");
  assert.notEqual(makeProvenance({ ...INPUT, externalParameters: { version: "1.0.1" } }), text);
  assert.doesNotMatch(text, /\d{4}-\d\d-\d\dT/u, "no times");
});

test("each wrong case has its own reason", () => {
  const [bash, os, commit] = INPUT.materials;
  assert.ok(bash !== undefined && os !== undefined && commit !== undefined);
  const weak = { ...bash, digest: { md5: "a".repeat(32) } };
  const short = { ...bash, digest: { sha256: "a".repeat(63) } };
  const tool = { ...bash, annotations: { role: "build" } } as const;
  const cases: readonly (readonly [string, Partial<ProvenanceInput>, Partial<Expected>, string[]])[] = [
    ["another kind of build", { buildType: "https://example.org/build" }, {}, ["build-type"]],
    ["another builder", {}, { builder: "https://ci.example/1" }, ["builder"]],
    ["another version", { externalParameters: { version: "1.0.1" } }, {}, ["parameters"]],
    ["no version", { externalParameters: {} }, {}, ["parameters"]],
    ["a subject is left out", { subjects: INPUT.subjects.slice(1) }, {}, ["subject-missing"]],
    [
      "of another manifest",
      {},
      { artifacts: [...EXPECTED.artifacts, { name: "x", sha256: "f".repeat(64) }] },
      ["subject-missing"],
    ],
    ["a package is left out", { materials: [os] }, {}, ["material-missing"]],
    ["a package is there as a tool only", { materials: [tool] }, {}, ["material-missing"]],
    ["a weak digest", { materials: [weak] }, {}, ["material-digest"]],
    ["a short digest", { materials: [short] }, {}, ["material-digest"]],
    ["no digest", { materials: [{ ...bash, digest: {} }] }, {}, ["material-digest"]],
    [
      "a commit where a package's digest belongs",
      { materials: [{ ...bash, digest: commit.digest }] },
      {},
      ["material-digest"],
    ],
    ["files from nowhere", { materials: [bash] }, { components: { packages: [], files: 3 } }, ["source-missing"]],
    ["files from a source", { materials: [os] }, { components: { packages: [], files: 3 } }, []],
  ];
  for (const [name, change, expected, found] of cases) assert.deepEqual(codes(change, expected), found, name);
});

test("whoever has signed it is looked at before what it says", () => {
  const other = generateKeyPairSync("ed25519");
  const code = (text: string): unknown => checkProvenance(text, EXPECTED).refusals.map((each) => each.code);
  assert.deepEqual(code(signed("{}", other)), ["other-key"]);
  const envelope = parseSignedProvenance(signed());
  const changed = makeProvenance({ ...INPUT, externalParameters: { version: "9" } });
  const forged = { ...envelope, payload: Buffer.from(changed).toString("base64") };
  assert.deepEqual(code(formatSignedProvenance(forged)), ["signature"]);
  const typed = signEnvelope("application/json", Buffer.from(makeProvenance(INPUT)), signerOf(KEYS));
  assert.deepEqual(code(formatSignedProvenance(typed)), ["payload-type"]);
  assert.match(
    checkProvenance(signed("{}", other), EXPECTED).refusals[0]?.message ?? "",
    /expected a signature by the key/u,
  );
});

test("what is signed may still be no provenance", () => {
  const good: Record<string, unknown> = JSON.parse(makeProvenance(INPUT));
  for (const [statement, message] of [
    ["[]", /expected object/u],
    [
      JSON.stringify({ ...good, predicateType: "https://slsa.dev/provenance/v0.2" }),
      /found .* with https:\/\/slsa.dev\/provenance\/v0.2/u,
    ],
    [
      JSON.stringify({ ...good, _type: "https://in-toto.io/Statement/v0.1" }),
      /found https:\/\/in-toto.io\/Statement\/v0.1/u,
    ],
    [JSON.stringify({ ...good, subject: [] }), /subject/u],
    [JSON.stringify({ ...good, predicate: {} }), /buildDefinition/u],
    [
      makeProvenance(INPUT).replace('"version": "1.0.0"', '"version": "1.0.0", "version": "1.0.1"'),
      /two called "version"/u,
    ],
  ] as const) {
    const [refusal, ...more] = checkProvenance(signed(statement), EXPECTED).refusals;
    assert.deepEqual([refusal?.code, more], ["statement", []], statement.slice(0, 80));
    assert.match(refusal?.message ?? "", message);
  }
  for (const text of ["", "{}", "[1]", "x".repeat(7 * 1024 * 1024)]) {
    assert.deepEqual(
      checkProvenance(text, EXPECTED).refusals.map(({ code }) => code),
      ["statement"],
    );
  }
  const many = Array.from({ length: 20_001 }, (_, at) => ({
    name: String(at),
    digest: { sha256: "a".repeat(64) },
    annotations: { role: "build" } as const,
  }));
  assert.throws(() => makeProvenance({ ...INPUT, materials: many }), { code: "malformed" });
});

test("members of later versions are left out, and do not hide what is there", () => {
  const statement = makeProvenance(INPUT).replace(
    '"buildDefinition": {',
    '"later": 1, "buildDefinition": {"later": {},',
  );
  assert.deepEqual(checkProvenance(signed(statement), EXPECTED).refusals, []);
  assert.deepEqual(parseProvenance(statement), parseProvenance(makeProvenance(INPUT)));
});

test("sigstore's verifier takes the envelope, and refuses another key", () => {
  verifyAsSigstore(signed(), KEYS.publicKey);
  assert.throws(() => verifyAsSigstore(signed(), generateKeyPairSync("ed25519").publicKey), /verification failed/u);
});

test("any flipped bit of the envelope is refused", () => {
  const text = signed();
  fc.assert(
    fc.property(fc.nat(text.length - 2), fc.integer({ min: 0, max: 6 }), (at, bit) => {
      const bytes = Buffer.from(text);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      const changed = bytes.toString("utf8");
      // The key's name is a hint, and not signed: a good signature holds under any.
      const { keyid = "" } = parseSignedProvenance(text).signatures[0] ?? {};
      const [from, to] = [text.indexOf('"keyid"'), text.indexOf(keyid) + keyid.length];
      if (at >= from && at <= to) return;
      assert.notDeepEqual(checkProvenance(changed, EXPECTED).refusals, []);
    }),
    { numRuns: 200 },
  );
});

test("a bill of materials lists packages, and files one by one", () => {
  const library = { type: "library", name: "a", "bom-ref": "pkg:deb/debian/a@1" };
  const file = { type: "file", name: "/usr/bin/a", "bom-ref": "file:/usr/bin/a" };
  const sbom = { bomFormat: "CycloneDX", specVersion: "1.6", components: [library, file] };
  assert.deepEqual(parseSbomComponents(JSON.stringify(sbom)), { packages: [library["bom-ref"]], files: 1 });
  assert.deepEqual(parseSbomComponents('{"bomFormat":"CycloneDX"}'), { packages: [], files: 0 });
  assert.throws(() => parseSbomComponents("{}"), { code: "malformed" });
});
