import type { FleetVerdict } from "@ashlar/identity";
import type { Script } from "../script.ts";
import type { Stage } from "../stage.ts";
import { buildRelease, FIRST_RELEASE, makeRepository } from "./update-node.ts";

/** What all else is made for. */
export async function buildFirst(stage: Stage, script: Script): Promise<void> {
  await script.build("Make a signed repository", async () => makeRepository(stage));
  await script.build("Build the operating system image", async () => buildRelease(stage, FIRST_RELEASE));
}

/** Two nodes from one file. Gives the verdict on both. */
export async function provision(stage: Stage, script: Script, lab: string): Promise<FleetVerdict> {
  await script.step("Boot two nodes from one Butane file", async () => {
    const machines = ["--nodes", "2", "--image", stage.path("image"), "--config", "examples/worker.bu"];
    const place = ["--name", lab, "--repo", stage.path("repository"), "--keys", stage.path("keys")];
    await stage.mustRun("lab", "up", ...machines, ...place);
  });
  return await script.step("Prove that both run exactly what was declared", async () => {
    const { fleet } = await stage.proveLab(lab, "--evidence", stage.path("evidence"));
    return fleet;
  });
}
