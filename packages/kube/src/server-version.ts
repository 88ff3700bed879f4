import { z } from "zod";
import { readObject } from "./objects/read-object.ts";
import type { ApiClient } from "./client/api-client.ts";

const versionSchema = z.object({ gitVersion: z.string().min(1).max(128) });

/** What the API server says that it is, for example `v1.33.4`. Of several it is the one that has answered. */
export async function serverVersion(client: ApiClient, signal: AbortSignal): Promise<string> {
  const found = await client.json({ method: "GET", path: "/version", what: "the API server's version" }, signal);
  return readObject(versionSchema, found, "expected the version of an API server").gitVersion;
}
