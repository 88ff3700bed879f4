import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { buildExtension, loadRecipe } from "@ashlar/extensions";
import { cacheDirectory, withTemporaryDirectory } from "@ashlar/host";
import { NO_BEHAVIOUR } from "@ashlar/protocol";
import { KeyDirectory } from "@ashlar/keys";
import type { Bench } from "./bench.ts";
import { megabytes } from "./count-bytes.ts";
import { type ExtensionBytes, measureExtension } from "./extension-bytes.ts";

const [BEFORE, AFTER] = ["v1.33.4", "v1.33.5"];

export const bench: Bench = {
  name: `bytes fetched for a kubelet patch upgrade: the kubernetes sysext ${BEFORE} to ${AFTER}`,
  against: "the whole image, compressed by xz -6",
  reach: { comparison: "at most", value: 0.6, unit: "times" },
  command: "npm run bench -- extension-bytes",
  run: async () => {
    const { wireBytes, wholeBytes, compressedBytes, detail } = await measure();
    const [wire, whole, compressed] = [wireBytes, wholeBytes, compressedBytes].map(megabytes);
    return {
      value: wireBytes / compressedBytes,
      detail:
        `${wire} over the wire (blocks, index, metadata, HTTP headers), whole image ${compressed} by xz, ` +
        `${whole} as systemd-sysupdate fetches it; ${detail}`,
    };
  },
};

async function measure(): Promise<ExtensionBytes> {
  const parent = join(cacheDirectory(), "work");
  await mkdir(parent, { recursive: true });
  return await withTemporaryDirectory(async (directory) => {
    const keys = new KeyDirectory(join(directory, "keys"), async () => "");
    await keys.create(async () => undefined);
    const build = async (version: string): Promise<string> => await buildKubernetes(version, directory, keys);
    return await measureExtension(directory, keys, [await build(BEFORE), await build(AFTER)]);
  }, parent);
}

/** Gives the path of the image. Where dl.k8s.io is out of reach its programs are built, which takes minutes. */
async function buildKubernetes(version: string, directory: string, keys: KeyDirectory): Promise<string> {
  const loaded = await loadRecipe("kubernetes");
  const { name, kind, tier } = loaded.recipe;
  const built = await buildExtension({
    kind,
    name,
    version,
    tier,
    source: { type: "recipe", ...loaded, archive: {} },
    signer: await keys.extensionSigner(),
    out: join(directory, "images"),
    behaviour: NO_BEHAVIOUR,
    onProgress: (message) => console.error(`  ${message}`),
  });
  const [image] = built.files;
  return image;
}
