/** Starts one of the node's services as systemd does: with a listening socket that is there already. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { linkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

export type TestSocketService = {
  /** The module below `src`, and what it exports to run the service. */
  readonly module: string;
  readonly run: string;
  /** `FileDescriptorName=` of its socket. */
  readonly name: string;
  readonly socketPath: string;
  /** What is the root directory to it. */
  readonly root: string;
  readonly idleTimeoutMs: number;
};

export async function startSocketService({
  module,
  run,
  name,
  socketPath,
  root,
  idleTimeoutMs,
}: TestSocketService): Promise<ChildProcess> {
  const listener = createServer();
  const bound = `${socketPath}.bound`;
  listener.listen(bound);
  await once(listener, "listening");
  // Node removes the path that it has bound when it closes the socket; this other name stays.
  linkSync(bound, socketPath);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node has no public way to a socket's descriptor
  const { fd } = (listener as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const script = `import { ${run} } from ${JSON.stringify(join(import.meta.dirname, "..", module))};
    import { nodePaths } from ${JSON.stringify(join(import.meta.dirname, "node-paths.ts"))};
    await ${run}({ idleTimeoutMs: ${idleTimeoutMs} }, process.env, nodePaths(${JSON.stringify(root)}));`;
  const command = [process.execPath, "--input-type=module-typescript", "-e", script];
  const child = spawn("sh", ["-c", 'LISTEN_PID=$$ exec "$@"', "sh", ...command], {
    stdio: ["ignore", "ignore", "ignore", fd],
    env: { ...process.env, LISTEN_FDS: "1", LISTEN_FDNAMES: name },
  });
  listener.close();
  return child;
}
