import { readFile } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { run } from "@ashlar/host";
import { parseMachineFacts, type MachineFacts } from "./machine-facts.ts";

/** As root if that needs no password: logs and TPM are for root alone on most machines. */
const START = 'if [ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null; then exec sh -s; else exec sudo -n sh -s; fi';

const SSH_OPTIONS = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20"] as const;

/**
 * Asks this machine, or one that OpenSSH reaches with the user's own configuration, what there is to know about its TPM and
 * firmware. Nothing is installed there and nothing is changed.
 *
 * @throws AshlarError `unavailable` when it cannot be asked, `malformed` when its answer cannot be read
 */
export async function askMachine(sshHost: string | undefined, signal?: AbortSignal): Promise<MachineFacts> {
  if (sshHost?.startsWith("-")) throw new AshlarError("usage", `expected a host after --ssh, found ${sshHost}`);
  const input = await readFile(new URL("ask-machine.sh", import.meta.url));
  const [program, args] =
    sshHost === undefined ? (["sh", ["-c", START]] as const) : (["ssh", [...SSH_OPTIONS, sshHost, START]] as const);
  try {
    const { stdout } = await run(program, args, { input, signal });
    return parseMachineFacts(stdout.toString("utf8"));
  } catch (error) {
    if (!(error instanceof AshlarError) || error.code !== "failed") throw error;
    throw new AshlarError("unavailable", error.message, { hint: `does ssh ${sshHost ?? ""} work without a question?` });
  }
}
