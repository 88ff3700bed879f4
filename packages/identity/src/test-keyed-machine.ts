/**
 * For tests of many nodes: a machine whose TPM is a key in this process, in the formats of a real one. It makes evidence as fast as
 * its key signs, where a swtpm takes seconds to be made. `TestNode` is the real one.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import { parseFirmwareLog, parsePublic, parseUserspaceLog, replayPcrs } from "@ashlar/formats";
import { ekExtensions, testCertificate, type TestCertificate } from "@ashlar/formats/test-certificates";
import { nextBootQualifyingData, qualifyingData, type NextBootReport } from "@ashlar/protocol";
import type { Evidence, Keys, NextBootAnswer, ReleaseManifest } from "@ashlar/protocol/answers";
import {
  firmwareLogBytes,
  osReleaseOf,
  TEST_MACHINE_ID,
  userspaceLogBytes,
  type TestLogs,
} from "@ashlar/protocol/test-fixtures";
import { nameOfKey, type PinnedKeys } from "./check/check-keys.ts";
import { eventsByPcr } from "./check/check-logs.ts";
import { certificateSha256 } from "./check/maker-certificate.ts";
import { firmwareOf, type PinnedFirmware } from "./judge/judge-firmware.ts";

type Challenge = { readonly nonce: Uint8Array; readonly tlsPublicKey: Uint8Array };

/** fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign: as the agent makes its key. */
const ATTRIBUTES = 0x0005_0072;
const [ECC, NULL, SHA256, ECDSA, P256] = [0x0023, 0x0010, 0x000b, 0x0018, 0x0003];
const RESET_COUNT = 7;

export class KeyedMachine {
  readonly keys: Keys & { readonly ekCertificate: Uint8Array };
  readonly machineId: string;
  readonly #key: KeyObject;
  #firmwareLog: Uint8Array = new Uint8Array();
  #userspaceLog: Uint8Array = new Uint8Array();
  #pcrs: ReadonlyMap<number, string> = new Map();

  /** @param issuer of its EK certificate */
  constructor(issuer: TestCertificate) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#key = privateKey;
    const ekCertificate = testCertificate({ issuer, extensions: ekExtensions() }).der;
    this.keys = { ak: tpm2bPublic(publicKey), ekCertificate };
    this.machineId = randomBytes(16).toString("hex");
  }

  /** Starts anew with these logs, in which its machine ID takes the place of the usual one. */
  boot(logs: TestLogs): void {
    const words = logs.words.map(({ pcr, word }) => ({ pcr, word: word.replace(TEST_MACHINE_ID, this.machineId) }));
    this.#firmwareLog = firmwareLogBytes(logs.firmware);
    this.#userspaceLog = userspaceLogBytes(words);
    const [firmware, userspace] = [parseFirmwareLog(this.#firmwareLog), parseUserspaceLog(this.#userspaceLog)];
    const values = replayPcrs(firmware, userspace, "sha256");
    this.#pcrs = new Map([...values].map(([pcr, value]) => [pcr, Buffer.from(value).toString("hex")]));
  }

  /** What an enrolment of this machine would pin now. */
  get pin(): PinnedKeys & { readonly firmware: PinnedFirmware } {
    const events = eventsByPcr(parseFirmwareLog(this.#firmwareLog), { events: [] });
    return {
      ekSha256: certificateSha256(this.keys.ekCertificate),
      akName: nameOfKey(parsePublic(this.keys.ak)),
      firmware: firmwareOf({ pcrs: { sha256: this.#pcrs }, events }),
    };
  }

  evidence(
    release: ReleaseManifest,
    { nonce, tlsPublicKey }: Challenge,
  ): Evidence & { readonly ekCertificate: Uint8Array } {
    return {
      ...this.#quote(qualifyingData(nonce, tlsPublicKey)),
      pcrs: { sha256: this.#pcrs },
      ak: this.keys.ak,
      ekCertificate: this.keys.ekCertificate,
      tlsPublicKey,
      firmwareLog: this.#firmwareLog,
      userspaceLog: this.#userspaceLog,
      osRelease: osReleaseOf(release.version),
      commandLine: `${release.commandLine}\n`,
      verity: { device: "usr", status: "V", rootHash: release.usr.rootHash },
    };
  }

  nextBoot(report: NextBootReport, { nonce, tlsPublicKey }: Challenge): NextBootAnswer {
    const reportText = JSON.stringify(report);
    return { reportText, ...this.#quote(nextBootQualifyingData(nonce, tlsPublicKey, reportText)) };
  }

  /** No endorsement key is here: such a machine is pinned by `pin`, and never enrolled. */
  activate(): Uint8Array {
    throw new Error("expected a machine that has been pinned");
  }

  /** TPMS_ATTEST (TPM 2.0 Library Part 2, 10.12.8) of PCRs 0 to 15, and its TPMT_SIGNATURE. */
  #quote(extraData: Uint8Array): Pick<Evidence, "quoteMessage" | "quoteSignature"> {
    const all = createHash("sha256");
    for (let pcr = 0; pcr < 16; pcr++) all.update(Buffer.from(this.#pcrs.get(pcr) ?? "", "hex"));
    const quoteMessage = Buffer.concat([
      Buffer.from("ff5443478018", "hex"),
      sized(Buffer.concat([u16(SHA256), Buffer.alloc(32, 1)])),
      sized(extraData),
      Buffer.alloc(8, 1),
      u32(RESET_COUNT),
      u32(0),
      Buffer.of(1),
      Buffer.alloc(8, 2),
      u32(1),
      u16(SHA256),
      Buffer.from("03ffff00", "hex"),
      sized(all.digest()),
    ]);
    const pair = sign("sha256", quoteMessage, { key: this.#key, dsaEncoding: "ieee-p1363" });
    const quoteSignature = Buffer.concat([
      u16(ECDSA),
      u16(SHA256),
      sized(pair.subarray(0, 32)),
      sized(pair.subarray(32)),
    ]);
    return { quoteMessage, quoteSignature };
  }
}

/** Part 2, 12.2.4 and 12.2.5. */
function tpm2bPublic(key: KeyObject): Uint8Array {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  const [policy, unique] = [sized(new Uint8Array()), [x, y].map((each) => sized(Buffer.from(each, "base64url")))];
  const parameters = [NULL, ECDSA, SHA256, P256, NULL].map(u16);
  return sized(Buffer.concat([u16(ECC), u16(SHA256), u32(ATTRIBUTES), policy, ...parameters, ...unique]));
}

function sized(bytes: Uint8Array): Buffer {
  return Buffer.concat([u16(bytes.length), bytes]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
