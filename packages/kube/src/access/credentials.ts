import { resolve } from "node:path";
import { AshlarError, membersOf, messageOf } from "@ashlar/base";
import { readLimited, run } from "@ashlar/host";
import type { ClusterAccess, Login, Source } from "./kubeconfig.ts";

/** What one connection says about who asks. */
export type Credentials = {
  readonly token?: string;
  /** PEM. */
  readonly certificate?: Uint8Array | string;
  readonly key?: Uint8Array | string;
};

const MAX_CREDENTIAL_BYTES = 1024 * 1024;
/** A person may have to log in in a browser. */
const PROGRAM_TIMEOUT_MS = 300_000;
/** What is about to run out is asked for anew. */
const EARLY_MS = 30_000;

/** Reads what a kubeconfig says about who asks, each time it may have changed. */
export class CredentialSource {
  readonly #login: Login;
  readonly #access: ClusterAccess;
  #made: { readonly credentials: Credentials; readonly untilMs: number } | undefined;

  constructor(access: ClusterAccess) {
    this.#login = access.login;
    this.#access = access;
  }

  /** @throws AshlarError when a file or a program does not give them */
  async get(signal: AbortSignal): Promise<Credentials> {
    const login = this.#login;
    if (login.kind === "none") return {};
    if (login.kind === "token") return { token: login.token };
    if (login.kind === "token-file") {
      const bytes = await readLimited(login.path, MAX_CREDENTIAL_BYTES, { what: "a token", links: "follow" });
      return { token: bytes.toString("utf8").trim() };
    }
    if (login.kind === "certificate") {
      return { certificate: await readSource(login.certificate), key: await readSource(login.key) };
    }
    if (this.#made === undefined || this.#made.untilMs - EARLY_MS < Date.now()) {
      this.#made = await askProgram(login, this.#access, signal);
    }
    return this.#made.credentials;
  }

  /** The server does not take them: a program is asked anew, once. */
  forget(): boolean {
    const had = this.#made !== undefined;
    this.#made = undefined;
    return had;
  }
}

export async function readSource(source: Source): Promise<Uint8Array> {
  if ("bytes" in source) return source.bytes;
  return await readLimited(source.path, MAX_CREDENTIAL_BYTES, { what: "a certificate or key", links: "follow" });
}

async function askProgram(
  { program, directory }: Extract<Login, { kind: "program" }>,
  access: ClusterAccess,
  signal: AbortSignal,
): Promise<{ readonly credentials: Credentials; readonly untilMs: number }> {
  const { apiVersion, command, args, env, installHint } = program;
  const cluster = program.provideClusterInfo === true ? { cluster: await clusterInfo(access) } : {};
  const question = { apiVersion, kind: "ExecCredential", spec: { interactive: false, ...cluster } };
  const named = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
  let answer: unknown;
  try {
    // A path in the kubeconfig is relative to it; a bare name is searched for.
    const { stdout } = await run(command.includes("/") ? resolve(directory, command) : command, args ?? [], {
      env: { ...named, KUBERNETES_EXEC_INFO: JSON.stringify(question) },
      signal,
      timeoutMs: PROGRAM_TIMEOUT_MS,
    });
    if (stdout.length > MAX_CREDENTIAL_BYTES) throw new AshlarError("limit", "it printed more than credentials");
    answer = JSON.parse(stdout.toString("utf8"));
  } catch (error) {
    if (error instanceof AshlarError && error.code === "interrupted") throw error;
    const hint = installHint === undefined ? {} : { hint: installHint };
    // What JSON.parse complains about may be a part of a token.
    const why = error instanceof AshlarError ? messageOf(error) : "it printed no JSON";
    throw new AshlarError("failed", `expected credentials from ${command}: ${why}`, hint);
  }
  return credentialsIn(answer, command);
}

function credentialsIn(
  answer: unknown,
  command: string,
): { readonly credentials: Credentials; readonly untilMs: number } {
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = membersOf(membersOf(answer)["status"]);
  const until = typeof expirationTimestamp === "string" ? Date.parse(expirationTimestamp) : Number.NaN;
  const untilMs = Number.isNaN(until) ? Number.POSITIVE_INFINITY : until;
  const hasPair = typeof clientCertificateData === "string" && typeof clientKeyData === "string";
  const pair = hasPair ? { certificate: clientCertificateData, key: clientKeyData } : {};
  if (typeof token === "string") return { credentials: { token, ...pair }, untilMs };
  if (hasPair) return { credentials: pair, untilMs };
  throw new AshlarError("failed", `expected a token or a certificate in status from ${command}, found neither`);
}

async function clusterInfo({ server, authority, tlsServerName }: ClusterAccess): Promise<object> {
  return {
    server: server.href,
    ...(tlsServerName === undefined ? {} : { "tls-server-name": tlsServerName }),
    ...(authority === undefined
      ? {}
      : { "certificate-authority-data": Buffer.from(await readSource(authority)).toString("base64") }),
  };
}
