import type { Lab } from "@ashlar/lab";
import type { Outcome, Stage } from "../stage.ts";

/** Root tries to change what the node is made of while it runs. */
export async function writeToNode(stage: Stage, lab: Lab): Promise<Outcome> {
  const targets = [
    "/usr/bin/rogue",
    "/usr/lib/systemd/system/rogue.service",
    "/etc/rogue",
    "/etc/systemd/system/rogue.service",
  ];
  const accepted: string[] = [];
  for (const target of targets) {
    const { status, output } = await stage.onNode(lab, "node-1", `echo rogue > ${target}`);
    stage.say(`    ${output}`);
    if (status === 0) accepted.push(target);
  }
  return {
    attempt: "root writes files and units into /usr and /etc of a running node",
    result: accepted.length === 0 ? "refused: both are read-only" : `accepted: ${accepted.join(", ")}`,
    held: accepted.length === 0,
    reach: "nothing: root would first have to mount /etc writable, which is the next attack",
    stoppedBy: "/usr is read-only with dm-verity below it; /etc is sealed",
  };
}
