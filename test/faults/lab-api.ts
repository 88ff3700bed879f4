/** A lab's API server, asked in this process: a kubectl for each question would take most of the computer. */
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import type { DrainLab } from "./drain-lab.ts";

/** As much of any object as tests look at. */
export type Found = {
  readonly metadata: {
    readonly name: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string }[];
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
};

export class LabApi implements Disposable {
  readonly #server: URL;
  readonly #token: string;
  readonly #agent: Agent;

  private constructor(server: URL, token: string, ca: Buffer) {
    this.#server = server;
    this.#token = token;
    this.#agent = new Agent({ ca, keepAlive: true });
  }

  /** Who may do everything. */
  static async open(lab: DrainLab): Promise<LabApi> {
    const name = "everything";
    await lab.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name } });
    await lab.kubectl(
      "create",
      "clusterrolebinding",
      name,
      "--clusterrole=cluster-admin",
      `--serviceaccount=default:${name}`,
    );
    const token = await lab.kubectl("create", "token", name, "--duration=8h");
    return new LabApi(new URL(lab.server), token.trim(), await readFile(join(lab.pki, "ca.crt")));
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  async get(path: string): Promise<Found> {
    return (await this.#ask("GET", path)) as Found;
  }

  async list(path: string): Promise<readonly Found[]> {
    return ((await this.#ask("GET", path)) as { readonly items: readonly Found[] }).items;
  }

  async patch(path: string, body: object, type: "merge" | "strategic-merge" = "merge"): Promise<void> {
    await this.#ask("PATCH", path, body, `application/${type}-patch+json`);
  }

  async create(path: string, body: object): Promise<void> {
    await this.#ask("POST", path, body, "application/json");
  }

  async remove(path: string): Promise<void> {
    await this.#ask("DELETE", path);
  }

  async #ask(method: string, path: string, body?: object, type?: string): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const headers = {
      authorization: `Bearer ${this.#token}`,
      accept: "application/json",
      ...(type === undefined ? {} : { "content-type": type }),
    };
    const url = new URL(path, this.#server);
    const sent = request(url, { method, agent: this.#agent, headers, timeout: 60_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.once("error", reject);
      response.once("end", () => {
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) resolve(text);
        else reject(new Error(`${method} ${path}: ${statusCode}: ${text}`));
      });
    });
    sent.once("timeout", () => sent.destroy(new Error(`${method} ${path}: no answer`)));
    sent.once("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    return JSON.parse(await promise);
  }
}
