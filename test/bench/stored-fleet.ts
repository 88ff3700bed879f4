/**
 * The evidence of many nodes of five identities, as `ashlar prove --evidence` keeps it: every node has a TPM key, an EK certificate and
 * a machine ID of its own, over the logs of a real boot. Made once and kept among the user's cached files, by what it is made of.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheDirectory } from "@ashlar/host";
import { expectationsOf } from "@ashlar/identity";
import { authorityExtensions, KeyedMachine, testCertificate } from "@ashlar/identity/test-fixtures";
import { testLogs, testNextBootReport, testRelease } from "@ashlar/protocol/test-fixtures";
import { keepEvidence, type StoredAnswer } from "@ashlar/verifier";

export const IDENTITIES = 5;
/** As in the demo's image. */
const FILES = 3984;
/** Each this many nodes one has measured another config than declared. */
export const WRONG_EVERY = 3333;
const MADE_OF = [
  "stored-fleet.ts",
  "../../packages/identity/src/test-keyed-machine.ts",
  "../../packages/protocol/src/test-release.ts",
  "../../packages/verifier/src/stored/answer-document.ts",
  "../../packages/verifier/src/stored/layout.ts",
  "../../packages/verifier/src/stored/write-answer.ts",
  "../../packages/verifier/src/stored/write-archive.ts",
];

const CONFIG = Buffer.from("{}");
const RELEASES = Array.from({ length: IDENTITIES }, (_, index) => {
  const files = Array.from({ length: FILES }, (_file, item) => {
    const path = `/usr/lib/x86_64-linux-gnu/some-package/file-${item}.so`;
    return { type: "file", path, sizeBytes: 4096, sha256: digest(`${item} ${item % 10 === 0 ? index : 0}`) } as const;
  });
  return testRelease(`1.${index}.0`, `1.${index}.0`, files);
});

/** @returns the archive of evidence of `count` nodes */
export async function storedFleet(count: number): Promise<string> {
  const inputs = createHash("sha256").update(`${count}`);
  for (const path of MADE_OF) inputs.update(readFileSync(join(import.meta.dirname, path)));
  const place = join(cacheDirectory(), "bench", `fleet-${inputs.digest("hex").slice(0, 16)}.tar`);
  if (!existsSync(place)) await makeFleet(place, count);
  return place;
}

async function makeFleet(place: string, count: number): Promise<void> {
  const root = testCertificate({ commonName: "Makers of TPMs", key: "rsa", extensions: authorityExtensions() });
  const issuer = testCertificate({ commonName: "Issuer", key: "rsa", issuer: root, extensions: authorityExtensions() });
  const classes = RELEASES.map((release) => {
    const expectations = expectationsOf({ release, classConfig: CONFIG, nodeConfig: CONFIG });
    const { classConfigSha256, nodeConfigSha256 } = expectations;
    const right = testLogs(release, classConfigSha256, nodeConfigSha256);
    const wrong = testLogs(release, digest("another config"), nodeConfigSha256);
    const report = testNextBootReport([[release, `ashlar_${release.version}.efi`]]);
    return { release, expectations, right, wrong, report };
  });
  const names = Array.from({ length: count }, (_, index) => `node-${index}.rack-${index % 40}.example.org`);
  mkdirSync(dirname(place), { recursive: true });
  await using keeper = await keepEvidence(place, {
    nodes: names,
    manifest: JSON.stringify(RELEASES[0]),
    ekRoots: `${root.pem}\n${issuer.pem}`,
    known: RELEASES,
    extensions: [],
  });
  for (const [index, name] of names.entries()) {
    const own = classes[index % classes.length];
    if (own === undefined) throw new TypeError("there is one for each remainder");
    const machine = new KeyedMachine(issuer);
    machine.boot(index % WRONG_EVERY === 1 ? own.wrong : own.right);
    const challenge = {
      nonce: createHash("sha256").update(name).digest(),
      tlsPublicKey: Buffer.alloc(91, index % 251),
    };
    const answer: StoredAnswer = {
      evidence: machine.evidence(own.release, challenge),
      ...challenge,
      challengedAtMs: Date.now(),
      pin: { ...machine.pin, enrolledAt: new Date().toISOString(), resetCount: 7, machineId: machine.machineId },
      expected: { ...own.expectations, releases: [own.release.uki.sha256] },
      nextBoot: { answer: machine.nextBoot(own.report, challenge) },
    };
    await keeper.keep(name, answer);
  }
  await keeper.finish();
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
