import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { needs } from "@ashlar/base/test-needs";

/** A software TPM of its own, spoken to by tpm2-tools over a socket in its temporary directory. */
export type Swtpm = Disposable & {
  /** Where the tools run: file arguments are relative to it. */
  readonly directory: string;
  read(file: string): Uint8Array;
  /** Runs a tool that must succeed, then frees the TPM's three transient slots. */
  run(tool: string, ...args: readonly string[]): string;
  /** Whether the tool succeeds; for checks that may say no. */
  succeeds(tool: string, ...args: readonly string[]): boolean;
};

const START_TIMEOUT_MS = 5000;

/** The reason to skip a test that needs a software TPM, or false. */
export function missingTpmTools(): string | false {
  return needs("swtpm", "tpm2_quote");
}

export async function startSwtpm(): Promise<Swtpm> {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-swtpm-"));
  const socket = join(directory, "tpm.sock");
  const server = [`--server=type=unixio,path=${socket}`, `--ctrl=type=unixio,path=${socket}.ctrl`];
  const state = ["--tpm2", `--tpmstate=dir=${directory}`, "--flags=not-need-init,startup-clear"];
  const child = spawn("swtpm", ["socket", ...state, ...server], { stdio: "ignore" });
  const stop = (): void => {
    process.removeListener("exit", stop);
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  };
  process.once("exit", stop);
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!existsSync(socket) || !existsSync(`${socket}.ctrl`)) {
    if (Date.now() > deadline) throw new Error("swtpm made no socket");
    await setTimeout(10);
  }
  const env = { ...process.env, TPM2TOOLS_TCTI: `swtpm:path=${socket}` };
  const start = (tool: string, args: readonly string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(tool, args, { cwd: directory, env, encoding: "utf8" });
  return {
    directory,
    read: (file) => readFileSync(join(directory, file)),
    run: (tool, ...args) => {
      const { status, stdout, stderr } = start(tool, args);
      if (status !== 0) throw new Error(`${tool} ${args.join(" ")} ended with ${status}: ${stderr}`);
      if (tool !== "tpm2_startauthsession") start("tpm2_flushcontext", ["--transient-object"]);
      return stdout;
    },
    succeeds: (tool, ...args) => start(tool, args).status === 0,
    [Symbol.dispose]: stop,
  };
}
