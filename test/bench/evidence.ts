/** Evidence to measure with: a real TPM's, over the logs of a real boot, and a manifest of the size of a real one. */
import { join } from "node:path";
import { run } from "@ashlar/host";
import { expectationsOf, parseEkRoots, type VerificationInput } from "@ashlar/identity";
import type { Evidence } from "@ashlar/protocol/answers";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { testLogs, testRelease } from "@ashlar/protocol/test-fixtures";
import { writeStoredAnswer, writeStoredFleet } from "@ashlar/verifier";

/** What Debian's node image has. */
const FILES = 20_000;
const CONFIG = Buffer.from("{}");
const CHALLENGE = { nonce: Buffer.alloc(32, 1), tlsPublicKey: Buffer.alloc(91, 2) };

export type MadeEvidence = { readonly evidence: Evidence; readonly input: VerificationInput };

/** One node's evidence, and `count` times the same in `directory` as `ashlar prove --evidence` keeps it. */
export async function makeEvidence(directory: string, count: number): Promise<MadeEvidence> {
  const authority = new TestAuthority();
  const node = new TestNode(authority);
  const digest = "0123456789abcdef".repeat(4);
  const files = Array.from({ length: FILES }, (_, index) => {
    const path = `/usr/lib/x86_64-linux-gnu/some-package/file-${index}`;
    return { type: "file", path, sizeBytes: index, sha256: digest } as const;
  });
  const release = testRelease("1.0.0", "1.0.0", files);
  const expectations = expectationsOf({ release, classConfig: CONFIG, nodeConfig: CONFIG });
  node.boot(testLogs(release, expectations.classConfigSha256, expectations.nodeConfigSha256));
  const evidence = node.evidence(release, CHALLENGE);
  const nowMs = Date.now();
  const pin = { ...node.pin, enrolledAt: new Date(nowMs).toISOString(), resetCount: 0 };
  const nodes = Array.from({ length: count }, (_, index) => `node-${index}`);
  const nextBoot = { level: "unknown", found: "not asked" } as const;
  const expected = { ...expectations, releases: [release.uki.sha256] };
  const answer = { evidence, ...CHALLENGE, challengedAtMs: nowMs, pin, expected, nextBoot };
  await writeStoredFleet(directory, {
    nodes,
    manifest: JSON.stringify(release),
    ekRoots: authority.roots,
    known: [],
    extensions: [],
  });
  for (const name of nodes) await writeStoredAnswer(directory, name, answer);
  const ekRoots = parseEkRoots(authority.roots);
  const times = { challengedAtMs: nowMs, nowMs, maxAgeMs: 60_000 };
  return { evidence, input: { expectations, pin, challenge: CHALLENGE, ekRoots, ...times } };
}

/** The milliseconds that tpm2-tools take for the evidence of the first `count` nodes, one after the other. */
export async function timeTools(directory: string, count: number): Promise<number> {
  const started = performance.now();
  for (let index = 0; index < count; index++) {
    const cwd = join(directory, `node-${index}`);
    const quote = ["-u", "ak.pub", "-m", "quote.msg", "-s", "quote.sig", "-q", "qualifying-data", "-g", "sha256"];
    await run("tpm2_checkquote", quote, { cwd });
    await run("tpm2_eventlog", ["firmware-log.bin"], { cwd });
  }
  return performance.now() - started;
}

/**
 * Runs `ashlar prove --from`. Since one TPM made all the evidence, exactly that must be the one thing wrong with each
 * node.
 */
export async function runProve(
  directory: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly milliseconds: number; readonly stderr: string }> {
  const started = performance.now();
  const ashlar = join(import.meta.dirname, "../../ashlar");
  const { stdout, stderr } = await run(ashlar, ["prove", "--from", directory, "--json"], { acceptStatus: [1], env });
  const milliseconds = performance.now() - started;
  const { nodes }: { nodes: { differences: { what: string; code: string }[] }[] } = JSON.parse(stdout.toString("utf8"));
  const wrong = nodes.find(({ differences }) => differences.length !== 1 || differences[0]?.code !== "tpm-shared");
  if (wrong !== undefined) throw new Error(`expected only a shared TPM, found ${JSON.stringify(wrong)}`);
  return { milliseconds, stderr };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
