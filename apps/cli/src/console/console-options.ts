import { isIPv4, isIPv6 } from "node:net";
import { AshlarError } from "@ashlar/base";

export type ConsoleOptions = {
  readonly lab?: string;
  readonly fleet?: string;
  readonly from?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly listen: string;
  readonly interval: number;
  readonly maxAge: number;
  readonly json?: true;
};

/** What is shown: one of the four. */
export type ConsoleSource =
  | { readonly kind: "lab"; readonly name: string }
  | { readonly kind: "fleet"; readonly name: string }
  | { readonly kind: "evidence"; readonly name: string }
  | { readonly kind: "cluster"; readonly name: string };

/** @throws AshlarError `usage` unless exactly one source is named */
export function sourceOf({ lab, fleet, from, kubeconfig, context }: ConsoleOptions): ConsoleSource {
  const named = [
    ...(lab === undefined ? [] : [{ kind: "lab", name: lab } as const]),
    ...(fleet === undefined ? [] : [{ kind: "fleet", name: fleet } as const]),
    ...(from === undefined ? [] : [{ kind: "evidence", name: from } as const]),
    ...(kubeconfig === undefined ? [] : [{ kind: "cluster", name: context ?? kubeconfig } as const]),
  ];
  const [source] = named;
  if (source === undefined || named.length > 1) {
    throw new AshlarError("usage", "expected exactly one of --lab, --fleet, --from and --kubeconfig", {
      hint: "for example: ashlar console --lab lab",
    });
  }
  if (context !== undefined && source.kind !== "cluster")
    throw new AshlarError("usage", "expected --context only with --kubeconfig");
  return source;
}

const MAX_PORT = 65_535;

/**
 * `127.0.0.1:7480`, `localhost:7480`, `[::1]:7480`.
 *
 * @throws AshlarError `usage` for everything else: verdicts and evidence are not for everybody in the network
 */
export function parseListen(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits = ""] = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):([0-9]{1,5})$/u.exec(text) ?? [];
  const port = Number(digits);
  const host = bracketed ?? (plain === "localhost" ? "127.0.0.1" : plain);
  const isOwn = host !== undefined && ((isIPv4(host) && host.startsWith("127.")) || (isIPv6(host) && host === "::1"));
  if (isOwn && port <= MAX_PORT) return { host, port };
  throw new AshlarError("usage", `expected an address of this machine alone and a port after --listen, found ${text}`, {
    hint: "for example 127.0.0.1:7480; from elsewhere by a tunnel: ssh -L 7480:127.0.0.1:7480 HOST",
  });
}
