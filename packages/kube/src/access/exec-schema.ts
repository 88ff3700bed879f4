import { z } from "zod";

/** A program that gives credentials (`client.authentication.k8s.io`, "client-go credential plugins"). */
export type ExecPlugin = {
  readonly apiVersion: "client.authentication.k8s.io/v1" | "client.authentication.k8s.io/v1beta1";
  readonly command: string;
  readonly args?: readonly string[] | null | undefined;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null | undefined;
  readonly installHint?: string | undefined;
  readonly provideClusterInfo?: boolean | undefined;
};

const text: z.ZodType<string> = z.string().max(10_000);

export const execSchema: z.ZodType<ExecPlugin> = z.object({
  apiVersion: z.enum(["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]),
  command: z.string().min(1).max(10_000),
  args: z.array(text).max(100).nullish(),
  env: z
    .array(z.object({ name: text, value: text }))
    .max(100)
    .nullish(),
  installHint: text.optional(),
  provideClusterInfo: z.boolean().optional(),
});
