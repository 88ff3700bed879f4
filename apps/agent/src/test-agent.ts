import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { needs } from "@ashlar/base/test-needs";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const VECTORS = fileURLToPath(new URL("../../../test/vectors/tpm/", import.meta.url));
export const FIRMWARE_LOG: string = join(VECTORS, "firmware-log-no-secure-boot/binary_bios_measurements");
export const USERSPACE_LOG: string = join(VECTORS, "firmware-log-no-secure-boot/tpm2-measure.log");

/** The reason to skip a test that needs a software TPM, or false. */
export function missingTools(): string | false {
  return needs("swtpm", "swtpm_setup", "tpm2");
}

/** A software TPM with an endorsement key and certificate, as a manufacturer ships one. */
export type TestTpm = AsyncDisposable & {
  readonly directory: string;
  readonly tcti: string;
  /** Runs one of tpm2-tools. */
  readonly tool: (name: string, ...args: readonly string[]) => string;
  /** Takes its power away without a warning, and gives it back. */
  readonly cutPower: () => Promise<void>;
};

/**
 * @param isLocked whether what the maker has stored can never be changed, as in machines
 * @param banks the PCR banks that are on
 */
export async function startTpm(isLocked: boolean = true, banks: string = "sha256"): Promise<TestTpm> {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-agent-"));
  const localCa = join(directory, "localca.conf");
  const setup = join(directory, "setup.conf");
  writeFileSync(join(directory, "localca.options"), "");
  writeFileSync(
    localCa,
    `statedir = ${directory}\nsigningkey = ${directory}/key.pem\nissuercert = ${directory}/issuer.pem\ncertserial = ${directory}/serial\n`,
  );
  writeFileSync(
    setup,
    `create_certs_tool = swtpm_localca\ncreate_certs_tool_config = ${localCa}\ncreate_certs_tool_options = ${directory}/localca.options\n`,
  );
  const locked = isLocked ? ["--lock-nvram"] : [];
  const contents = ["--create-ek-cert", ...locked, "--pcr-banks", banks];
  runOrThrow("swtpm_setup", ["--tpm2", "--config", setup, "--tpmstate", directory, ...contents]);
  const socket = join(directory, "tpm.sock");
  const server = [`--server=type=unixio,path=${socket}`, `--ctrl=type=unixio,path=${socket}.ctrl`];
  const state = ["--tpm2", `--tpmstate=dir=${directory}`, "--flags=not-need-init,startup-clear"];
  const powerOn = async (): Promise<ChildProcess> => {
    const started = spawn("swtpm", ["socket", ...state, ...server], { stdio: "ignore" });
    while (!existsSync(socket) || !existsSync(`${socket}.ctrl`)) await setTimeout(10);
    return started;
  };
  const powerOff = async (): Promise<void> => {
    child.kill("SIGKILL");
    await once(child, "exit");
    for (const path of [socket, `${socket}.ctrl`]) rmSync(path, { force: true });
  };
  let child = await powerOn();
  const tcti = `swtpm:path=${socket}`;
  return {
    directory,
    tcti,
    tool: (name, ...args) => runOrThrow(`tpm2_${name}`, args, { TPM2TOOLS_TCTI: tcti }),
    cutPower: async () => {
      await powerOff();
      child = await powerOn();
    },
    async [Symbol.asyncDispose]() {
      await powerOff();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function runOrThrow(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}: ${stderr || stdout}`);
  return stdout;
}

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
};

/** An agent process that was started as systemd starts it. */
export type TestAgent = AsyncDisposable & {
  readonly process: ChildProcess;
  readonly port: number;
  readonly ask: (method: string, path: string, body?: string) => Promise<Answer>;
  /** Closes the connections that `ask` keeps. */
  readonly disconnect: () => void;
};

export type TestAgentOptions = {
  readonly tcti: string;
  readonly runtimeDirectory: string;
  readonly idleSeconds?: number;
  readonly verityStatusSocket?: string;
};

export async function startAgent(options: TestAgentOptions): Promise<TestAgent> {
  const listener = createServer();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server's address is one
  const { port } = listener.address() as AddressInfo;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node has no public way to a socket's descriptor
  const { fd } = (listener as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const logs = [FIRMWARE_LOG, USERSPACE_LOG].map((path) => openSync(path, "r"));
  const agentCommand = [process.execPath, MAIN, "agent", "--idle-timeout", String(options.idleSeconds ?? 60)];
  // The shell knows the process's number before the program runs, as systemd does.
  const child = spawn("sh", ["-c", 'LISTEN_PID=$$ exec "$@"', "sh", ...agentCommand], {
    stdio: ["ignore", "ignore", "inherit", fd, ...logs],
    env: {
      ...process.env,
      LISTEN_FDS: "3",
      LISTEN_FDNAMES: "https:firmware-log:userspace-log",
      RUNTIME_DIRECTORY: options.runtimeDirectory,
      ASHLAR_TPM_TCTI: options.tcti,
      ASHLAR_VERITY_STATUS_SOCKET: options.verityStatusSocket ?? join(options.runtimeDirectory, "none.sock"),
    },
  });
  listener.close();
  const connections = new Agent({ keepAlive: true });
  return {
    process: child,
    port,
    ask: async (method, path, body) => await ask(connections, port, method, path, body),
    disconnect: () => connections.destroy(),
    async [Symbol.asyncDispose]() {
      connections.destroy();
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

export async function ask(
  agent: Agent | undefined,
  port: number,
  method: string,
  path: string,
  body?: string,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request({ host: "127.0.0.1", port, method, path, agent, rejectUnauthorized: false }, (incoming) => {
    let text = "";
    incoming.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }));
  });
  outgoing.on("error", reject);
  outgoing.end(body);
  return await promise;
}
