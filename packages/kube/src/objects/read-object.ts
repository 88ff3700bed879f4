import { AshlarError } from "@ashlar/base";
import type { z } from "zod";

/**
 * What is taken out of an object.
 *
 * @param expected for the error, for example "expected a Node"
 * @throws AshlarError `malformed`
 */
export function readObject<T>(schema: z.ZodType<T>, object: unknown, expected: string): T {
  const found = schema.safeParse(object);
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  throw new AshlarError("malformed", `${expected}: ${issue?.path.join(".")}: ${issue?.message}`);
}
