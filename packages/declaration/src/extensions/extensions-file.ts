import type { Report } from "@ashlar/base";
import { readYaml, type YamlNode, type YamlReader } from "../yaml-document.ts";
import type { DeclaredExtension } from "./declared-extension.ts";
import {
  MAX_EXTENSIONS,
  EXTENSION_KINDS,
  EXTENSION_TIERS,
  EXTENSION_NAME_PATTERN,
  isVersionGlob,
  type ExtensionKind,
  type ExtensionTier,
} from "@ashlar/protocol";

const LIMITS = { maxCharacters: 16_384, hint: "see the guide to extensions" };

type Entry = {
  readonly name: string;
  readonly version: string;
  readonly tier: ExtensionTier;
  readonly kind: ExtensionKind;
  readonly updates: DeclaredExtension["updates"];
};

/**
 * Reads the text of an `extensions.yaml`:
 *
 *     extensions:
 *       - name: kubernetes
 *         version: v1.33.*      # a version pins it
 *         tier: community       # must be the manifest's
 *         kind: sysext          # the default
 *         updates: automatic    # the default is manual
 *
 * @returns the entries that are sound, with all that is wrong with the others
 */
export function parseExtensionsFile(text: string): {
  readonly declared: readonly DeclaredExtension[];
  readonly report: Report;
} {
  const { value = [], report } = readYaml(text, LIMITS, (reader, root) =>
    root === null ? [] : readFile(reader, root),
  );
  return { declared: value, report };
}

function readFile(reader: YamlReader, root: YamlNode): DeclaredExtension[] {
  const names = new Set<string>();
  const { extensions = [] } = reader.map<{ extensions: DeclaredExtension[] }>(root, "$", {
    extensions: (list, path) =>
      reader.list(list, path, MAX_EXTENSIONS, (node, at) => {
        const declared = readEntry(reader, node, at);
        if (declared === undefined || !names.has(declared.name)) {
          if (declared !== undefined) names.add(declared.name);
          return declared;
        }
        const hint = "a node merges one version of an extension: remove the other entry";
        return reader.complain(offsetOf(node), `${at}.name`, `expected ${declared.name} once, found it again`, hint);
      }),
  });
  return extensions;
}

function readEntry(reader: YamlReader, node: YamlNode, path: string): DeclaredExtension | undefined {
  const before = reader.problems.length;
  const found = reader.map<Entry>(node, path, {
    name: (value, at) => reader.text(value, at, isName, "an extension's name such as kubernetes"),
    version: (value, at) =>
      reader.text(value, at, isVersionGlob, 'a version or a pattern of versions such as v1.33.* or "3.12"'),
    tier: (value, at) => reader.choice(value, at, EXTENSION_TIERS),
    kind: (value, at) => reader.choice(value, at, EXTENSION_KINDS),
    updates: (value, at) => reader.choice(value, at, ["automatic", "manual"]),
  });
  const { name, version, tier, kind = "sysext", updates = "manual" } = found;
  if (reader.problems.length > before) return undefined;
  for (const [key, value] of Object.entries({ name, version, tier })) {
    if (value !== undefined) continue;
    const hint = "an entry has name, version and tier";
    reader.complain(offsetOf(node), `${path}.${key}`, "expected a value, found none", hint);
  }
  if (name === undefined || version === undefined || tier === undefined) return undefined;
  return { kind, name, pattern: version, tier, updates, source: { type: "repository" } };
}

function isName(text: string): boolean {
  return EXTENSION_NAME_PATTERN.test(text);
}

function offsetOf(node: YamlNode): number {
  return node.range?.[0] ?? 0;
}
