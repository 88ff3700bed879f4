import { parseArgs } from "node:util";
import { AshlarError, messageOf } from "@ashlar/base";

export type Command =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | { readonly kind: "agent"; readonly idleTimeoutMs: number };

/** Set by the build; the sources run without it. */
export const VERSION: string = process.env["ASHLAR_VERSION"] ?? "0.0.0-development";

const DEFAULT_IDLE_SECONDS = 60;
const MAX_IDLE_SECONDS = 86_400;

export const HELP: string = `Usage: ashlar agent [options]

Answers requests for this node's TPM evidence over HTTPS. It is started by ashlar-agent.socket, which passes the
listening socket (and the measurement logs) as systemd's file descriptors.

Options:
  --idle-timeout SECONDS  end after so long without a connection (default ${DEFAULT_IDLE_SECONDS}); the socket starts it again
  --version               print the version
  --help                  print this help

Environment:
  ASHLAR_TPM_TCTI              the TPM, in the form of tpm2-tools (default device:/dev/tpmrm0)
  ASHLAR_VERITY_STATUS_SOCKET  where \`dmsetup\` answers for /usr (default /run/ashlar-verity-status.socket)

Example:
  systemctl start ashlar-agent.socket
  curl --insecure https://127.0.0.1:7443/v1/keys`;

/** `args`: what follows the program's name. */
export function parseCommandLine(args: readonly string[]): Command {
  const { values, positionals } = parse(args);
  if (values.help === true) return { kind: "help" };
  if (values.version === true) return { kind: "version" };
  if (positionals.length !== 1 || positionals[0] !== "agent") {
    throw usage(`expected the command "agent", found ${positionals.length === 0 ? "none" : positionals.join(" ")}`);
  }
  const idleSeconds = Number(values["idle-timeout"] ?? DEFAULT_IDLE_SECONDS);
  if (!Number.isInteger(idleSeconds) || idleSeconds < 1 || idleSeconds > MAX_IDLE_SECONDS) {
    throw usage(`--idle-timeout: expected 1 to ${MAX_IDLE_SECONDS} seconds, found ${values["idle-timeout"]}`);
  }
  return { kind: "agent", idleTimeoutMs: idleSeconds * 1000 };
}

type Parsed = {
  readonly values: {
    readonly help?: boolean | undefined;
    readonly version?: boolean | undefined;
    readonly "idle-timeout"?: string | undefined;
  };
  readonly positionals: readonly string[];
};

function parse(args: readonly string[]): Parsed {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        version: { type: "boolean" },
        "idle-timeout": { type: "string" },
      },
    });
  } catch (error) {
    throw usage(messageOf(error));
  }
}

function usage(message: string): AshlarError {
  return new AshlarError("usage", message, { hint: "see `ashlar agent --help`" });
}
