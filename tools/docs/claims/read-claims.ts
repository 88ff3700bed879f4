import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";

/** A claim of a document and the tests that would fail if it were false: the head of docs/claims.yaml explains each field. */
export type Claim = {
  readonly says: string;
  readonly tests: readonly { readonly file: string; readonly title: string }[];
  readonly untested?: string | undefined;
};

export type ClaimsOfPage = {
  readonly page: string;
  /** Whether each part of the page has to be quoted. */
  readonly isComplete: boolean;
  readonly claims: readonly Claim[];
};

const text: z.ZodType<string> = z.string().trim().min(1);

const claimSchema: z.ZodType<Claim> = z
  .strictObject({
    says: text,
    tests: z
      .array(
        z
          .record(text, text)
          .refine((pair) => Object.keys(pair).length === 1, "expected one file with the title of one test")
          .transform((pair) => Object.entries(pair).map(([file, title]) => ({ file, title }))),
      )
      .default([])
      .transform((pairs) => pairs.flat()),
    untested: text.optional(),
  })
  .refine(({ tests, untested }) => tests.length > 0 !== (untested !== undefined), "expected either tests or untested");

const pagesSchema: z.ZodType<ClaimsOfPage[]> = z.array(
  z
    .strictObject({ page: text, complete: z.boolean(), claims: z.array(claimSchema) })
    .transform(({ complete, ...rest }) => ({ ...rest, isComplete: complete })),
);

/** The claims that a file in the form of docs/claims.yaml lists. */
export async function readClaims(path: string): Promise<readonly ClaimsOfPage[]> {
  const found = pagesSchema.safeParse(parse(await readFile(path, "utf8")));
  if (found.success) return found.data;
  throw new Error(`${path}: ${z.prettifyError(found.error)}`);
}
