import { AshlarError } from "@ashlar/base";
import { compareVersions } from "@ashlar/formats";
import { declaredInConfigs, type DeclaredExtension } from "@ashlar/declaration";
import { matchesVersion } from "@ashlar/protocol";
import type { KnownExtension } from "@ashlar/identity";
import type { DeclaredNode } from "@ashlar/verifier/declared";

/**
 * The version of a component that nodes shall have: the one that is named, else the newest that all of them allow.
 *
 * @throws AshlarError `usage` when a node does not declare the component; `not-found` without such a version; `invalid`
 * when it has been withdrawn, or a node does not allow it
 */
export function chooseComponent(
  nodes: readonly DeclaredNode[],
  known: readonly KnownExtension[],
  component: string,
  wanted: string | undefined,
): KnownExtension {
  const declared = nodes.map((node) => ({ node: node.name, ...declarationOf(node, component) }));
  const published = known.filter(
    ({ name, kind }) => name === component && declared.every((each) => each.kind === kind),
  );
  if (wanted !== undefined) {
    const found = published.find(({ version }) => version === wanted);
    if (found === undefined) throw notPublished(component, wanted, published);
    const stranger = declared.find(({ pattern }) => !matchesVersion(wanted, pattern));
    if (stranger !== undefined) {
      const message = `expected a version of ${component} that ${stranger.node} allows (${stranger.pattern}), found ${wanted}`;
      throw new AshlarError("invalid", message, {
        hint: "what a node allows is part of its config, and so its identity",
      });
    }
    if (found.withdrawn === undefined) return found;
    throw new AshlarError("invalid", `${component} ${wanted} has been withdrawn: ${found.withdrawn.reason}`);
  }
  const newest = published
    .filter(({ withdrawn }) => withdrawn === undefined)
    .filter(({ version }) => declared.every(({ pattern }) => matchesVersion(version, pattern)))
    .toSorted((a, b) => compareVersions(a.version, b.version))
    .at(-1);
  if (newest !== undefined) return newest;
  throw notPublished(component, [...new Set(declared.map(({ pattern }) => pattern))].join(" and "), published);
}

function declarationOf({ name, classConfig, nodeConfig }: DeclaredNode, component: string): DeclaredExtension {
  const all = declaredInConfigs(classConfig, nodeConfig);
  const found = all.find((each) => each.name === component);
  if (found !== undefined) return found;
  const others = all.map((each) => each.name).join(", ");
  throw new AshlarError(
    "usage",
    `expected a component that ${name} declares (${others || "it has none"}), found ${component}`,
    {
      hint: "declare it in /etc/ashlar/extensions.yaml of the class's config; see the guide to extensions",
    },
  );
}

function notPublished(component: string, wanted: string, published: readonly KnownExtension[]): AshlarError {
  const versions = published.map(({ version }) => version).toSorted(compareVersions);
  const found = versions.length === 0 ? "no version" : versions.join(", ");
  return new AshlarError("not-found", `expected ${component} ${wanted} to be published, found ${found}`, {
    hint: "publish it with `ashlar extension publish`, or give its manifest with --extension",
  });
}
