import { AshlarError } from "@ashlar/base";
import { declaring, ExtensionLab, type ExtensionTree, ExtensionWorld } from "../e2e/extension-lab.ts";
import { removeLabOnSignal } from "../e2e/world.ts";
import type { Bench, BenchResult } from "./bench.ts";
import { median } from "./evidence.ts";

const NAME = "bench-refresh";
const DEFAULT_ROUNDS = 5;
const SITE = treeOf("site");
const TOOLS = treeOf("tools");
const IMAGE = `/opt/extensions/tools/tools-${TOOLS.version}-x86-64.raw`;
const LINK = "/run/extensions/tools.raw";
const CONFIG = declaring(["{name: site, version: v*, tier: opt-in}", "{name: tools, version: v*, tier: opt-in}"]);

export const bench: Bench = {
  name: "refresh with one more extension, from the request to measured and merged (TCG)",
  against: "systemd-sysext refresh on the same node with the same images, unmeasured",
  reach: { comparison: "at most", value: 1.5, unit: "times" },
  command: "npm run bench -- extension-refresh",
  run: async (rounds = DEFAULT_ROUNDS) => await measure(rounds),
};

/** A sysext of 200 programs. */
function treeOf(name: string): ExtensionTree & { readonly version: string } {
  const programs = Array.from({ length: 200 }, (_, index) => `${name}-${index}`);
  const files = Object.fromEntries(programs.map((each) => [`usr/bin/${each}`, `#!/bin/sh\necho ${each}\n`]));
  return { name, version: "v1", files };
}

async function measure(rounds: number): Promise<BenchResult> {
  removeLabOnSignal(NAME);
  const world = new ExtensionWorld(NAME);
  await world.make();
  await world.publish(SITE, TOOLS);
  const lab = await ExtensionLab.up(NAME, world, CONFIG);
  try {
    return await compare(lab, rounds);
  } finally {
    await lab.down();
  }
}

/** In turns, after one round that fills the page cache. */
async function compare(lab: ExtensionLab, rounds: number): Promise<BenchResult> {
  const own: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const times = [await timeOwn(lab), await timePeer(lab)] as const;
    console.error(`  round ${round} of ${rounds}: ${times[0]} ms, systemd-sysext ${times[1]} ms`);
    if (round === 0) continue;
    own.push(times[0]);
    theirs.push(times[1]);
  }
  const detail = `${median(own)} ms, systemd-sysext ${median(theirs)} ms (medians of ${rounds}, taking turns)`;
  return { value: median(own) / median(theirs), detail };
}

/** What the updater sends. The refresher runs by then: it is woken when an image begins to be fetched, here by the removal. */
const REQUEST = String.raw`printf 'POST /v1/refresh HTTP/1.1\r\nHost: node\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' |
  socat -t 120 - UNIX-CONNECT:/run/ashlar-refresher.sock,shut-none`;

async function timeOwn(lab: ExtensionLab): Promise<number> {
  await lab.mustRun(`mv ${IMAGE} /opt/extensions/aside && ${REQUEST}`);
  await expectTools(lab, false);
  const milliseconds = await timeOnNode(lab, `mv /opt/extensions/aside ${IMAGE}`, REQUEST);
  await expectTools(lab, true);
  return milliseconds;
}

async function timePeer(lab: ExtensionLab): Promise<number> {
  await lab.mustRun(`rm ${LINK} && systemd-sysext refresh`);
  await expectTools(lab, false);
  const milliseconds = await timeOnNode(lab, `ln -s ${IMAGE} ${LINK}`, "systemd-sysext refresh");
  await expectTools(lab, true);
  return milliseconds;
}

async function expectTools(lab: ExtensionLab, merged: boolean): Promise<void> {
  const { status } = await lab.root("tools-7");
  if ((status === 0) !== merged) {
    throw new AshlarError("failed", `expected the extension ${merged ? "to be" : "not to be"} merged`);
  }
}

/** On the node's own clock: the way there by ssh is not what is compared. */
async function timeOnNode(lab: ExtensionLab, before: string, command: string): Promise<number> {
  const script = `set -e\n${before}\nstart=$(date +%s%3N)\n${command} >/dev/null 2>&1\necho $(($(date +%s%3N) - start))`;
  return Number(await lab.mustRun(script));
}
