import { AshlarError, type ErrorCode } from "@ashlar/base";
import { z } from "zod";

const MAX_SHOWN_CHARACTERS = 500;

const text = z.string().transform((value) => value.replaceAll(/\p{Cc}/gu, " ").slice(0, MAX_SHOWN_CHARACTERS));
const refusalSchema = z.object({ error: z.object({ code: z.string(), message: text, hint: text.exactOptional() }) });

/** What statuses mean as a refusal. All others are no answer. */
export type RefusalCodes = Readonly<Record<number, ErrorCode>>;

/** A question that older releases do not know. */
export const NEW_QUESTION: RefusalCodes = { 404: "not-found" };
export const ORDER_REFUSALS: RefusalCodes = {
  400: "invalid",
  401: "untrusted",
  403: "untrusted",
  404: "not-found",
  409: "conflict",
};

/** The error that a node's refusal is: its own words, when it gives any, and never more than a message's length. */
export function refusalOf(status: number, body: string, place: string, codes: RefusalCodes): AshlarError {
  const { message, hint } = readRefusal(body) ?? { message: body.slice(0, MAX_SHOWN_CHARACTERS) };
  const code = codes[status] ?? "unavailable";
  const problem = `expected an answer from ${place}, found status ${status}: ${message}`;
  return new AshlarError(code, problem, hint === undefined ? {} : { hint });
}

function readRefusal(body: string): z.infer<typeof refusalSchema>["error"] | undefined {
  try {
    return refusalSchema.safeParse(JSON.parse(body)).data?.error;
  } catch {
    return undefined;
  }
}
