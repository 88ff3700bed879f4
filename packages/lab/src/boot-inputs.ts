import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { AshlarError } from "@ashlar/base";
import { parse } from "yaml";
import { z } from "zod";

/** One thing that can differ from one boot of a node to the next: the head of docs/boot-inputs.yaml explains each field. */
export type BootInput = {
  readonly id: string;
  readonly input: string;
  readonly paths: readonly string[];
  readonly writers: readonly ("root" | "disk" | "console" | "machine" | "network" | "source")[];
  readonly read: string;
  readonly covered: "measured" | "refused" | "checked" | "ignored" | "limited" | "open";
  readonly how: string;
  readonly tests: readonly string[];
  readonly plant?: string | undefined;
  readonly effect?: string | undefined;
  readonly mismatch?: string | undefined;
  readonly undo?: string | undefined;
};

export type BootInputGroup = { readonly group: string; readonly inputs: readonly BootInput[] };

const text: z.ZodType<string> = z.string().trim().min(1);

const inputSchema: z.ZodType<BootInput> = z.strictObject({
  id: z.string().regex(/^[0-9a-z-]+$/u, "expected lower-case words with hyphens"),
  input: text,
  paths: z.array(z.string().regex(/^\/\S+[^/\s]$/u, "expected an absolute path")).default([]),
  writers: z.array(z.enum(["root", "disk", "console", "machine", "network", "source"])).min(1),
  read: text,
  covered: z.enum(["measured", "refused", "checked", "ignored", "limited", "open"]),
  how: text,
  tests: z.array(text).default([]),
  plant: text.optional(),
  effect: text.optional(),
  mismatch: text.optional(),
  undo: text.optional(),
});

const groupsSchema: z.ZodType<BootInputGroup[]> = z
  .array(z.strictObject({ group: text, inputs: z.array(inputSchema).min(1) }))
  .refine((groups) => {
    const ids = groups.flatMap(({ inputs }) => inputs.map(({ id }) => id));
    return new Set(ids).size === ids.length;
  }, "expected each id once");

const FILE: string = fileURLToPath(new URL("../../../docs/boot-inputs.yaml", import.meta.url));

/** The inputs of a boot as docs/boot-inputs.yaml lists them. */
export async function readBootInputs(): Promise<readonly BootInputGroup[]> {
  const found = groupsSchema.safeParse(parse(await readFile(FILE, "utf8")));
  if (found.success) return found.data;
  throw new AshlarError("malformed", `${FILE}: ${z.prettifyError(found.error)}`, {
    hint: "the head of that file explains each field",
  });
}
