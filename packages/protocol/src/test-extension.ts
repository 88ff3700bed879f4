/** Extensions for tests, and what a machine logs that merges them. */
import { extensionWord, type ExtensionWord } from "./words/extension-words.ts";
import { EXTENSION_MANIFEST_SCHEMA, NO_BEHAVIOUR, type ExtensionManifest } from "./manifests/extension-manifest.ts";
import { sha256 } from "@ashlar/formats";
import type { TestLogs } from "./test-release.ts";

/** A community sysext; `contents` stands for all that is in it. */
export function testExtension(
  name: string,
  version: string,
  {
    kind = "sysext",
    tier = "community",
    contents = `${name} ${version}`,
  }: Partial<ExtensionManifest> & {
    readonly contents?: string;
  } = {},
): ExtensionManifest {
  return {
    schema: EXTENSION_MANIFEST_SCHEMA,
    kind,
    name,
    version,
    architecture: "x86-64",
    tier,
    host: { id: "ashlar", level: "1.0" },
    image: {
      sizeBytes: 4096,
      sha256: sha256(`${contents} image`),
      rootHash: sha256(`${contents} root hash`),
      certificateSha256: sha256("certificate"),
    },
    behaviour: NO_BEHAVIOUR,
    packages: [],
    files: [],
  };
}

/** The logs of a machine that also measures these words, after those of its configuration. */
export function withExtensionWords(logs: TestLogs, words: readonly (ExtensionWord | string)[]): TestLogs {
  const more = words.map((word) => ({ pcr: 13, word: typeof word === "string" ? word : extensionWord(word) }));
  const index = logs.words.findLastIndex(({ pcr }) => pcr === 13) + 1;
  return { ...logs, words: [...logs.words.slice(0, index), ...more, ...logs.words.slice(index)] };
}

/** The word that is measured before this extension is merged. */
export function mergedWord({ kind, name, image }: ExtensionManifest): ExtensionWord {
  return { kind, name, rootHash: image.rootHash };
}
