import { isIP, isIPv4 } from "node:net";
import { AshlarError } from "@ashlar/base";
import type { Webhook } from "@ashlar/watch";

export type WatchOptions = {
  readonly fleet: string;
  readonly listen: string;
  readonly tokenFile?: string;
  readonly state?: string;
  /** Seconds. */
  readonly interval: number;
  readonly maxAge?: number;
  readonly webhooks?: string;
  readonly json?: true;
};

const MAX_PORT = 65_535;

export type ListenAddress = { readonly host: string; readonly port: number; readonly isOwn: boolean };

/** `127.0.0.1:7490`, `localhost:7490`, `[::1]:7490`, `0.0.0.0:7490`. @throws AshlarError `usage` */
export function parseAddress(text: string): ListenAddress {
  const [, bracketed, plain, digits = ""] = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):([0-9]{1,5})$/u.exec(text) ?? [];
  const host = bracketed ?? (plain === "localhost" ? "127.0.0.1" : plain) ?? "";
  const port = Number(digits);
  if (isIP(host) === 0 || digits === "" || port > MAX_PORT) {
    throw new AshlarError("usage", `expected an IP address and a port after --listen, found ${text}`, {
      hint: "for example 127.0.0.1:7490, or [::]:7490 for all addresses",
    });
  }
  return { host, port, isOwn: isIPv4(host) ? host.startsWith("127.") : host === "::1" };
}

const TOKEN = /^[A-Za-z0-9._~+/=-]{16,1024}$/u;

/** The one line of a file with a token. @throws AshlarError `invalid` */
export function parseToken(text: string, path: string): string {
  const token = text.trim();
  if (TOKEN.test(token)) return token;
  throw new AshlarError(
    "invalid",
    `${path}: expected one line with a token of 16 to 1024 letters, digits and ._~+/=-`,
    {
      hint: "for example: openssl rand -hex 24 > token",
    },
  );
}

const MAX_WEBHOOKS = 16;

/** Lines of kind, name and URL. @throws AshlarError `invalid`, never with an URL in it */
export function parseWebhooks(text: string, path: string): readonly Webhook[] {
  const webhooks: Webhook[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.trim().split(/\s+/u);
    if (words[0] === "" || words[0]?.startsWith("#") === true) continue;
    const refuse = (expected: string): never => {
      const hint = "a line is, for example: slack team https://hooks.slack.com/services/...";
      throw new AshlarError("invalid", `${path}, line ${index + 1}: expected ${expected}`, { hint });
    };
    const [kind, name = "", url = "", more] = words;
    if ((kind !== "slack" && kind !== "cloudevents") || more !== undefined)
      return refuse("slack or cloudevents, then a name and an URL");
    if (!/^[a-z0-9-]{1,63}$/u.test(name)) return refuse("a name of small letters, digits and hyphens");
    if (webhooks.some((each) => each.name === name)) return refuse(`each name once, found ${name} again`);
    const { protocol } = URL.parse(url) ?? {};
    if (protocol !== "https:" && protocol !== "http:") return refuse("an URL that begins with https:// or http://");
    if (webhooks.length === MAX_WEBHOOKS) return refuse(`at most ${MAX_WEBHOOKS} webhooks`);
    webhooks.push({ kind, name, url });
  }
  return webhooks;
}
