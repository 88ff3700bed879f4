import { AshlarError, membersOf } from "@ashlar/base";
import type { ApiClient, ApiRequest } from "./api-client.ts";

const PAGE = "500";

export type Listed = {
  readonly items: readonly unknown[];
  /** From where a watch goes on. */
  readonly resourceVersion: string;
};

/**
 * All objects of a list, asked for in pages ("Kubernetes API Concepts", retrieving large results sets in chunks).
 *
 * @param most how many there may be
 * @throws AshlarError `malformed`, `limit`, and what {@link ApiClient.json} throws
 */
export async function listAll(
  client: ApiClient,
  asked: Pick<ApiRequest, "path" | "query" | "what">,
  signal: AbortSignal,
  most: number = Number.POSITIVE_INFINITY,
): Promise<Listed> {
  const { path, query, what } = asked;
  const found: unknown[] = [];
  let resourceVersion = "";
  let next = "";
  do {
    const page = { ...query, limit: PAGE, ...(next === "" ? {} : { continue: next }) };
    const answer = membersOf(await client.json({ method: "GET", path, query: page, what }, signal));
    const { items } = answer;
    if (!Array.isArray(items)) throw new AshlarError("malformed", `${what}: expected a list, found something else`);
    if (found.length + items.length > most) throw new AshlarError("limit", `${what}: found more than ${most}`);
    found.push(...(items as readonly unknown[]));
    const metadata = membersOf(answer["metadata"]);
    resourceVersion = textOf(metadata["resourceVersion"]);
    next = textOf(metadata["continue"]);
  } while (next !== "");
  return { items: found, resourceVersion };
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
