/** `ashlar operator` as a process of its own, as the service account that deploy/ gives its rights. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../e2e/world.ts";
import type { DrainLab } from "./drain-lab.ts";

/** Two processors may have other things to do meanwhile. */
const DEADLINE_MS = 900_000;

export class OperatorProcess implements AsyncDisposable {
  /** What it has said. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  constructor(kubeconfig: string, ...options: readonly string[]) {
    const child = spawn(join(ROOT, "ashlar"), ["operator", "--kubeconfig", kubeconfig, ...options], {
      stdio: ["ignore", "inherit", "pipe"],
      // The launcher starts another process: a kill reaches both.
      detached: true,
    });
    this.#child = child;
    // A test that is interrupted leaves nothing behind.
    const endWithUs = (): void => void (isRunning(child) && process.kill(-(child.pid ?? 0), "SIGKILL"));
    process.once("exit", endWithUs);
    child.once("exit", () => process.off("exit", endWithUs));
    createInterface({ input: child.stderr }).on("line", (line) => {
      console.log(`operator ${child.pid}: ${line}`);
      this.lines.push(line);
    });
  }

  /** @param from of its lines, which may be the first one */
  async says(pattern: RegExp, from: number = 0): Promise<string> {
    const look = (): string | undefined => this.lines.slice(from).find((line) => pattern.test(line));
    return await until(`the operator says ${pattern}`, async () => look());
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    if (!isRunning(this.#child)) return this.#child.exitCode;
    const ended = once(this.#child, "exit");
    process.kill(-(this.#child.pid ?? 0), signal);
    await ended;
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}

function isRunning({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

/** Looks again and again until there is something. */
export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let waitedMs = 0; waitedMs < DEADLINE_MS; waitedMs += 500) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(500);
  }
  throw new Error(`waited in vain: ${what}`);
}

/** A kubeconfig of the operator's service account. */
export async function operatorKubeconfig(lab: DrainLab): Promise<string> {
  const token = await lab.kubectl("create", "token", "ashlar-operator", "--namespace", "ashlar-system");
  const path = join(lab.directory, "operator.kubeconfig");
  await writeFile(path, kubeconfigOf(lab, token.trim()), { mode: 0o600 });
  return path;
}

/** A kubeconfig of whoever has the token. */
export function kubeconfigOf(lab: DrainLab, token: string): string {
  const named = { name: "own" };
  const cluster = { server: lab.server, "certificate-authority": join(lab.pki, "ca.crt") };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "own",
    contexts: [{ ...named, context: { cluster: "own", user: "own" } }],
    clusters: [{ ...named, cluster }],
    users: [{ ...named, user: { token } }],
  });
}

export type Counted = { readonly group: string; readonly resource: string; readonly subresource?: string };

/** How often the API server was asked for a resource so far, by verb: its own count. Lists and watches are not counted. */
export async function requestsFor(lab: DrainLab, counted: Counted): Promise<Readonly<Record<string, number>>> {
  const { group, resource, subresource = "" } = counted;
  const wanted = [`group="${group}",`, `resource="${resource}",`, `subresource="${subresource}",`];
  const metrics = await lab.kubectl("get", "--raw", "/metrics");
  const counts: Record<string, number> = {};
  for (const line of metrics.split("\n")) {
    const [, labels = "", count = "0"] = /^apiserver_request_total\{(.*)\} (\S+)$/u.exec(line) ?? [];
    const verb = /verb="([A-Z]+)"/u.exec(labels)?.[1] ?? "WATCH";
    const isOne = wanted.every((label) => labels.includes(label)) && verb !== "WATCH" && verb !== "LIST";
    if (isOne) counts[verb] = (counts[verb] ?? 0) + Number(count);
  }
  return counts;
}
