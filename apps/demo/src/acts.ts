import type { Lab } from "@ashlar/lab";
import type { ActName } from "./act-names.ts";
import { changeFile } from "./acts/change-file.ts";
import { NEXT_KUBERNETES, publishKubernetes, refuseTampered, updateKubelet } from "./acts/extend-nodes.ts";
import { flipByte } from "./acts/flip-byte.ts";
import { forgeEvidence } from "./acts/forge-evidence.ts";
import { lookForSession, openSession } from "./acts/leave-debug-tools.ts";
import { plantRogue } from "./acts/plant-rogue.ts";
import { updateNode, updateToUnhealthy } from "./acts/update-node.ts";
import { writeToNode } from "./acts/write-to-node.ts";
import type { Script } from "./script.ts";
import type { Stage } from "./stage.ts";

/** All that is played on nodes which are there; `provision` makes them. */
export type LaterAct = Exclude<ActName, "provision">;

/** The lab of an attack that needs another machine. */
export function otherLab(lab: string): string {
  return `${lab}-changed`;
}

export async function playAct(name: LaterAct, stage: Stage, script: Script, lab: Lab): Promise<void> {
  switch (name) {
    case "update":
      await script.attempt("Update one node", async () => updateNode(stage, lab.name));
      return await script.attempt("Update it to a release that is not healthy", async () =>
        updateToUnhealthy(stage, lab.name),
      );
    case "kubelet":
      await script.attempt("Update the kubelet without a reboot", async () => {
        await publishNextKubernetes(stage);
        return await updateKubelet(stage, lab);
      });
      return await script.attempt("Update it from a server that was tampered with", async () =>
        refuseTampered(stage, lab),
      );
    case "attacks":
      return await attack(stage, script, lab);
  }
}

/** Only now, that no node takes it before its turn. */
export async function publishNextKubernetes(stage: Stage): Promise<void> {
  await stage.once(`publish-next-${NEXT_KUBERNETES}`, async () => publishKubernetes(stage, NEXT_KUBERNETES));
}

/**
 * The reboot of one attack is the one that another has waited for, and the machine of a third boots beside it: a boot does not
 * keep two processors busy.
 */
async function attack(stage: Stage, script: Script, lab: Lab): Promise<void> {
  await script.attempt("Attack 1: write to a running node", async () => writeToNode(stage, lab));
  const session = await script.step("Attack 6: leave tcpdump behind, on a node that is rebooted later", async () =>
    openSession(stage, lab),
  );
  const besides = script.attemptBeside("Attack 4: boot an image with one changed file", async () =>
    changeFile(stage.beside("attack 4"), otherLab(lab.name)),
  );
  try {
    await script.attempt("Attack 2: plant a rogue unit and binary, then reboot", async () => plantRogue(stage, lab));
    await script.attempt("Attack 6: leave tcpdump behind", async () => lookForSession(stage, lab, session));
    await script.attempt("Attack 3: flip one byte on a stopped node's disk", async () => flipByte(stage, lab));
  } finally {
    await besides;
  }
  await script.attempt("Attack 5: replay, swap and edit evidence", async () => forgeEvidence(stage));
}
