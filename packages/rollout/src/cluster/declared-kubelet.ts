import { AshlarError } from "@ashlar/base";
import { declaredInConfigs } from "@ashlar/declaration";
import { compareVersions } from "@ashlar/formats";
import type { KnownExtension } from "@ashlar/identity";
import { matchesVersion } from "@ashlar/protocol";
import { holdsKubelet, type Kubelet } from "./version-skew.ts";

const NOTHING = new Uint8Array();

/**
 * The kubelet that nodes of a class may come to have by an extension of its config: the newest published version that the config allows,
 * or the pattern itself where none is known. Undefined when it declares none.
 */
export function declaredKubelet(classConfig: Uint8Array, known: readonly KnownExtension[]): Kubelet | undefined {
  const found = extensionsOf(classConfig).find(({ name }) => holdsKubelet(name));
  if (found === undefined) return undefined;
  const { name, kind, pattern } = found;
  const newest = known
    .filter((each) => each.name === name && each.kind === kind && each.withdrawn === undefined)
    .map(({ version }) => version)
    .filter((version) => matchesVersion(version, pattern))
    .toSorted(compareVersions)
    .at(-1);
  const which = newest === undefined || newest === pattern ? "" : ` (${pattern})`;
  return { from: `the extension ${name}${which}, which its class declares,`, version: newest ?? pattern };
}

/** What is wrong with it, each node is told of together with its own part. */
function extensionsOf(classConfig: Uint8Array): ReturnType<typeof declaredInConfigs> {
  try {
    return declaredInConfigs(classConfig, NOTHING);
  } catch (error) {
    if (error instanceof AshlarError) return [];
    throw error;
  }
}
