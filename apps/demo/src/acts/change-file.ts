import { mkdir, writeFile } from "node:fs/promises";
import type { Outcome, Stage } from "../stage.ts";

/** An image that differs in one file boots on another machine, and cannot pass for the declared one. */
export async function changeFile(stage: Stage): Promise<Outcome> {
  const changed = "/usr/lib/sysctl.d/10-ashlar.conf";
  const tree = stage.path("changed-tree");
  await mkdir(`${tree}/lib/sysctl.d`, { recursive: true });
  await writeFile(`${tree}/lib/sysctl.d/10-ashlar.conf`, "kernel.kexec_load_disabled = 0\n");
  const image = stage.path("changed-image");
  const keys = ["--release-keys", stage.path("keys")];
  await stage.mustRun("image", "build", "--version", "1.0.0", ...keys, "--add-tree", tree, "--out", image);
  await stage.mustRun(
    "lab",
    "up",
    "--nodes",
    "1",
    "--image",
    image,
    "--config",
    "examples/worker.bu",
    "--name",
    "demo-changed",
  );
  try {
    const { fleet } = await stage.prove(
      "--lab",
      "demo-changed",
      "--image",
      stage.path("image"),
      "--known-image",
      image,
    );
    const words = fleet.nodes.flatMap(({ differences }) => differences.map(({ what, found }) => `${what}: ${found}`));
    const naming = words.find((line) => line.includes(changed));
    return {
      attempt: `a machine boots an image in which ${changed} differs, under the same version`,
      result: `${fleet.verdict}: ${naming ?? words[0] ?? "no difference named"}`,
      held: fleet.verdict === "mismatch" && naming !== undefined,
    };
  } finally {
    await stage.ashlar("lab", "down", "--name", "demo-changed");
  }
}
