import { METRICS_TYPE, servePlain, type RunningServer } from "@ashlar/gateway";

export type ServeOperatorOptions = {
  readonly host: string;
  readonly port: number;
  /** Who has it may look; undefined where only this machine can connect. */
  readonly token: string | undefined;
  /** Why this process is to be started anew; undefined when it is well. */
  readonly illness: () => string | undefined;
  /** Why it could not do its work now, nor take it over. */
  readonly unready: () => string | undefined;
  readonly metrics: () => string;
};

/** `/metrics`, and the questions of a kubelet. @throws AshlarError `conflict` (the port is taken), `usage` (the address) */
export async function serveOperator({
  illness,
  unready,
  metrics,
  ...place
}: ServeOperatorOptions): Promise<RunningServer> {
  return await servePlain({
    ...place,
    health: { "/healthz": illness, "/livez": illness, "/readyz": unready },
    answer: async (path) => {
      await Promise.resolve();
      return path === "/metrics" ? { type: METRICS_TYPE, body: metrics() } : "expected /metrics, /healthz or /readyz";
    },
  });
}
