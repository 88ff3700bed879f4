import { printLine } from "@ashlar/host/terminal";
import { updateLoader } from "../boot/loader/update-loader.ts";
import type { NodePaths } from "../shared/node-paths.ts";

export async function loaderCommand(paths: NodePaths): Promise<void> {
  const outcome = await updateLoader(paths);
  switch (outcome.kind) {
    case "waiting":
      printLine("systemd-boot on the ESP stays: this release has not been found healthy yet");
      return;
    case "current":
      printLine("systemd-boot on the ESP is this release's, or a newer one's");
      return;
    case "replaced":
      printLine(`systemd-boot of this release is in place: ${outcome.paths.join(", ")}`);
  }
}
