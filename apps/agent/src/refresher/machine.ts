import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { run } from "@ashlar/host";
import type { NodePaths } from "../shared/node-paths.ts";
import type { Machine } from "./apply-extensions.ts";
import { measure, readMeasuredWords } from "./measure.ts";
import { mergedNames, mergeImages } from "./merge.ts";
import { applySettings } from "./settings.ts";

/** What extensions are merged over, with something that is always there. */
const HIERARCHIES = [
  ["usr", "bin"],
  ["opt", "extensions"],
  ["etc", "passwd"],
] as const;

/** This node. */
export function nodeMachine({ extensions }: NodePaths): Machine {
  return {
    exposeBase: async () => {
      for (const [name, content] of HIERARCHIES) {
        const place = join(extensions.base, name);
        if (existsSync(join(place, content))) continue;
        await mkdir(place, { recursive: true });
        // Without what is mounted below it, and without what will be merged over it.
        await run("mount", ["--bind", "--make-private", `/${name}`, place]);
      }
    },
    measuredWords: async () => await readMeasuredWords(extensions),
    measure: async (word) => {
      await measure(extensions, word);
    },
    mergedNames,
    merge: async (kind, images) => {
      await mergeImages(extensions, kind, images);
    },
    reloadUnits: async () => {
      await run("systemctl", ["daemon-reload"]);
    },
    applySettings,
  };
}
