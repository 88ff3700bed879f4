import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { levelWithNextBoot } from "@ashlar/identity";
import type { Outcome, Stage } from "../stage.ts";

export const GOOD = "1.1.0";
export const UNHEALTHY = "1.2.0";
export const FIRST_RELEASE = "1.0.0";
export const NEXT_RELEASES: readonly string[] = [GOOD, UNHEALTHY];
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

/** The health check of the last one fails. */
export async function buildRelease(stage: Stage, version: string): Promise<void> {
  const options = version === UNHEALTHY ? ["--add-tree", await writeUnhealthyTree(stage)] : [];
  await buildImage(stage, imageOf(stage, version), version, ...options);
}

/**
 * The release that the nodes have goes to the channel that they follow; others to another one, so that a node which looks for
 * updates by itself meanwhile finds none.
 */
export async function publishRelease(stage: Stage, version: string): Promise<void> {
  const place = ["--repo", stage.path("repository"), "--keys", stage.path("keys")];
  const channel = version === FIRST_RELEASE ? [] : ["--channel", "testing"];
  await stage.mustRun("release", "publish", ...place, "--image", imageOf(stage, version), ...channel, ...QUICK);
}

function imageOf(stage: Stage, version: string): string {
  return stage.path(version === FIRST_RELEASE ? "image" : `image-${version}`);
}

async function writeUnhealthyTree(stage: Stage): Promise<string> {
  const tree = stage.path("unhealthy-tree");
  const check = `${tree}/lib/ashlar/health.d/disk`;
  await mkdir(`${tree}/lib/ashlar/health.d`, { recursive: true });
  await writeFile(check, `#!/bin/sh\necho ${REASON}\nexit 1\n`);
  await chmod(check, 0o755);
  return tree;
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
