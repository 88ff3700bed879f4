import { existsSync } from "node:fs";
import { mkdir, open, rm, statfs } from "node:fs/promises";
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { AshlarError, messageOf } from "@ashlar/base";
import { run, runForText } from "@ashlar/host";
import { AGENT_PORT } from "@ashlar/protocol";
import type { NodePaths } from "../../shared/node-paths.ts";
import { checkExtensions } from "./check-extensions.ts";
import type { Check } from "./run-check.ts";

/** The checks that every node passes before its release is kept. They do not depend on what a class configures. */
export function builtInChecks(paths: Pick<NodePaths, "state" | "extensions">): Check[] {
  const { state } = paths;
  return [
    { name: "failed-units", run: checkUnits },
    { name: "containerd", run: async (signal) => await until(signal, async () => await checkContainerd(signal)) },
    { name: "agent", run: async (signal) => await until(signal, async () => await checkAgent(signal)) },
    { name: "var", run: async () => await checkState(state) },
    { name: "extensions", run: async () => await checkExtensions(paths) },
    ...(existsSync(KUBELET_CONFIG)
      ? [
          {
            name: "kubelet",
            run: async (signal: AbortSignal) => await until(signal, async () => await checkKubelet(signal)),
          },
        ]
      : []),
  ];
}

/** Joining or ashlar-cluster.service leads to it: before that there is no kubelet that could be healthy. */
const KUBELET_CONFIG = "/etc/kubernetes/kubelet.conf";
const KUBELET_HEALTH = "http://127.0.0.1:10248/healthz";
const RETRY_MS = 1000;

/** Services come up at their own pace: only the last answer counts. */
async function until(signal: AbortSignal, check: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      await setTimeout(RETRY_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) throw error;
    }
  }
}

/** What looks at a boot must not be what condemns it, and a repository out of reach says nothing about this release. */
const UNITS_THAT_DO_NOT_COUNT: ReadonlySet<string> = new Set([
  "ashlar-health.service",
  "ashlar-failed-trial.service",
  "ashlar-update.service",
  "ashlar-component-update.service",
  "ashlar-boot-loader.service",
  "ashlar-extensions-fetch.service",
]);
const MAX_EXPLAINED_UNITS = 3;

async function checkUnits(): Promise<void> {
  const output = await runForText("systemctl", ["list-units", "--state=failed", "--plain", "--no-legend", "--full"]);
  const failed = failedUnits(output);
  if (failed.length === 0) return;
  const explained = failed.slice(0, MAX_EXPLAINED_UNITS).map(async (unit) => {
    const lines = ["--boot", `--unit=${unit}`, "--no-pager", "--output=cat", "--lines=5"];
    return `${unit}: ${await runForText("journalctl", lines).catch(messageOf)}`;
  });
  throw new AshlarError("failed", [`failed: ${failed.join(", ")}`, ...(await Promise.all(explained))].join("\n"));
}

/** From the lines of `systemctl list-units --plain --no-legend`: the name comes first. */
export function failedUnits(output: string): string[] {
  return output
    .split("\n")
    .map((line) => line.trim().split(/\s+/u, 1)[0] ?? "")
    .filter((unit) => unit !== "" && !UNITS_THAT_DO_NOT_COUNT.has(unit));
}

async function checkContainerd(signal: AbortSignal): Promise<void> {
  await run("ctr", ["--connect-timeout", "5s", "version"], { signal, timeoutMs: 20_000 });
}

/** With the TPM, as whoever asks for evidence: a node that cannot be proved is not healthy. */
async function checkAgent(signal: AbortSignal): Promise<void> {
  await expectOk("the agent", (done) =>
    // It shows who it is by a quote, which is not the matter here.
    getHttps({ port: AGENT_PORT, host: "127.0.0.1", path: "/v1/keys", rejectUnauthorized: false, signal }, done),
  );
}

async function checkKubelet(signal: AbortSignal): Promise<void> {
  await expectOk("the kubelet", (done) => getHttp(KUBELET_HEALTH, { signal }, done));
}

type Ask = (done: Parameters<typeof getHttp>[2]) => ReturnType<typeof getHttp>;

async function expectOk(who: string, ask: Ask): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  ask((response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  })?.on("error", (error) => reject(new AshlarError("unavailable", `${who} does not answer: ${error.message}`)));
  const status = await promise;
  if (status !== 200) throw new AshlarError("failed", `${who} answers with status ${status}`);
}

const MIN_FREE_FRACTION = 0.1;
const PROBE_BYTES = 4096;

/** Where the state has a partition of its own, a full /var says nothing about a release. */
async function checkState(state: string): Promise<void> {
  await mkdir(state, { recursive: true });
  const path = join(state, ".health");
  try {
    await using file = await open(path, "w", 0o600);
    await file.writeFile(Buffer.alloc(PROBE_BYTES, 1));
    await file.sync();
  } finally {
    await rm(path, { force: true });
  }
  const { bavail, blocks } = await statfs(state);
  if (bavail / blocks > MIN_FREE_FRACTION) return;
  throw new AshlarError(
    "failed",
    `/var/lib/ashlar: expected over 10 % free, found ${((100 * bavail) / blocks).toFixed(1)} %`,
  );
}
