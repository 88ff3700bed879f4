import type { ActName } from "./act-names.ts";
import { buildChangedImage } from "./acts/change-file.ts";
import { buildKubernetes, FIRST_KUBERNETES, NEXT_KUBERNETES, publishKubernetes } from "./acts/extend-nodes.ts";
import { DEBUG_TOOLS } from "./acts/leave-debug-tools.ts";
import { buildExtension, publishExtension } from "./acts/publish-extension.ts";
import { FIRST_RELEASE, NEXT_RELEASES, buildRelease, publishRelease } from "./acts/update-node.ts";
import type { Stage } from "./stage.ts";

/** Something that an act needs besides nodes. */
type Part = {
  readonly name: string;
  /** Undefined: it is there. */
  readonly build?: (stage: Stage) => Promise<void>;
  /** Undefined: it is not published, or not yet. */
  readonly publish?: (stage: Stage) => Promise<void>;
};

const extension = (recipe: string): Part => ({
  name: recipe,
  build: async (stage) => buildExtension(stage, recipe),
  publish: async (stage) => publishExtension(stage, recipe),
});

const PARTS: Readonly<Record<ActName, readonly Part[]>> = {
  provision: [
    { name: FIRST_RELEASE, publish: async (stage) => publishRelease(stage, FIRST_RELEASE) },
    {
      name: FIRST_KUBERNETES,
      build: async (stage) => buildKubernetes(stage, FIRST_KUBERNETES),
      publish: async (stage) => publishKubernetes(stage, FIRST_KUBERNETES),
    },
    extension("cni"),
  ],
  update: NEXT_RELEASES.map((version) => ({
    name: version,
    build: async (stage) => buildRelease(stage, version),
    publish: async (stage) => publishRelease(stage, version),
  })),
  // Nodes that look for updates by themselves would take it at once: the act publishes it.
  kubelet: [{ name: NEXT_KUBERNETES, build: async (stage) => buildKubernetes(stage, NEXT_KUBERNETES) }],
  attacks: [{ name: "changed-image", build: buildChangedImage }, extension(DEBUG_TOOLS)],
};

/** Members of a cluster are attacked from a pod. */
const CLUSTER_PARTS: typeof PARTS = { ...PARTS, attacks: [] };

/**
 * Makes what acts need, but for what an earlier demo on the same lab has made: one part after the other, while those that are
 * built are published. Neither of the two keeps two processors busy.
 */
export async function buildParts(stage: Stage, acts: readonly ActName[], cluster: boolean): Promise<void> {
  const parts = acts.flatMap((act) => (cluster ? CLUSTER_PARTS : PARTS)[act]);
  const built = parts.map(() => Promise.withResolvers<void>());
  const build = async (): Promise<void> => {
    const beside = stage.beside("build");
    for (const [index, part] of parts.entries()) {
      await stage.once(`build-${part.name}`, async () => part.build?.(beside));
      built[index]?.resolve();
    }
  };
  const publish = async (): Promise<void> => {
    const beside = stage.beside("publish");
    for (const [index, part] of parts.entries()) {
      await built[index]?.promise;
      await stage.once(`publish-${part.name}`, async () => part.publish?.(beside));
    }
  };
  await Promise.all([build(), publish()]);
}
