/** Kept evidence of nodes for tests, and a signed repository of what they run. */
import { mkdir, writeFile } from "node:fs/promises";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { makeCertificate } from "@ashlar/fleet";
import { signerOf, type KeyPair } from "@ashlar/statements";
import { expectationsOf, knownExtensionOf } from "@ashlar/identity";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { KeyDirectory } from "@ashlar/keys";
import type { KnownNode } from "@ashlar/inventory";
import type { ExtensionManifest } from "@ashlar/protocol";
import type { ReleaseManifest } from "@ashlar/protocol/answers";
import {
  mergedWord,
  testExtension,
  testLogs,
  testNextBootReport,
  withExtensionWords,
} from "@ashlar/protocol/test-fixtures";
import { initRepository, publishRelease } from "@ashlar/publisher";
import { imageOf, summaryFor } from "@ashlar/repository/test-fixtures";
import { writeStoredAnswer, writeStoredFleet } from "@ashlar/verifier";
import { runningOf } from "../certificate/proved-nodes.ts";
import { proveFrom } from "../prove/prove-from.ts";

export type TestFleet = {
  readonly evidence: string;
  readonly repository: string;
  readonly releaseRoot: string;
  readonly releases: readonly [ReleaseManifest, ReleaseManifest];
  readonly extension: ExtensionManifest;
};

const deb = (name: string, version: string, source: string): ReleaseManifest["packages"][number] => ({
  name,
  version,
  architecture: "amd64",
  source: { name: source, version },
});
const file = (path: string, letter: string): ReleaseManifest["files"][number] => ({
  type: "file",
  path,
  sizeBytes: 1,
  sha256: letter.repeat(64),
});

/** The class configs of the nodes: `a` and `b` have the first one, `c` the second. */
export const CONFIGS = {
  worker: '{"ignition":{"version":"3.4.0"}}',
  storage: '{"ignition":{"version":"3.4.0"},"storage":{}}',
} as const;

/**
 * Nodes a and b run 1.0.0, c runs 1.1.0 with Kubernetes, d has not answered. The evidence knows releases by their summaries alone; the
 * lists are in the repository.
 */
export async function writeTestFleet(directory: string): Promise<TestFleet> {
  const releases = [
    manifestOf("1.0.0", 1, [deb("libssl3t64", "3.5.4-1~deb13u1", "openssl")], [file("/usr/bin/runc", "a")]),
    manifestOf("1.1.0", 2, [deb("libssl3t64", "3.5.4-1~deb13u2", "openssl")], [file("/usr/bin/runc", "b")]),
  ] as const;
  const [old, current] = releases;
  const extension: ExtensionManifest = {
    ...testExtension("kubernetes", "v1.33.4"),
    packages: [{ name: "stdlib", version: "1.24.6", architecture: "amd64" }],
    files: [file("/usr/bin/kubelet", "c")],
  };
  const repository = join(directory, "repository");
  const keys = new KeyDirectory(join(directory, "keys"), async () => Promise.reject(new TypeError("no passphrase")));
  const options = { repository, keys, nowMs: Date.now() };
  await initRepository(options, async () => Promise.resolve(undefined));
  for (const release of releases)
    await publishRelease({
      ...options,
      image: await imageDirectory(directory, release),
      channel: "stable",
      compressionLevel: 0,
    });

  const evidence = join(directory, "evidence");
  const authority = new TestAuthority();
  // The first machine makes the maker's certificates.
  const machines = [new TestNode(authority), new TestNode(authority), new TestNode(authority)] as const;
  const known = releases.map(({ packages: _packages, files: _files, ...summary }) => summary);
  await writeStoredFleet(evidence, {
    nodes: ["a", "b", "c", "d"],
    manifest: JSON.stringify(known[0]),
    ekRoots: authority.roots,
    known,
    extensions: [knownExtensionOf(extension)],
  });
  await writeAnswer(evidence, "a", machines[0], { runs: old, other: current, config: CONFIGS.worker });
  await writeAnswer(evidence, "b", machines[1], { runs: old, other: current, config: CONFIGS.worker });
  await writeAnswer(evidence, "c", machines[2], { runs: current, other: old, config: CONFIGS.storage, extension });
  return { evidence, repository, releaseRoot: join(directory, "keys", "release-root.json"), releases, extension };
}

function manifestOf(
  version: string,
  contents: number,
  packages: ReleaseManifest["packages"],
  files: ReleaseManifest["files"],
): ReleaseManifest {
  return { ...summaryFor(version, imageOf([contents, 3, 4]), ukiOf(version)), packages, files };
}

function ukiOf(version: string): Buffer {
  return Buffer.alloc(20_000, version);
}

async function imageDirectory(directory: string, release: ReleaseManifest): Promise<string> {
  const place = join(directory, release.version);
  const image = imageOf([release.version === "1.0.0" ? 1 : 2, 3, 4]);
  await mkdir(place, { recursive: true });
  for (const [name, bytes] of [
    ["manifest.json", JSON.stringify(release)],
    ["sbom.cdx.json", "{}"],
    ["usr.erofs", image.data],
    ["usr.verity", image.tree],
    ["uki.efi", ukiOf(release.version)],
  ] as const)
    await writeFile(join(place, name), bytes);
  return place;
}

async function writeAnswer(
  evidence: string,
  name: string,
  machine: TestNode,
  {
    runs,
    other,
    config,
    extension,
  }: {
    readonly runs: ReleaseManifest;
    readonly other: ReleaseManifest;
    readonly config: string;
    readonly extension?: ExtensionManifest;
  },
): Promise<void> {
  const declared = expectationsOf({ release: runs, classConfig: Buffer.from(config), nodeConfig: new Uint8Array() });
  const logs = testLogs(runs, declared.classConfigSha256, declared.nodeConfigSha256);
  machine.boot(extension === undefined ? logs : withExtensionWords(logs, [mergedWord(extension)]));
  const challenge = { nonce: Buffer.alloc(32, name), tlsPublicKey: Buffer.alloc(91, name) };
  const source = { type: "repository" } as const;
  const report = testNextBootReport([
    [runs, `ashlar_${runs.version}.efi`],
    [other, `ashlar_${other.version}+3-0.efi`],
  ]);
  await writeStoredAnswer(evidence, name, {
    evidence: machine.evidence(runs, challenge),
    ...challenge,
    challengedAtMs: Date.now(),
    pin: { ...machine.pin, enrolledAt: new Date().toISOString(), resetCount: 0 },
    expected: {
      ...declared,
      releases: [runs.uki.sha256],
      extensions: {
        ...declared.extensions,
        declared:
          extension === undefined
            ? []
            : [{ kind: "sysext", name: extension.name, pattern: "v1.*", tier: null, source }],
      },
    },
    nextBoot: { answer: machine.nextBoot(report, challenge) },
  });
}

/** A certificate of the same nodes, and the keys that sign it. */
export async function certifyTestFleet({ evidence }: Pick<TestFleet, "evidence">): Promise<{
  readonly text: string;
  readonly keys: KeyPair;
}> {
  const keys = generateKeyPairSync("ed25519");
  const { fleet } = await proveFrom(evidence, { maxAge: 3600 });
  const nodes = fleet.nodes.map((verdict) => ({
    name: verdict.name,
    level: verdict.level,
    running: runningOf(verdict),
  }));
  return { text: signTestCertificate(keys, nodes), keys };
}

export function signTestCertificate(keys: KeyPair, nodes: readonly KnownNode[]): string {
  const more = { nextBoot: null, policy: 0, challengedAt: null, evidence: null, differences: [] };
  const input = {
    nodes: nodes.map((node) => ({ ...node, ...more })),
    verdict: nodes.some(({ level }) => level === "mismatch") ? ("mismatch" as const) : ("unknown" as const),
    fleet: null,
    policies: [
      {
        ekRoots: null,
        cloudRoots: null,
        acceptExpiredEk: false,
        vouchedBy: null,
        firmwarePolicy: null,
        maxAgeSeconds: 3600,
      },
    ],
    challenge: null,
    verifier: "a test",
    issuedAtMs: Date.now(),
    validForMs: 3_600_000,
  };
  return makeCertificate(input, signerOf(keys), () => Buffer.alloc(16));
}
