/** Two honest nodes with different identities, and everything that a verifier knows about them. */
import {
  expectationsOf,
  firmwareToPin,
  knownExtensionOf,
  parseEkRoots,
  type Challenge,
  type EkRoots,
  type Expectations,
  type VerificationInput,
} from "@ashlar/identity";
import { nextBootQualifyingData, qualifyingData, type ExtensionManifest } from "@ashlar/protocol";
import type { Evidence, NextBootAnswer, ReleaseManifest } from "@ashlar/protocol/answers";
import {
  firmwareLogBytes,
  TEST_MACHINE_ID,
  mergedWord,
  testExtension,
  testLogs,
  testNextBootReport,
  testRelease,
  userspaceLogBytes,
  withExtensionWords,
  type TestLogs,
} from "@ashlar/protocol/test-fixtures";
import { SEPARATOR, sha256 } from "@ashlar/formats";
import { decodeLogs, replay, type Logs } from "./log-records.ts";
import { SoftTpm } from "./soft-tpm.ts";
import { vector } from "../seeds.ts";

/** When everything happens: within the validity of the certificates in test/vectors. */
export const NOW_MS: number = Date.UTC(2027, 0, 1);

export const RELEASE: ReleaseManifest = testRelease("1.0.0");
export const OTHER_RELEASE: ReleaseManifest = testRelease("1.1.0");
export const EXTENSIONS: readonly ExtensionManifest[] = [
  testExtension("kubernetes", "v1.33.2"),
  testExtension("kubernetes", "v1.33.5"),
  testExtension("debug-tools", "1.0"),
  testExtension("kubernetes", "v1.34.0"),
];
const [OLD, NEW, TOOLS] = EXTENSIONS;

const DECLARED = "extensions: [{name: kubernetes, version: v1.33.*, tier: community}]";
const CLASS_CONFIG = Buffer.from(
  JSON.stringify({
    ignition: { version: "3.3.0" },
    storage: {
      files: [{ path: "/etc/ashlar/extensions.yaml", contents: { source: `data:,${encodeURIComponent(DECLARED)}` } }],
    },
  }),
);

export type HonestNode = {
  readonly name: string;
  readonly tpm: SoftTpm;
  readonly evidence: Evidence;
  readonly logs: Logs;
  readonly nextBoot: NextBootAnswer;
  readonly challenge: Challenge;
  readonly expectations: Expectations;
  readonly input: VerificationInput;
};

function makeNode(
  name: string,
  ekCertificate: Uint8Array,
  ekRoots: EkRoots,
  merged: readonly (ExtensionManifest | undefined)[],
): HonestNode {
  const tpm = new SoftTpm(name);
  const expectations = expectationsOf({
    release: RELEASE,
    classConfig: CLASS_CONFIG,
    nodeConfig: Buffer.from(JSON.stringify({ ignition: { version: "3.3.0" }, name })),
    extensions: {
      known: EXTENSIONS.map(knownExtensionOf),
      exceptions: [{ name: "debug-tools", rootHash: null, until: new Date(NOW_MS + 3_600_000).toISOString() }],
      alsoAllowed: [],
    },
  });
  const { classConfigSha256, nodeConfigSha256 } = expectations;
  const words = merged.flatMap((extension) => (extension === undefined ? [] : [mergedWord(extension)]));
  const merging = withExtensionWords(testLogs(RELEASE, classConfigSha256, nodeConfigSha256), words);
  const machineId = sha256(name).slice(0, 32);
  const logs = {
    ...merging,
    words: merging.words.map(({ pcr, word }) => ({ pcr, word: word.replace(TEST_MACHINE_ID, machineId) })),
  };
  const firmwareLog = firmwareLogBytes(shortened(logs.firmware));
  const userspaceLog = userspaceLogBytes(logs.words);
  const pcrs = replay(firmwareLog, userspaceLog);
  const challenge = { nonce: Buffer.alloc(32, name), tlsPublicKey: Buffer.from(`the TLS key of ${name}`) };
  const report = testNextBootReport([
    [RELEASE, "ashlar_1.0.0.efi"],
    [OTHER_RELEASE, "ashlar_1.1.0+3-0.efi"],
  ]);
  const reportText = JSON.stringify(report);
  const { nonce, tlsPublicKey } = challenge;
  const evidence: Evidence = {
    ...tpm.quote(pcrs, qualifyingData(nonce, tlsPublicKey)),
    pcrs: { sha256: pcrs },
    ak: tpm.ak,
    ekCertificate,
    tlsPublicKey,
    firmwareLog,
    userspaceLog,
    osRelease: RELEASE.osRelease,
    commandLine: `${RELEASE.commandLine}\n`,
    verity: { device: "usr", status: "V", rootHash: RELEASE.usr.rootHash },
  };
  const pin = {
    ekSha256: sha256(ekCertificate),
    akName: tpm.akName,
    firmware: firmwareToPin(evidence),
    resetCount: 5,
  };
  const times = { challengedAtMs: NOW_MS, nowMs: NOW_MS, maxAgeMs: 60_000 };
  const input = { expectations, pin, challenge, ekRoots, ...times, candidates: [OTHER_RELEASE] };
  const quote = tpm.quote(pcrs, nextBootQualifyingData(nonce, tlsPublicKey, reportText));
  const records = decodeLogs(firmwareLog, userspaceLog);
  return { name, tpm, evidence, logs: records, nextBoot: { reportText, ...quote }, challenge, expectations, input };
}

/** A real boot's events, without most of what firmware measures before it hands over: a case takes half of the time. */
function shortened(events: TestLogs["firmware"]): TestLogs["firmware"] {
  const seen = new Map<number, number>();
  return events.filter(({ pcr, digest }) => {
    const count = (seen.get(pcr) ?? 0) + 1;
    seen.set(pcr, count);
    return pcr === 4 || pcr >= 8 || digest === SEPARATOR || count <= 2;
  });
}

export function makeFleet(): readonly [HonestNode, HonestNode] {
  const pem = ["swtpm-localca-rootca-cert.pem", "issuercert.pem"]
    .map((name) => Buffer.from(vector(`tpm/quotes/${name}`)).toString("utf8"))
    .join("\n");
  const ekRoots = parseEkRoots(pem);
  return [
    makeNode("node-1", vector("tpm/quotes/ek_rsa_cert.der"), ekRoots, [OLD]),
    makeNode("node-2", vector("tpm/quotes/ek_ecc_cert.der"), ekRoots, [OLD, NEW, TOOLS]),
  ];
}
