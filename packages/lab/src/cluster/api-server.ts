import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { askServer } from "../ask-server.ts";
import type { ClusterPaths } from "./cluster-paths.ts";

/** Whether the API server says that it is ready to serve (Kubernetes' reference, "Kubernetes API health endpoints"). */
export async function isApiServerReady(paths: ClusterPaths, port: number, timeoutMs: number): Promise<boolean> {
  const ca = await readFile(join(paths.pki, "ca.crt")).catch(() => undefined);
  if (ca === undefined) return false;
  const answer = await askServer({ port, path: "/readyz", timeoutMs, ca });
  return answer?.status === 200;
}
