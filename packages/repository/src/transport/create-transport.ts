import { AshlarError } from "@ashlar/base";
import { createFileTransport } from "./file-transport.ts";
import { createHttpTransport } from "./http-transport.ts";
import type { Patience, Transport } from "./transport.ts";

const PATIENCE: Patience = { stallMs: 30_000, attempts: 6, retryDelayMs: 500 };

/** @throws AshlarError `usage` for a URL that is neither `http`, `https` nor `file` */
export function createTransport(url: string, patience: Partial<Patience> = {}): Transport {
  const base = URL.parse(url.endsWith("/") ? url : `${url}/`);
  const settings = { ...PATIENCE, ...patience };
  if (base?.protocol === "file:") return createFileTransport(base, settings);
  if (base?.protocol === "http:" || base?.protocol === "https:") return createHttpTransport(base, settings);
  throw new AshlarError("usage", `repository: expected a URL, found ${url.slice(0, 200)}`, {
    hint: "give one that begins with https://, http:// or file://",
  });
}
