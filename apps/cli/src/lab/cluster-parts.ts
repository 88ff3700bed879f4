import { resolve } from "node:path";
import { AshlarError } from "@ashlar/base";
import type { LabCluster, LabImage } from "@ashlar/lab";
import { createStepPrinter } from "../step-printer.ts";

export type ClusterOptions = {
  readonly cluster?: true;
  readonly controlPlane?: "host";
  readonly workers?: number;
  readonly kubernetes?: string;
  readonly containerImage?: readonly LabImage[];
};

/**
 * The programs and images of a lab's cluster, from the user's cache or built now.
 *
 * @returns undefined when no cluster is asked for
 * @throws AshlarError `usage` for an option that says something about a cluster that is not asked for
 */
export async function clusterParts(options: ClusterOptions, signal: AbortSignal): Promise<LabCluster | undefined> {
  if (options.cluster !== true) {
    const given = OF_A_CLUSTER.find(([, name]) => options[name] !== undefined);
    if (given === undefined) return undefined;
    throw new AshlarError("usage", `expected ${given[0]} only with --cluster`);
  }
  const { buildClusterImages, buildControlPlane, loadRecipe } = await import("@ashlar/extensions");
  const { recipe } = await loadRecipe("kubernetes");
  const version = options.kubernetes ?? (recipe.version.type === "fixed" ? recipe.version.version : "");
  const build = { version, signal, onProgress: createStepPrinter() };
  const { programs } = await buildControlPlane(build);
  const images = await buildClusterImages(build);
  const named = images.map(({ reference, layout }) => ({ reference, layout }));
  return { programs, images: [...named, ...(options.containerImage ?? [])] };
}

const OF_A_CLUSTER = [
  ["--control-plane", "controlPlane"],
  ["--workers", "workers"],
  ["--kubernetes", "kubernetes"],
  ["--container-image", "containerImage"],
] as const;

/** An image and its layout as `REFERENCE=DIRECTORY`, one more each time that the option is given. */
export function parseContainerImage(text: string, before: readonly LabImage[] = []): readonly LabImage[] {
  const [, reference, layout] = /^([^=]+)=(.+)$/u.exec(text) ?? [];
  if (reference === undefined || layout === undefined) {
    throw new AshlarError("usage", `expected REGISTRY/NAME:TAG=DIRECTORY, found ${text}`);
  }
  return [...before, { reference, layout: resolve(layout) }];
}
