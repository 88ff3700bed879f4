import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { parseAttest } from "./attest.ts";
import { pcrDigestOf } from "./pcr-selection.ts";
import { parsePublic } from "./public.ts";
import { verifyQuoteSignature } from "./signature.ts";
import { patched } from "./test-malformed.ts";
import { missingTpmTools, startSwtpm, type Swtpm } from "./test-swtpm.ts";

const PCR_LIST = "sha256:0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15";
const PCR_BYTES = 32;

/** Where tpm2_quote's `--pcr` file has a PCR: C structures of a selection (132 bytes) and of lists of eight digests. */
function pcrOffset(pcr: number): number {
  return 132 + 4 + Math.floor(pcr / 8) * (4 + 8 * 66) + 4 + (pcr % 8) * 66 + 2;
}

type Quote = {
  readonly ak: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly nonce: Uint8Array;
  readonly pcrs: Uint8Array;
};

/**
 * `stepBytes`: how far apart the changed bytes are. `theirs`: whether tpm2_checkquote accepts the
 * scheme; version 5.4 refuses the TPM's own RSAPSS quotes.
 */
const SCHEMES = [
  { name: "ECDSA P-256", algorithm: "ecc", scheme: "ecdsa", theirs: true, stepBytes: 5 },
  { name: "RSASSA", algorithm: "rsa", scheme: "rsassa", theirs: true, stepBytes: 29 },
  { name: "RSAPSS", algorithm: "rsa", scheme: "rsapss", theirs: false, stepBytes: 29 },
] as const;

function takeQuote(tpm: Swtpm, scheme: string): Quote {
  const nonce = randomBytes(32);
  const key = ["-c", "ak.ctx", "--scheme", scheme, "-g", "sha256"];
  const outputs = ["-m", "message", "-s", "signature", "-o", "pcrs"];
  tpm.run("tpm2_quote", ...key, "-l", PCR_LIST, "-q", nonce.toString("hex"), ...outputs);
  return {
    ak: tpm.read("ak.pub"),
    message: tpm.read("message"),
    signature: tpm.read("signature"),
    nonce,
    pcrs: tpm.read("pcrs"),
  };
}

/** What tpm2_checkquote says: signature, qualifying data and PCR values. */
function theyAccept(tpm: Swtpm, quote: Quote): boolean {
  for (const name of ["ak", "message", "signature", "pcrs"] as const) {
    writeFileSync(join(tpm.directory, `check.${name}`), quote[name]);
  }
  const files = ["-u", "check.ak", "-m", "check.message", "-s", "check.signature", "-f", "check.pcrs"];
  const nonce = Buffer.from(quote.nonce).toString("hex");
  return tpm.succeeds("tpm2_checkquote", ...files, "-g", "sha256", "-q", nonce);
}

/** The same judgement with what this package offers. */
function weAccept({ ak, message, signature, nonce, pcrs }: Quote): boolean {
  try {
    if (!verifyQuoteSignature(parsePublic(ak), message, signature)) return false;
    const { extraData, selections, pcrDigest } = parseAttest(message);
    const digest = pcrDigestOf("sha256", selections, (_, pcr) =>
      pcrs.subarray(pcrOffset(pcr), pcrOffset(pcr) + PCR_BYTES),
    );
    return Buffer.compare(extraData, nonce) === 0 && Buffer.compare(digest, pcrDigest) === 0;
  } catch (error) {
    if (error instanceof AshlarError) return false;
    throw error;
  }
}

function* tampered(quote: Quote, stepBytes: number): Generator<readonly [what: string, accepted: false, quote: Quote]> {
  const flipped = (bytes: Uint8Array, offset: number): Uint8Array =>
    patched(bytes, offset, (bytes[offset] ?? 0) ^ 0x10);
  for (const field of ["message", "signature", "nonce"] as const) {
    const bytes = quote[field];
    for (let offset = 0; offset < bytes.length; offset += stepBytes) {
      yield [`${field} at ${offset}`, false, { ...quote, [field]: flipped(bytes, offset) }];
    }
    yield [`${field} cut`, false, { ...quote, [field]: bytes.subarray(0, -1) }];
  }
  for (const pcr of [0, 7, 8, 11, 15]) {
    yield [`PCR ${pcr}`, false, { ...quote, pcrs: flipped(quote.pcrs, pcrOffset(pcr)) }];
  }
}

test("agrees with tpm2_checkquote on real quotes and tampered ones", { skip: missingTpmTools() }, async (context) => {
  for (const { name, algorithm, scheme, theirs, stepBytes } of SCHEMES) {
    await context.test(name, async () => {
      using tpm = await startSwtpm();
      tpm.run("tpm2_createek", "-c", "ek.ctx", "-G", "rsa", "-u", "ek.pub");
      const key = ["-C", "ek.ctx", "-c", "ak.ctx", "-G", algorithm, "-g", "sha256", "-s", scheme];
      tpm.run("tpm2_createak", ...key, "-u", "ak.pub");
      const first = takeQuote(tpm, scheme);
      tpm.run("tpm2_pcrextend", `11:sha256=${randomBytes(PCR_BYTES).toString("hex")}`);
      const second = takeQuote(tpm, scheme);
      tpm.run("tpm2_createak", ...key, "-u", "other.pub");
      const cases: readonly (readonly [what: string, accepted: boolean, quote: Quote])[] = [
        ["first", true, first],
        ["second", true, second],
        ["first quote with the PCRs of the second", false, { ...first, pcrs: second.pcrs }],
        ["replayed for another nonce", false, { ...first, nonce: second.nonce }],
        ["signature of another quote", false, { ...first, signature: second.signature }],
        ["another key", false, { ...first, ak: tpm.read("other.pub") }],
        ...tampered(second, stepBytes),
      ];
      for (const [what, accepted, quote] of cases) {
        assert.equal(weAccept(quote), accepted, `we: ${what}`);
        if (theirs) assert.equal(theyAccept(tpm, quote), accepted, `tpm2_checkquote: ${what}`);
      }
    });
  }
});
