import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { parseActivateRequest, parseEvidenceRequest } from "./agent-api.ts";
import { parseActivation, parseEvidence, parseKeys } from "./evidence.ts";

const malformed = { name: "AshlarError", code: "malformed" };
const base64 = (sizeBytes: number): string => Buffer.alloc(sizeBytes, 1).toString("base64");

test("a nonce has 32 bytes in base64", () => {
  assert.equal(parseEvidenceRequest(JSON.stringify({ nonce: base64(32) })).length, 32);
  const nonces = [
    undefined,
    1,
    "",
    base64(16),
    base64(31),
    base64(33),
    base64(64),
    base64(32).replace("=", ""),
    `${base64(32)}=`,
    "!".repeat(32),
  ];
  for (const nonce of nonces) assert.throws(() => parseEvidenceRequest(JSON.stringify({ nonce })), malformed);
  for (const body of ["", "null", "[]", "1", `{"nonce":"${base64(32)}","more":1}`, `{"nonce":"${base64(32)}"}x`]) {
    assert.throws(() => parseEvidenceRequest(body), malformed, body);
  }
});

test("an activation has two members of limited size", () => {
  const request = { credentialBlob: base64(68), encryptedSecret: base64(258) };
  assert.equal(parseActivateRequest(JSON.stringify(request)).encryptedSecret.length, 258);
  for (const change of [
    { credentialBlob: base64(3) },
    { credentialBlob: base64(135) },
    { encryptedSecret: base64(515) },
  ]) {
    assert.throws(() => parseActivateRequest(JSON.stringify({ ...request, ...change })), malformed);
  }
});

test("any text gives a request, an answer or an AshlarError", () => {
  const parsers = [parseEvidenceRequest, parseActivateRequest, parseEvidence, parseKeys, parseActivation];
  fc.assert(
    fc.property(fc.constantFrom(...parsers), fc.oneof(fc.string(), fc.json()), (parse, text) => {
      try {
        parse(text);
      } catch (error) {
        if (!(error instanceof AshlarError)) throw error;
      }
    }),
  );
});

test("answers in base64 with limits: one reading for each text", () => {
  const keys = { ak: base64(88), ekPublic: base64(300), ekCertificate: base64(1000) };
  assert.equal(parseKeys(JSON.stringify(keys)).ekCertificate?.length, 1000);
  const { ekCertificate: _none, ...uncertified } = keys;
  assert.equal(parseKeys(JSON.stringify(uncertified)).ekCertificate, undefined);
  const more = parseKeys(JSON.stringify({ ...keys, ekIntermediates: [base64(900)] }));
  assert.equal(more.ekIntermediates?.[0]?.length, 900);
  const many = { ...keys, ekIntermediates: Array.from({ length: 9 }, () => "AAAA") };
  assert.throws(() => parseKeys(JSON.stringify(many)), { code: "malformed" });
  for (const change of [
    { ak: "AA" },
    { ak: "A A=" },
    { ak: base64(5000) },
    { ekCertificate: base64(9000) },
    { x: "" },
  ]) {
    assert.throws(() => parseKeys(JSON.stringify({ ...keys, ...change })), /\$(\.ak|\.ekCertificate)?:/u);
  }
});

test("evidence of an older protocol is refused in words", () => {
  const message =
    /^evidence: .*\$\.schema: expected ashlar\.evidence\/v2, found "ashlar\.evidence\/v1": .* Build a new image/u;
  assert.throws(() => parseEvidence('{"schema":"ashlar.evidence/v1"}'), { ...malformed, message });
});

test("the agent's door needs no schema library", () => {
  assert.doesNotMatch(readFileSync(new URL("agent-api.ts", import.meta.url), "utf8"), /zod/u);
});
