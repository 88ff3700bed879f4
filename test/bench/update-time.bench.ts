import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { cacheDirectory, withTemporaryDirectory } from "@ashlar/host";
import { buildImage } from "@ashlar/image";
import { type Lab, labDown, labUp } from "@ashlar/lab";
import { initRepository, publishRelease, serveRepository } from "@ashlar/publisher";
import { KeyDirectory, ROOT_FILE } from "@ashlar/keys";
import type { Bench, BenchResult } from "./bench.ts";
import { median } from "./evidence.ts";
import { openSlowLink } from "./slow-link.ts";

const [OLD, NEW] = ["1.0.0", "1.1.0"];
const NAME = `bench-update-${process.pid}`;
const DEFAULT_ROUNDS = 3;
/** 100 Mbit/s. */
const LINK_BYTES_PER_SECOND = 12_500_000;

export const bench: Bench = {
  name: "staging a real security update on a node (TCG, link of 100 Mbit/s)",
  against: "systemd-sysupdate on the same node fetching and installing whole files (xz -6, unsigned)",
  reach: { comparison: "at most", value: 0.7, unit: "times" },
  command: "npm run bench -- update-time",
  run: async (rounds = DEFAULT_ROUNDS) =>
    await withTemporaryDirectory(async (directory) => await measure(directory, rounds), cacheDirectory()),
};

async function measure(directory: string, rounds: number): Promise<BenchResult> {
  const [before, after] = [join(directory, "released"), join(directory, "current")];
  await buildImage({ version: OLD, suites: "released", out: before, onProgress: say });
  await buildImage({ version: NEW, suites: "current", out: after, onProgress: say });
  const repository = join(directory, "repository");
  const keys = new KeyDirectory(join(directory, "keys"), async () => "");
  const nowMs = Date.now();
  await initRepository({ repository, keys, nowMs }, async () => undefined);
  await publishRelease({ repository, keys, nowMs, image: after, channel: "stable", onProgress: say });
  const server = await serveRepository({ repository, host: "127.0.0.1", port: 0 });
  const link = await openSlowLink(Number(new URL(server.url).port), LINK_BYTES_PER_SECOND);
  try {
    const url = `http://10.0.2.2:${link.port}/`;
    const trustedRoot = await readFile(join(directory, "keys", ROOT_FILE));
    const config = classConfig(url, trustedRoot);
    return await compare({ image: before, config, peer: peerScript(url) }, rounds);
  } finally {
    link.close();
    await server.close();
  }
}

type Setting = { readonly image: string; readonly config: Uint8Array; readonly peer: string };

/** In turns, and in either order. */
async function compare(setting: Setting, rounds: number): Promise<BenchResult> {
  const own: number[] = [];
  const theirs: number[] = [];
  const timeOwn = async (): Promise<void> =>
    void own.push(await timeOnNode(setting, `ashlar agent update --to ${NEW}`));
  const timePeer = async (): Promise<void> => void theirs.push(await timeOnNode(setting, setting.peer));
  for (let round = 0; round < rounds; round++) {
    for (const measureOne of round % 2 === 0 ? [timeOwn, timePeer] : [timePeer, timeOwn]) await measureOne();
    say(`round ${round + 1} of ${rounds}: ${seconds(own.at(-1))}, systemd-sysupdate ${seconds(theirs.at(-1))}`);
  }
  const detail = `${seconds(median(own))}, systemd-sysupdate ${seconds(median(theirs))} (medians of ${rounds}, taking turns)`;
  return { value: median(own) / median(theirs), detail };
}

/** How long a script takes on a node that has just booted from a fresh disk, with nothing in its page cache. */
async function timeOnNode({ image, config }: Setting, script: string): Promise<number> {
  const lab = await labUp({
    name: NAME,
    nodes: 1,
    image,
    accelerator: "tcg",
    config: { classConfig: config },
    onProgress: () => undefined,
  });
  try {
    await onNode(lab, "sync; echo 3 >/proc/sys/vm/drop_caches");
    const start = performance.now();
    await onNode(lab, script);
    return performance.now() - start;
  } finally {
    await labDown(NAME);
  }
}

/** What an administrator writes to use the repository without Ashlar. */
function peerScript(url: string): string {
  const definition = (pattern: string, target: string): string =>
    `[Transfer]\nProtectVersion=%A\nVerify=no\n[Source]\nType=url-file\nPath=${url}stable/\nMatchPattern=${pattern}\n[Target]\nInstancesMax=2\n${target}\n`;
  const partition = (type: string, label: string): string =>
    `Type=partition\nPath=auto\nMatchPattern=${label}\nMatchPartitionType=${type}\nPartitionFlags=0\nReadOnly=1`;
  const definitions = {
    "10-usr": definition("ashlar_@v_@u.usr.raw.xz", partition("usr", "ashlar_@v")),
    "20-usr-verity": definition("ashlar_@v_@u.usr-verity.raw.xz", partition("usr-verity", "ashlar_@v_verity")),
    "30-uki": definition(
      "ashlar_@v.efi.xz",
      "Type=regular-file\nPath=/EFI/Linux\nPathRelativeTo=boot\nMatchPattern=ashlar_@v+@l-@d.efi ashlar_@v.efi\nTriesLeft=3\nTriesDone=0",
    ),
  };
  const files = Object.entries(definitions).map(
    ([name, text]) => `cat >/run/peer/${name}.transfer <<'END'\n${text}END`,
  );
  return `set -e\nmkdir -p /run/peer\n${files.join("\n")}\n/usr/lib/systemd/systemd-sysupdate --definitions=/run/peer update ${NEW}`;
}

function classConfig(url: string, trustedRoot: Buffer): Uint8Array {
  const file = (path: string, content: Buffer | string): object => ({
    path,
    contents: { source: `data:;base64,${Buffer.from(content).toString("base64")}` },
  });
  const files = [
    file("/etc/ashlar/update.yaml", JSON.stringify({ repository: url, channel: "stable" })),
    file("/etc/ashlar/release-root.json", trustedRoot),
  ];
  return Buffer.from(JSON.stringify({ ignition: { version: "3.3.0" }, storage: { files } }));
}

async function onNode(lab: Lab, script: string): Promise<void> {
  const { status, output } = await lab.root("node-1", script);
  if (status !== 0) throw new AshlarError("failed", `on the node: status ${status}: ${output.slice(-800)}`);
}

function say(message: string): void {
  console.error(`  ${message}`);
}

function seconds(milliseconds: number | undefined): string {
  return `${((milliseconds ?? Number.NaN) / 1000).toFixed(1)} s`;
}
