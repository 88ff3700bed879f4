import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import type { ClusterPaths } from "./cluster-paths.ts";

const MAX_ANSWER_BYTES = 4096;

/** Whether the API server says that it is ready to serve (Kubernetes' reference, "Kubernetes API health endpoints"). */
export async function isApiServerReady(paths: ClusterPaths, port: number, timeoutMs: number): Promise<boolean> {
  const ca = await readFile(join(paths.pki, "ca.crt")).catch(() => undefined);
  if (ca === undefined) return false;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const asked = request({ host: "127.0.0.1", port, path: "/readyz", ca, agent: false, timeout: timeoutMs });
  asked.once("response", (response) => {
    let length = 0;
    response.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_ANSWER_BYTES) asked.destroy();
    });
    response.once("end", () => resolve(response.statusCode === 200));
  });
  asked.once("timeout", () => asked.destroy());
  asked.once("error", () => resolve(false));
  asked.once("close", () => resolve(false));
  asked.end();
  return await promise;
}
