/** Starts one of the node's services as systemd does: with listening sockets that are there already. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { linkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";

export type TestSocketService = {
  /** The module below `src`, and what it exports to run the service. */
  readonly module: string;
  readonly run: string;
  /** Paths of its sockets, each with its `FileDescriptorName=`. */
  readonly sockets: Readonly<Record<string, string>>;
  /** What is the root directory to it. */
  readonly root: string;
  readonly idleTimeoutMs: number;
};

export async function startSocketService({
  module,
  run,
  sockets,
  root,
  idleTimeoutMs,
}: TestSocketService): Promise<ChildProcess> {
  const listeners = await Promise.all(Object.values(sockets).map(async (path) => await listenAt(path)));
  const script = `import { ${run} } from ${JSON.stringify(join(import.meta.dirname, "..", module))};
    import { nodePaths } from ${JSON.stringify(join(import.meta.dirname, "node-paths.ts"))};
    await ${run}({ idleTimeoutMs: ${idleTimeoutMs} }, process.env, nodePaths(${JSON.stringify(root)}));`;
  const command = [process.execPath, "--input-type=module-typescript", "-e", script];
  const child = spawn("sh", ["-c", 'LISTEN_PID=$$ exec "$@"', "sh", ...command], {
    stdio: ["ignore", "ignore", "ignore", ...listeners.map(descriptorOf)],
    env: {
      ...process.env,
      LISTEN_FDS: String(listeners.length),
      LISTEN_FDNAMES: Object.keys(sockets).join(":"),
    },
  });
  for (const listener of listeners) listener.close();
  return child;
}

async function listenAt(socketPath: string): Promise<Server> {
  const listener = createServer();
  const bound = `${socketPath}.bound`;
  listener.listen(bound);
  await once(listener, "listening");
  // Node removes the path that it has bound when it closes the socket; this other name stays.
  linkSync(bound, socketPath);
  return listener;
}

function descriptorOf(listener: Server): number {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node has no public way to a socket's descriptor
  return (listener as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}
