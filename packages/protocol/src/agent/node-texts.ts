/** Schemas of what nodes say in words. They end up on terminals: nothing in them may be an instruction to one. */
import { z } from "zod";

const MAX_MESSAGE_CHARACTERS = 4096;

/** Lines of text; what is not a character to read is replaced. */
export const messageSchema: z.ZodType<string, string> = z
  .string()
  .max(MAX_MESSAGE_CHARACTERS)
  .transform((text) => text.replaceAll(/[^\P{Cc}\n\t]/gu, "\u{fffd}"));

export const nameSchema: z.ZodType<string, string> = z
  .string()
  .max(256)
  .regex(/^\P{Cc}*$/u, "expected no control characters");

/** RFC 3339. */
export const timeSchema: z.ZodType<string, string> = z.iso.datetime({ offset: true });

const sizeBytes = z.int().nonnegative();

/** See `UpdateProgress`. */
export const progressSchema: z.ZodType<
  { totalBytes: number; copiedBytes: number; fetchedBytes: number },
  { totalBytes: number; copiedBytes: number; fetchedBytes: number }
> = z.strictObject({ totalBytes: sizeBytes, copiedBytes: sizeBytes, fetchedBytes: sizeBytes });

type NodeError = { code: string; message: string; hint?: string };

/** Why an order was not carried out. */
export const nodeErrorSchema: z.ZodType<NodeError, NodeError> = z.strictObject({
  code: nameSchema,
  message: messageSchema,
  hint: messageSchema.exactOptional(),
});
