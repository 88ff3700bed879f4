import { isIPv6 } from "node:net";
import { AshlarError } from "@ashlar/base";
import { z } from "zod";

/** RFC 1123, 2.1: letters, digits and hyphens, in labels of at most 63. Addresses of IPv4 look the same. */
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/u;
const MAX_HOST_CHARACTERS = 253;

/**
 * Whether something can be a node's name: a host name or an address, with a port when it is not the usual one. Names are
 * keys of what is pinned and recorded, names of directories, and cells of tables: nothing else may hide in them.
 */
export function isNodeName(name: string): boolean {
  if (isIPv6(name)) return !name.includes("%");
  const [, address, host, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::([0-9]{1,5}))?$/u.exec(name) ?? [];
  if (port !== undefined && Number(port) > 65_535) return false;
  // Without a port an address stands without brackets, so that each node has one name.
  if (address !== undefined) return port !== undefined && isIPv6(address);
  return host !== undefined && host.length <= MAX_HOST_CHARACTERS && HOST.test(host);
}

/** @throws AshlarError `usage` for anything that is no node's name */
export function refuseNodeName(name: string): void {
  if (isNodeName(name)) return;
  throw new AshlarError("usage", `expected a host name or an address as a node's name, found ${JSON.stringify(name)}`, {
    hint: "letters, digits, hyphens and dots, for example worker-1.example.org",
  });
}

export const nodeNameSchema: z.ZodType<string> = z
  .string()
  .max(300)
  .refine(isNodeName, "expected a host name or an address as a node's name");
