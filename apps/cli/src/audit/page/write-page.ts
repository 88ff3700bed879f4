import type { Comparison } from "@ashlar/audit";
import { writeFileAtomically } from "@ashlar/host";
import type { FailedNode } from "../read-nodes.ts";
import type { Since } from "../since.ts";
import { renderPage } from "./render-page.ts";

/** For its owner alone: names of files and users are in it. */
const MODE = 0o600;

export async function writePage(
  path: string,
  comparison: Comparison,
  failed: readonly FailedNode[],
  since: Since | undefined,
): Promise<void> {
  await writeFileAtomically(path, renderPage(comparison, failed, since), MODE);
}
