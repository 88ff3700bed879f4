/**
 * An attestation key outside of a TPM, for as many quotes as a fuzzer needs: one of swtpm takes a tenth of a second. Public
 * area, attributes and structures are those of a real one (test/vectors/tpm), so that a verifier sees no difference
 * (evidence.test.ts holds it against swtpm). The key is always the same: a seed stands for one case.
 */
import { createECDH, createHash, createPrivateKey, sign, type KeyObject } from "node:crypto";
import { parsePublic, nameOf, pcrDigestOf } from "@ashlar/formats";
import { vector } from "../seeds.ts";

const POINT_BYTES = 68;
const PCRS = Array.from({ length: 16 }, (_, pcr) => pcr);

export type SoftQuote = { readonly quoteMessage: Uint8Array; readonly quoteSignature: Uint8Array };

export class SoftTpm {
  /** TPM2B_PUBLIC. */
  readonly ak: Uint8Array;
  /** TPM name in hexadecimal. */
  readonly akName: string;
  readonly #key: KeyObject;

  constructor(name: string) {
    const pair = createECDH("prime256v1");
    pair.setPrivateKey(createHash("sha256").update(name).digest());
    const point = pair.getPublicKey();
    const [x, y] = [point.subarray(1, 33), point.subarray(33)];
    const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
    const jwk = { kty: "EC", crv: "P-256", x: base64url(x), y: base64url(y), d: base64url(pair.getPrivateKey()) };
    this.#key = createPrivateKey({ format: "jwk", key: jwk });
    const template = vector("tpm/quotes/ak_ecc.pub");
    this.ak = Buffer.concat([template.subarray(0, template.length - POINT_BYTES), sized(x), sized(y)]);
    this.akName = Buffer.from(nameOf(parsePublic(this.ak))).toString("hex");
  }

  /** TPMS_ATTEST of a quote over these values of PCRs 0 to 15 (TPM 2.0 Part 2, 10.12.12), and TPMT_SIGNATURE (11.3.4). */
  quote(pcrs: ReadonlyMap<number, string>, extraData: Uint8Array, resetCount = 5): SoftQuote {
    const digest = pcrDigestOf("sha256", [{ hash: "sha256", pcrs: PCRS }], (_, pcr) =>
      Buffer.from(pcrs.get(pcr) ?? "", "hex"),
    );
    const clock = Buffer.alloc(17 + 8);
    clock.writeUInt32BE(resetCount, 8);
    clock.writeUInt8(1, 16);
    const quoteMessage = Buffer.concat([
      Buffer.from("ff5443478018", "hex"),
      sized(Buffer.from(this.akName, "hex")),
      sized(extraData),
      clock,
      Buffer.from("00000001000b03ffff00", "hex"),
      sized(digest),
    ]);
    const signature = sign("sha256", quoteMessage, { key: this.#key, dsaEncoding: "ieee-p1363" });
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
    return { quoteMessage, quoteSignature: Buffer.concat([Buffer.from("0018000b", "hex"), sized(r), sized(s)]) };
  }
}

/** A TPM2B. */
function sized(bytes: Uint8Array): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}
