import type { FleetVerdict } from "@ashlar/identity";
import type { Script } from "../script.ts";
import type { Stage } from "../stage.ts";
import { publishKubernetes } from "./extend-nodes.ts";
import { buildImage, makeRepository, publishImage } from "./update-node.ts";

const FIRST_RELEASE = "1.0.0";

/** A signed repository with the release that the nodes have, and their Kubernetes. */
export async function prepareProvision(stage: Stage, script: Script): Promise<void> {
  await script.build("Make a signed repository", async () => makeRepository(stage));
  await script.build("Build the operating system image", async () =>
    buildImage(stage, stage.path("image"), FIRST_RELEASE),
  );
  await script.build("Publish it", async () => publishImage(stage, stage.path("image")));
  await script.build("Publish Kubernetes as an extension", async () => publishKubernetes(stage));
}

/** Two nodes from one file. Gives the verdict on both. */
export async function provision(stage: Stage, script: Script, lab: string): Promise<FleetVerdict> {
  await script.step("Boot two nodes from one Butane file", async () => {
    const machines = ["--nodes", "2", "--image", stage.path("image"), "--config", "examples/kubernetes-worker.bu"];
    const place = ["--name", lab, "--repo", stage.path("repository"), "--keys", stage.path("keys")];
    await stage.mustRun("lab", "up", ...machines, ...place);
  });
  return await script.step("Prove that both run exactly what was declared", async () => {
    const { fleet } = await stage.proveLab(lab, "--evidence", stage.path("evidence"));
    return fleet;
  });
}
