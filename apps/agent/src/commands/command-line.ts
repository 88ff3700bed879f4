import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { AshlarError, messageOf } from "@ashlar/base";
import type { ComponentRequest, DebugRequest, UpdateRequest } from "@ashlar/protocol";
import * as help from "./help.ts";

export type Command =
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" }
  | { readonly kind: "agent" | "updater" | "refresher"; readonly idleTimeoutMs: number }
  | { readonly kind: "update"; readonly request: UpdateRequest; readonly policy: boolean; readonly json: boolean }
  | { readonly kind: "status"; readonly json: boolean }
  | { readonly kind: "rollback"; readonly json: boolean }
  | { readonly kind: "scrub"; readonly json: boolean }
  | { readonly kind: "apply-extensions"; readonly json: boolean }
  | { readonly kind: "cluster" | "boot-loader" }
  | ExtensionCommand
  | { readonly kind: "health"; readonly limitMs: number; readonly json: boolean };

/** What is ordered from the updater about extensions. */
export type ExtensionCommand = { readonly json: boolean } & (
  | { readonly kind: "extensions-status" }
  | { readonly kind: "extensions-fetch"; readonly limitMs: number }
  | { readonly kind: "extensions-policy" }
  | { readonly kind: "extensions-update"; readonly request: ComponentRequest }
  | { readonly kind: "extensions-debug"; readonly request: DebugRequest }
);

/** Set by the build; the sources run without it. */
export const VERSION: string = process.env["ASHLAR_VERSION"] ?? "0.0.0-development";

const MAX_SECONDS = 86_400;

type Values = Readonly<Record<string, string | boolean | undefined>>;

type Subcommand = {
  readonly help: string;
  readonly options: ParseArgsOptionsConfig;
  readonly command: (values: Values) => Command;
};

const JSON_OPTION = { json: { type: "boolean" } } as const;

/** By the words before the options. */
const SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map<string, Subcommand>([
  ["agent", server("agent", help.AGENT)],
  ["agent updater", server("updater", help.UPDATER)],
  ["agent refresher", server("refresher", help.REFRESHER)],
  [
    "agent update",
    {
      help: help.UPDATE,
      options: {
        ...JSON_OPTION,
        to: { type: "string" },
        channel: { type: "string" },
        "allow-downgrade": { type: "boolean" },
        retry: { type: "boolean" },
        policy: { type: "boolean" },
      },
      command: updateCommand,
    },
  ],
  ["agent status", withJson("status", help.STATUS)],
  ["agent rollback", withJson("rollback", help.ROLLBACK)],
  ["agent scrub", withJson("scrub", help.SCRUB)],
  ["agent boot-loader", { help: help.BOOT_LOADER, options: {}, command: () => ({ kind: "boot-loader" }) }],
  ["agent cluster", { help: help.CLUSTER, options: {}, command: () => ({ kind: "cluster" }) }],
  ["agent extensions apply", withJson("apply-extensions", help.EXTENSIONS_APPLY)],
  ["agent extensions status", withJson("extensions-status", help.EXTENSIONS_STATUS)],
  [
    "agent extensions fetch",
    {
      help: help.EXTENSIONS_FETCH,
      options: { ...JSON_OPTION, "time-limit": { type: "string" } },
      command: (values) => ({
        kind: "extensions-fetch",
        limitMs: seconds(values, "time-limit", help.FETCH_SECONDS),
        json: values["json"] === true,
      }),
    },
  ],
  [
    "agent extensions update",
    {
      help: help.EXTENSIONS_UPDATE,
      options: {
        ...JSON_OPTION,
        component: { type: "string" },
        to: { type: "string" },
        "allow-downgrade": { type: "boolean" },
        retry: { type: "boolean" },
        policy: { type: "boolean" },
      },
      command: extensionsUpdateCommand,
    },
  ],
  [
    "agent extensions debug",
    {
      help: help.EXTENSIONS_DEBUG,
      options: { ...JSON_OPTION, with: { type: "string" }, for: { type: "string" }, end: { type: "boolean" } },
      command: extensionsDebugCommand,
    },
  ],
  [
    "agent health",
    {
      help: help.HEALTH,
      options: { ...JSON_OPTION, "time-limit": { type: "string" } },
      command: (values) => ({
        kind: "health",
        limitMs: seconds(values, "time-limit", help.HEALTH_SECONDS),
        json: values["json"] === true,
      }),
    },
  ],
]);

/** `args`: what follows the program's name. */
export function parseCommandLine(args: readonly string[]): Command {
  const words = args.slice(0, args.findIndex((word) => word.startsWith("-")) >>> 0);
  const subcommand = SUBCOMMANDS.get(words.join(" "));
  const own = args.slice(words.length);
  if (subcommand === undefined) {
    const [first, ...others] = own;
    if (words.length === 0 && others.length === 0) {
      if (first === "--help" || first === "-h") return { kind: "help", text: help.PROGRAM };
      if (first === "--version") return { kind: "version" };
    }
    const found = words.length === 0 ? "none" : `"${words.join(" ")}"`;
    throw usage(`expected one of the commands ${[...SUBCOMMANDS.keys()].join(", ")}, found ${found}`);
  }
  const values = parseOptions(own, subcommand.options);
  if (values["help"] === true) return { kind: "help", text: subcommand.help };
  if (values["version"] === true) return { kind: "version" };
  return subcommand.command(values);
}

function server(kind: "agent" | "updater" | "refresher", text: string): Subcommand {
  return {
    help: text,
    options: { "idle-timeout": { type: "string" } },
    command: (values) => ({ kind, idleTimeoutMs: seconds(values, "idle-timeout", help.IDLE_SECONDS) }),
  };
}

function withJson(
  kind: "status" | "rollback" | "scrub" | "apply-extensions" | "extensions-status",
  text: string,
): Subcommand {
  return { help: text, options: JSON_OPTION, command: (values) => ({ kind, json: values["json"] === true }) };
}

function updateCommand(values: Values): Command {
  const { to, channel, retry, policy = false, json = false } = values;
  const request: UpdateRequest = {
    ...(typeof to === "string" ? { to } : {}),
    ...(typeof channel === "string" ? { channel } : {}),
    ...(values["allow-downgrade"] === true ? { allowDowngrade: true } : {}),
    ...(retry === true ? { retry: true } : {}),
  };
  if (policy === true && Object.keys(request).length > 0) {
    throw usage(`--policy cannot be combined with --${Object.keys(request).join(", --")}`);
  }
  if (to !== undefined && channel !== undefined) throw usage("expected --to or --channel, found both");
  return { kind: "update", request, policy: policy === true, json: json === true };
}

function extensionsUpdateCommand(values: Values): Command {
  const { component, to, retry, policy = false } = values;
  const json = values["json"] === true;
  const request = {
    ...(typeof to === "string" ? { to } : {}),
    ...(values["allow-downgrade"] === true ? { allowDowngrade: true } : {}),
    ...(retry === true ? { retry: true } : {}),
  };
  if (policy === true) {
    if (component === undefined && Object.keys(request).length === 0) return { kind: "extensions-policy", json };
    throw usage("--policy cannot be combined with another choice");
  }
  if (typeof component !== "string") throw usage("expected --component NAME or --policy, found neither");
  return { kind: "extensions-update", request: { component, ...request }, json };
}

function extensionsDebugCommand(values: Values): Command {
  const { with: extension, end = false } = values;
  if (typeof extension !== "string") throw usage("expected --with NAME, found none");
  if (end === true && values["for"] !== undefined) throw usage("expected --for or --end, found both");
  const forSeconds = end === true ? 0 : seconds(values, "for", help.DEBUG_SECONDS) / 1000;
  return { kind: "extensions-debug", request: { extension, seconds: forSeconds }, json: values["json"] === true };
}

function seconds(values: Values, name: string, otherwise: number): number {
  const value = Number(values[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 1 || value > MAX_SECONDS) {
    throw usage(`--${name}: expected 1 to ${MAX_SECONDS} seconds, found ${String(values[name])}`);
  }
  return value * 1000;
}

function parseOptions(args: readonly string[], options: ParseArgsOptionsConfig): Values {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { ...options, help: { type: "boolean", short: "h" }, version: { type: "boolean" } },
    });
    return values;
  } catch (error) {
    throw usage(messageOf(error));
  }
}

function usage(message: string): AshlarError {
  return new AshlarError("usage", message, { hint: "see `ashlar agent --help`" });
}
