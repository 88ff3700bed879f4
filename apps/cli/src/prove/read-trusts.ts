import { AshlarError } from "@ashlar/base";
import type { TpmTrust } from "@ashlar/identity";
import type { TrustSources } from "@ashlar/verifier";
import type { DeclaredNodes } from "@ashlar/verifier/declared";
import type { NodeOptions } from "../node-options.ts";

type Trust = Pick<TpmTrust, "ekRoots" | "cloudRoots">;

/** Whom to trust: for all nodes, and by name for those of which something else is declared. */
export type Trusts = { readonly common: Trust; readonly of: ReadonlyMap<string, Trust> };

/** What options name counts for all nodes. Each file is read once. */
export async function readTrusts(
  { ekRoots, cloudRoots, acceptExpiredEk }: NodeOptions,
  { nodes, ekRootsPath }: Pick<DeclaredNodes, "nodes" | "ekRootsPath">,
): Promise<Trusts> {
  const { readTrust } = await import("@ashlar/verifier");
  const read = new Map<string, Promise<Trust>>();
  const trustOf = async (declared: TrustSources): Promise<Trust> => {
    const sources = {
      ekRoots: ekRoots ?? declared.ekRoots,
      cloudRoots: cloudRoots ?? declared.cloudRoots,
      acceptExpired: acceptExpiredEk ?? declared.acceptExpired,
      labRoots: ekRootsPath,
    };
    const key = JSON.stringify(sources);
    const found = read.get(key) ?? readTrust(sources);
    read.set(key, found);
    return await found;
  };
  const own = nodes.flatMap(({ name, trust }) => (trust === undefined ? [] : [{ name, trust }]));
  const of = new Map<string, Trust>();
  for (const { name, trust } of own) of.set(name, await trustOf(trust));
  // Of a fleet whose nodes all say the same, that is what holds for all.
  const [first, ...others] = new Set(of.values());
  const isOne = first !== undefined && others.length === 0 && of.size === nodes.length;
  return { common: isOne ? first : await trustOf({}), of };
}

/** Kept evidence has one set of trusted makers: with those of one class, nodes of another would be judged by the wrong ones. */
export function refuseDifferentTrust({ common, of }: Trusts): void {
  if ([...of.values()].every((trust) => trust === common)) return;
  throw new AshlarError("usage", "expected one trust policy for all classes with --evidence, found different ones", {
    hint: "keep the evidence of each class with a fleet file of its own",
  });
}
