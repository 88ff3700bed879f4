import {
  JSON_TYPE,
  METRICS_TYPE,
  parseNodePath,
  servePlain,
  type PlainAnswer,
  type RunningServer,
} from "@ashlar/gateway";
import type { Watcher } from "./watcher.ts";

export type ServeOptions = {
  readonly watcher: Pick<Watcher, "board" | "illness" | "metrics">;
  readonly host: string;
  readonly port: number;
  /** Who has it may look; undefined where only this machine can connect. */
  readonly token: string | undefined;
};

/** @throws AshlarError `conflict` (the port is taken), `usage` (the address) */
export async function serveWatcher({ watcher, ...place }: ServeOptions): Promise<RunningServer> {
  const health = { "/healthz": () => watcher.illness() };
  return await servePlain({ ...place, health, answer: async (path) => await answerOf(watcher, path) });
}

async function answerOf(watcher: ServeOptions["watcher"], path: string): Promise<PlainAnswer | string> {
  if (path === "/metrics") return { type: METRICS_TYPE, body: watcher.metrics() };
  const { board } = watcher;
  if (path === "/v1/fleet") return { type: JSON_TYPE, body: JSON.stringify(board.fleetView(Date.now())) };
  const { name, file } = parseNodePath(path);
  if (name === undefined || !board.has(name)) return "expected the name of a node, found no such thing";
  if (file === undefined) return { type: JSON_TYPE, body: JSON.stringify(await board.nodeView(name, Date.now())) };
  const found = (await board.evidence?.read(name))?.files.get(file);
  if (found === undefined) return "expected the name of a file of its evidence, found no such thing";
  return { type: "application/octet-stream", body: found.bytes, isFile: true };
}
