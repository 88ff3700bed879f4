import { linesOf, splitAt } from "./lines.ts";
import type { Packages } from "./packages.ts";
import type { Facts } from "./snapshot.ts";

export function factsOf(texts: ReadonlyMap<string, string>, { packages }: Packages): Facts {
  const release = new Map(linesOf(texts.get("os-release")).map((line) => splitAt(line, "=")));
  const kubelet = texts
    .get("kubelet")
    ?.trim()
    .replace(/^Kubernetes /u, "");
  return {
    system: release.get("PRETTY_NAME")?.replaceAll('"', ""),
    kernel: texts.get("kernel")?.trim() || undefined,
    kubelet: kubelet || packages.get("kubelet"),
  };
}
