import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { levelWithNextBoot } from "@ashlar/identity";
import type { Outcome, Stage } from "../stage.ts";

const GOOD = "1.1.0";
const UNHEALTHY = "1.2.0";
/** Only plain systemd-sysupdate reads what is compressed here. */
const QUICK = ["--compression", "0"] as const;
const REASON = "the disk controller does not answer";

/** A repository, and keys whose public half every image carries. */
export async function makeRepository(stage: Stage): Promise<void> {
  const [repository, keys] = [stage.path("repository"), stage.path("keys")];
  for (const old of [repository, keys]) await rm(old, { recursive: true, force: true });
  await stage.mustRun("release", "init", "--repo", repository, "--keys", keys);
}

/** Every image carries the public half of the repository's keys. */
export async function buildImage(stage: Stage, image: string, version: string, ...options: string[]): Promise<void> {
  const keys = ["--release-keys", stage.path("keys")];
  await stage.mustRun("image", "build", "--version", version, ...keys, "--out", image, ...options);
}

export async function publishImage(stage: Stage, image: string, ...options: string[]): Promise<void> {
  const place = ["--repo", stage.path("repository"), "--keys", stage.path("keys")];
  await stage.mustRun("release", "publish", ...place, "--image", image, ...options, ...QUICK);
}

/**
 * Two more releases, in another channel than the one that the nodes follow, so that a node which looks for updates by itself
 * meanwhile finds none. The health check of the last one fails.
 */
export async function publishReleases(stage: Stage): Promise<void> {
  const tree = stage.path("unhealthy-tree");
  const check = `${tree}/lib/ashlar/health.d/disk`;
  await mkdir(`${tree}/lib/ashlar/health.d`, { recursive: true });
  await writeFile(check, `#!/bin/sh\necho ${REASON}\nexit 1\n`);
  await chmod(check, 0o755);
  for (const [version, options] of [
    [GOOD, []],
    [UNHEALTHY, ["--add-tree", tree]],
  ] as const) {
    const image = stage.path(`image-${version}`);
    await buildImage(stage, image, version, ...options);
    await publishImage(stage, image, "--channel", "testing");
  }
}

/** One node moves to the next release while the other one stays; both are proven as what they should be. */
export async function updateNode(stage: Stage, lab: string): Promise<Outcome> {
  const { nodes } = await stage.update("--lab", lab, "--to", GOOD, "--only", "node-1");
  const bytes = nodes[0]?.bytes;
  const { fleet } = await stage.proveLab(lab);
  const runs = fleet.nodes.map((node) => `${node.name} ${node.release ?? "?"} ${levelWithNextBoot(node)}`);
  const megabytes = (count: number): string => `${(count / 1e6).toFixed(1)} MB`;
  const fetched = bytes ? `, ${megabytes(bytes.fetched)} fetched of ${megabytes(bytes.total)}` : "";
  return {
    attempt: `node-1 is updated to ${GOOD}, node-2 is not`,
    result: `${runs.join(", ")}${fetched}`,
    held: runs.join() === `node-1 ${GOOD} proven,node-2 1.0.0 proven`,
  };
}

/** A release that its own health check finds wanting is given up: the previous one comes back on its own, with the reason. */
export async function updateToUnhealthy(stage: Stage, lab: string): Promise<Outcome> {
  const { status, nodes } = await stage.update("--lab", lab, "--to", UNHEALTHY, "--only", "node-1");
  const failure = nodes[0]?.failure;
  const { fleet } = await stage.proveLab(lab);
  const node = fleet.nodes.find(({ name }) => name === "node-1");
  const level = node === undefined ? "missing" : levelWithNextBoot(node);
  return {
    attempt: `node-1 is updated to ${UNHEALTHY}, whose health check fails`,
    result: `rolled back to ${node?.release ?? "?"} on its own, ${level}: ${failure?.check ?? "no check named"}: ${(failure?.message ?? "").replaceAll("\n", ": ")}`,
    held:
      status === 1 &&
      level === "proven" &&
      node?.release === GOOD &&
      failure?.version === UNHEALTHY &&
      failure.message.includes(REASON),
  };
}
