/** `kubectl ashlar` as kubectl finds it: by a name in the PATH. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EXIT_STATUS } from "@ashlar/base";
import { run, type RunResult } from "@ashlar/host";
import { ROOT } from "../e2e/world.ts";
import type { DrainLab } from "./drain-lab.ts";
import { kubeconfigOf } from "./operator-process.ts";

export type PluginResult = RunResult & { readonly text: string };

export class KubectlPlugin {
  readonly #lab: DrainLab;
  readonly #programs: string;

  private constructor(lab: DrainLab, programs: string) {
    this.#lab = lab;
    this.#programs = programs;
  }

  static async of(lab: DrainLab): Promise<KubectlPlugin> {
    const programs = join(lab.directory, "bin");
    await mkdir(programs);
    for (const name of ["kubectl-ashlar", "kubectl_complete-ashlar"])
      await symlink(join(ROOT, "ashlar"), join(programs, name));
    return new KubectlPlugin(lab, programs);
  }

  get environment(): Readonly<Record<string, string>> {
    return { ...this.#lab.access.environment, PATH: `${this.#programs}:${process.env["PATH"] ?? ""}` };
  }

  /** Ends as it ends: the test says with which status it had to. */
  async run(...args: readonly string[]): Promise<PluginResult> {
    const acceptStatus = [0, 1, 2, ...Object.values(EXIT_STATUS)];
    const ended = await run(this.#lab.access.kubectl, ["ashlar", ...args], { env: this.environment, acceptStatus });
    return { ...ended, text: ended.stdout.toString("utf8") };
  }

  /** A kubeconfig of a service account of the namespace default. */
  async kubeconfigOf(name: string): Promise<string> {
    const path = join(this.#lab.directory, `${name}.kubeconfig`);
    const token = await this.#lab.kubectl("create", "token", name);
    await writeFile(path, kubeconfigOf(this.#lab, token.trim()), { mode: 0o600 });
    return path;
  }
}
