import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DeclaredNodes } from "@ashlar/verifier/declared";

/** The nodes of a lab. Their pins go when the lab goes: its TPMs do, too. */
export async function nodesOfLab(name: string, classConfig: Uint8Array | undefined): Promise<DeclaredNodes> {
  const { openLab } = await import("@ashlar/lab");
  const lab = await openLab(name);
  return {
    nodes: lab.nodes.map((node) => ({
      name: node.name,
      url: node.agentUrl,
      classConfig: classConfig ?? node.classConfig,
      nodeConfig: node.nodeConfig,
      explainSilence: async () => explainSilence(await lab.consoleTail(node.name, CONSOLE_LINES), node.diskPath),
    })),
    pinsPath: join(dirname(lab.manifestPath), "pins.json"),
    manifestPath: lab.manifestPath,
    ekRootsPath: lab.ekRootsPath,
    ...(lab.repository === undefined || !existsSync(lab.repository.trustedRootPath)
      ? {}
      : { repository: { releases: lab.repository.directory, releaseRoot: lab.repository.trustedRootPath } }),
  };
}

const CONSOLE_LINES = 400;
const MAX_SHOWN_CHARACTERS = 200;

/** The kernel's own word about blocks of /usr that are not what their hashes say, and what the disk says about them. */
async function explainSilence(consoleLines: readonly string[], diskPath: string): Promise<string | undefined> {
  const line = consoleLines.find((each) => /verity.*corrupt/iu.test(each));
  if (line === undefined) return undefined;
  const { verifyImage } = await import("@ashlar/image");
  const { problems } = await verifyImage(diskPath);
  const damage = problems.find(({ block }) => block !== undefined)?.message ?? "its disk agrees with its hashes now";
  return `its console says: ${line.trim().slice(0, MAX_SHOWN_CHARACTERS)}; ${damage}`;
}
