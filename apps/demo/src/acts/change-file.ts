import { mkdir, writeFile } from "node:fs/promises";
import type { Outcome, Stage } from "../stage.ts";
import { buildImage } from "./update-node.ts";

const CHANGED = "/usr/lib/sysctl.d/10-ashlar.conf";

/** The first release once more, but for one file. */
export async function buildChangedImage(stage: Stage): Promise<void> {
  const tree = stage.path("changed-tree");
  await mkdir(`${tree}/lib/sysctl.d`, { recursive: true });
  await writeFile(`${tree}/lib/sysctl.d/10-ashlar.conf`, "kernel.kexec_load_disabled = 0\n");
  await buildImage(stage, stage.path("changed-image"), "1.0.0", "--add-tree", tree);
}

/** An image that differs in one file boots on another machine, and cannot pass for the declared one. */
export async function changeFile(stage: Stage, lab: string): Promise<Outcome> {
  const image = stage.path("changed-image");
  const machine = ["--nodes", "1", "--image", image, "--config", "examples/node.bu"];
  await stage.mustRun("lab", "up", ...machine, "--name", lab);
  try {
    const known = ["--image", stage.path("image"), "--known-image", image];
    const { fleet } = await stage.prove("--lab", lab, ...known);
    const words = fleet.nodes.flatMap(({ differences }) => differences.map(({ what, found }) => `${what}: ${found}`));
    const naming = words.find((line) => line.includes(CHANGED));
    return {
      attempt: `a machine boots an image in which ${CHANGED} differs, under the same version`,
      result: `${fleet.verdict}: ${naming ?? words[0] ?? "no difference named"}`,
      held: fleet.verdict === "mismatch" && naming !== undefined,
      reach: "runs as it is, on that machine; it is never taken for the declared release",
      stoppedBy: "PCR 4 and the root hash of /usr are others; with both images at hand the verdict names the file",
    };
  } finally {
    await stage.takeDown(lab);
  }
}
