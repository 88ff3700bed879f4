import type { Lab } from "@ashlar/lab";
import type { ActName } from "./act-names.ts";
import { buildChangedImage, changeFile } from "./acts/change-file.ts";
import { buildNextKubernetes, publishNextKubernetes, refuseTampered, updateKubelet } from "./acts/extend-nodes.ts";
import { flipByte } from "./acts/flip-byte.ts";
import { forgeEvidence } from "./acts/forge-evidence.ts";
import { lookForSession, openSession, publishDebugTools } from "./acts/leave-debug-tools.ts";
import { plantRogue } from "./acts/plant-rogue.ts";
import { publishReleases, updateNode, updateToUnhealthy } from "./acts/update-node.ts";
import { writeToNode } from "./acts/write-to-node.ts";
import type { Script } from "./script.ts";
import type { Stage } from "./stage.ts";

/** All that is played on nodes which are there; `provision` makes them. */
export type LaterAct = Exclude<ActName, "provision">;

/** The lab of an attack that needs another machine. */
export function otherLab(lab: string): string {
  return `${lab}-changed`;
}

/** Makes what an act needs besides nodes, unless that is there. */
export async function prepareAct(name: LaterAct, stage: Stage, script: Script): Promise<void> {
  const prepare = async (title: string, work: () => Promise<void>): Promise<void> =>
    stage.once(name, async () => script.build(title, work));
  switch (name) {
    case "update":
      return await prepare("Publish two more releases", async () => publishReleases(stage));
    case "kubelet":
      return await prepare("Build the next Kubernetes", async () => buildNextKubernetes(stage));
    case "attacks":
      return await prepare("Build an image with one changed file, and an extension with tcpdump", async () => {
        await buildChangedImage(stage);
        await publishDebugTools(stage);
      });
  }
}

export async function playAct(name: LaterAct, stage: Stage, script: Script, lab: Lab): Promise<void> {
  switch (name) {
    case "update":
      await script.attempt("Update one node", async () => updateNode(stage, lab.name));
      return await script.attempt("Update it to a release that is not healthy", async () =>
        updateToUnhealthy(stage, lab.name),
      );
    case "kubelet":
      await stage.once("next-kubernetes", async () => publishNextKubernetes(stage));
      await script.attempt("Update the kubelet without a reboot", async () => updateKubelet(stage, lab));
      return await script.attempt("Update it from a server that was tampered with", async () =>
        refuseTampered(stage, lab),
      );
    case "attacks":
      return await attack(stage, script, lab);
  }
}

/** The reboot of one attack is the one that another has waited for. */
async function attack(stage: Stage, script: Script, lab: Lab): Promise<void> {
  await script.attempt("Attack 1: write to a running node", async () => writeToNode(stage, lab));
  const session = await script.step("Attack 6: leave tcpdump behind, on a node that is rebooted later", async () =>
    openSession(stage, lab),
  );
  await script.attempt("Attack 2: plant a rogue unit and binary, then reboot", async () => plantRogue(stage, lab));
  await script.attempt("Attack 6: leave tcpdump behind", async () => lookForSession(stage, lab, session));
  await script.attempt("Attack 3: flip one byte on a stopped node's disk", async () => flipByte(stage, lab));
  await script.attempt("Attack 4: boot an image with one changed file", async () =>
    changeFile(stage, otherLab(lab.name)),
  );
  await script.attempt("Attack 5: replay, swap and edit evidence", async () => forgeEvidence(stage));
}
