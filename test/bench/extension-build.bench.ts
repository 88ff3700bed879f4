import { generateKeyPairSync, randomFillSync } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildExtension, type ExtensionSigner } from "@ashlar/extensions";
import { signingCertificatePem } from "@ashlar/formats";
import { run, runForText, withTemporaryDirectory } from "@ashlar/host";
import { NO_BEHAVIOUR } from "@ashlar/protocol";
import type { Bench, BenchResult } from "./bench.ts";

/** Of programs and libraries, as a large extension has them. */
const FILES = 200;
const FILE_BYTES = 1_000_000;
const ROUNDS = 7;
const ASHLAR = join(import.meta.dirname, "../../ashlar");

export const bench: Bench = {
  name: "a signed extension image from a folder of 200 MB, with manifest and bill of materials, in a running process",
  against: "mksquashfs, veritysetup, openssl, one after the other, by hand; neither file system is compressed",
  reach: { comparison: "at most", value: 1.2, unit: "times" },
  command: "npm run bench -- extension-build",
  run: async () => await withTemporaryDirectory(measure),
};

/** Takes turns, so that whatever else the machine does weighs on all, and compares medians. */
async function measure(directory: string): Promise<BenchResult> {
  const [tree, keys, out] = [join(directory, "tree"), join(directory, "keys"), join(directory, "out")];
  await makeTree(tree);
  const signer = await makeKeys(keys);
  const own: number[] = [];
  const command: number[] = [];
  const peer: number[] = [];
  // The first makes the tools' tree, once for all later builds.
  await build(tree, signer, out);
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await timeOf(async () => await build(tree, signer, out)));
    peer.push(await timeOf(async () => await buildByHand(tree, keys, directory)));
    command.push(await timeOf(async () => await runCommand(tree, keys, out)));
  }
  const [ownMs, peerMs] = [median(own), median(peer)];
  const seconds = [ownMs, peerMs, median(command)].map((ms) => (ms / 1000).toFixed(2));
  const detail = `${seconds[0]} s, by hand ${seconds[1]} s; with its start, the command takes ${seconds[2]} s`;
  return { value: ownMs / peerMs, detail: `${detail} (medians of ${ROUNDS}, taking turns)` };
}

async function build(tree: string, signer: ExtensionSigner, out: string): Promise<void> {
  await buildExtension({
    kind: "sysext",
    name: "large",
    version: "1",
    tier: "opt-in",
    source: { type: "directory", path: tree },
    signer,
    out,
    behaviour: NO_BEHAVIOUR,
  });
}

async function runCommand(tree: string, keys: string, out: string): Promise<void> {
  const what = ["--name", "large", "--version", "1", "--from", tree];
  await run(ASHLAR, ["extension", "build", ...what, "--keys", keys, "--out", out]);
}

/** Three files, which somebody would still have to put together. */
async function buildByHand(tree: string, keys: string, directory: string): Promise<void> {
  const [image, hashTree, rootHash, signature] = ["squashfs", "verity", "root-hash", "p7s"].map((name) =>
    join(directory, `by-hand.${name}`),
  ) as [string, string, string, string];
  await Promise.all([image, hashTree].map(async (path) => await rm(path, { force: true })));
  await run("mksquashfs", [tree, image, "-noI", "-noD", "-noF", "-noX", "-no-progress", "-quiet", "-all-root"]);
  const printed = await runForText("veritysetup", ["format", image, hashTree]);
  await writeFile(rootHash, /^Root hash:\s+([0-9a-f]+)$/mu.exec(printed)?.[1] ?? "");
  const signer = ["-signer", join(keys, "extensions.crt"), "-inkey", join(keys, "extensions.pem")];
  const how = ["smime", "-sign", "-nocerts", "-noattr", "-binary", "-outform", "der"];
  await run("openssl", [...how, ...signer, "-in", rootHash, "-out", signature]);
}

async function makeTree(tree: string): Promise<void> {
  const programs = join(tree, "usr/lib/large");
  await mkdir(programs, { recursive: true });
  const content = Buffer.alloc(FILE_BYTES);
  for (let file = 0; file < FILES; file++) await writeFile(join(programs, `program-${file}`), randomFillSync(content));
}

async function makeKeys(keys: string): Promise<ExtensionSigner> {
  await mkdir(keys, { mode: 0o700 });
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 3072 });
  await writeFile(join(keys, "extensions.pem"), privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const certificatePem = signingCertificatePem(privateKey, "bench", Uint8Array.of(1));
  await writeFile(join(keys, "extensions.crt"), certificatePem);
  return { privateKey, certificatePem };
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
