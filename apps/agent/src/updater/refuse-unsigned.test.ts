import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { sha256, writeCertificateList } from "@ashlar/formats";
import { refuseUnsigned } from "./refuse-unsigned.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-refuse-unsigned-"));
after(() => rmSync(directory, { recursive: true }));

const OWNER = Buffer.alloc(900, 1);
const VENDOR = "77fa9abd-0359-4d32-bd60-28f4e78f784b";
/** As a machine has it that came with others' certificates, too: more than a page. */
const DB = Buffer.concat(
  [...[2, 3, 4, 5, 6].map((octet) => Buffer.alloc(900, octet)), OWNER].map((each) =>
    writeCertificateList(each, VENDOR),
  ),
);

function machine(variables: Readonly<Record<string, Uint8Array>>): string {
  const path = mkdtempSync(join(directory, "efivars-"));
  for (const [name, value] of Object.entries(variables)) {
    const vendor = name === "db" ? "d719b2cb-3d3a-4596-a3bc-dad00e67656f" : "8be4df61-93ca-11d2-aa0d-00e098032b8c";
    writeFileSync(join(path, `${name}-${vendor}`), Buffer.concat([Buffer.alloc(4, 6), value]));
  }
  return path;
}

const signedBy = (certificate: Uint8Array) => {
  const key = { certificateSha256: sha256(certificate), variableSha256: sha256("auth") };
  return { version: "1.1.0", secureBoot: { PK: key, KEK: key, db: key } };
};
const UNSIGNED = { version: "1.1.0" };
const ON = { SecureBoot: Uint8Array.of(1), db: DB };
const OFF = { SecureBoot: Uint8Array.of(0), db: DB };

for (const [title, variables, release, message] of [
  ["off: any release", OFF, UNSIGNED, undefined],
  ["no such firmware: any release", {}, UNSIGNED, undefined],
  ["on: one that a certificate in db has signed", ON, signedBy(OWNER), undefined],
  ["on: one that nobody has signed", ON, UNSIGNED, /1\.1\.0: expected .* found a release that is not signed/u],
  ["on: one of another owner", ON, signedBy(Buffer.from("x")), /found one by [0-9a-f]{64}/u],
  ["on, without db", { SecureBoot: Uint8Array.of(1) }, signedBy(OWNER), /found one by/u],
] as const) {
  test(`Secure Boot ${title}`, async () => {
    const answer = refuseUnsigned(machine(variables), release);
    if (message === undefined) await answer;
    else await assert.rejects(answer, { code: "untrusted", message });
  });
}

test("a db that cannot be read lets nothing be installed", async () => {
  const variables = { ...ON, db: DB.subarray(0, -1) };
  await assert.rejects(refuseUnsigned(machine(variables), signedBy(OWNER)), { code: "malformed" });
});
