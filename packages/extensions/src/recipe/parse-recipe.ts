import { SHA256_HEX, hasErrors, type Report } from "@ashlar/base";
import {
  EXTENSION_KINDS,
  EXTENSION_NAME_PATTERN,
  EXTENSION_TIERS,
  EXTENSION_VERSION_PATTERN,
  type ExtensionBehaviour,
  type ExtensionKind,
  type ExtensionTier,
  isVersionGlob,
  NO_BEHAVIOUR,
} from "@ashlar/protocol";
import { readYaml, type YamlNode, type YamlReader } from "@ashlar/declaration";
import type { GoPackage, Recipe, RecipeDownload, RecipeGo, RecipeKernelModule } from "./recipe.ts";

const LIMITS = { maxCharacters: 65_536, hint: "see the guide to extensions" };
const MAX_ENTRIES = 64;
const MAX_VERSIONS = 256;
const MAX_TEXT = 2048;
/** Debian Policy, section 5.6.1. */
const DEB = /^[a-z0-9][a-z0-9+.-]{1,127}$/u;
const UNIT = /^[\w:.@\\-]{1,250}\.[a-z]+$/u;
/** Go Modules Reference, "Module paths": host and elements. */
const MODULE = /^[a-z0-9.-]+\.[a-z]+(?:\/[\w.~-]+)*$/u;
const FOLDER = /^[\w][\w.-]{0,63}$/u;
const INSIDE = /^\/(?:usr|opt|etc)(?:\/(?!\.{1,2}(?:\/|$))[^/\0]+)+$/u;
const HEALTH_CHECK = /^\/usr\/lib\/ashlar\/health\.d\/[\w.-]+$/u;

type Fields = {
  readonly name: string;
  readonly summary: string;
  readonly kind: ExtensionKind;
  readonly tier: ExtensionTier;
  readonly version: string;
  readonly versionOfDeb: string;
  readonly updates: string;
  readonly debs: readonly string[];
  readonly leaveOut: readonly string[];
  readonly download: readonly RecipeDownload[];
  readonly go: RecipeGo;
  readonly kernelModule: RecipeKernelModule;
  readonly behaviour: ExtensionBehaviour;
};

/** Reads the text of a `recipe.yaml`. Without a recipe the report says all that is wrong with it. */
export function parseRecipe(text: string): { readonly recipe?: Recipe; readonly report: Report } {
  const { value, report } = readYaml(text, LIMITS, (reader, root) =>
    root === null ? undefined : readRecipe(reader, root),
  );
  if (value !== undefined && !hasErrors(report)) return { recipe: value, report };
  const empty = { severity: "error", message: "expected a recipe, found nothing", hint: LIMITS.hint } as const;
  return { report: report.length > 0 ? report : [empty] };
}

function readRecipe(reader: YamlReader, root: YamlNode): Recipe | undefined {
  const found = reader.map<Fields>(root, "$", {
    name: (node, path) => reader.text(node, path, matches(EXTENSION_NAME_PATTERN), "a name such as debug-tools"),
    summary: (node, path) => reader.text(node, path, isLine, "one line of text"),
    kind: (node, path) => reader.choice(node, path, EXTENSION_KINDS),
    tier: (node, path) => reader.choice(node, path, EXTENSION_TIERS),
    version: (node, path) => reader.text(node, path, matches(EXTENSION_VERSION_PATTERN), "a version such as v1.33.2"),
    versionOfDeb: (node, path) => reader.text(node, path, matches(DEB), "a Debian package's name"),
    updates: (node, path) => reader.text(node, path, isVersionGlob, "a pattern of versions such as v1.33.*"),
    debs: (node, path) => texts(reader, node, path, matches(DEB), "a Debian package's name"),
    leaveOut: (node, path) => texts(reader, node, path, matches(INSIDE), "a path below /usr, /opt or /etc"),
    download: (node, path) => reader.list(node, path, MAX_ENTRIES, (item, at) => readDownload(reader, item, at)),
    go: (node, path) => readGo(reader, node, path),
    kernelModule: (node, path) => readKernelModule(reader, node, path),
    behaviour: (node, path) => readBehaviour(reader, node, path),
  });
  const { name, summary, kind = "sysext", tier, version, versionOfDeb, updates = "*" } = found;
  expectAll(reader, root, "$", { name, summary, tier });
  if ((version === undefined) === (versionOfDeb === undefined)) {
    complain(reader, root, "$.version", "expected either version or versionOfDeb, found none or both");
  }
  if (name === undefined || summary === undefined || tier === undefined) return undefined;
  return {
    name,
    summary,
    kind,
    tier,
    version: version === undefined ? { type: "deb", package: versionOfDeb ?? "" } : { type: "fixed", version },
    updates,
    debs: found.debs ?? [],
    leaveOut: found.leaveOut ?? [],
    downloads: found.download ?? [],
    go: found.go ?? null,
    kernelModule: found.kernelModule ?? null,
    behaviour: found.behaviour ?? NO_BEHAVIOUR,
  };
}

function readDownload(reader: YamlReader, node: YamlNode, path: string): RecipeDownload | undefined {
  const found = reader.map<RecipeDownload>(node, path, {
    url: (each, at) => reader.text(each, at, isUrl, "an https: URL"),
    path: (each, at) => reader.text(each, at, matches(INSIDE), "a path below /usr, /opt or /etc"),
    sha256: (each, at) => readDigests(reader, each, at),
  });
  const { url, path: to, sha256 } = found;
  expectAll(reader, node, path, { url, path: to, sha256 });
  return url === undefined || to === undefined || sha256 === undefined ? undefined : { url, path: to, sha256 };
}

/** A list, since versions as keys would be fields without fixed names. */
function readDigests(reader: YamlReader, node: YamlNode, path: string): ReadonlyMap<string, string> | undefined {
  const entries = reader.list(node, path, MAX_VERSIONS, (item, at) => {
    const found = reader.map<{ version: string; digest: string }>(item, at, {
      version: (each, where) => reader.text(each, where, matches(EXTENSION_VERSION_PATTERN), "a version"),
      digest: (each, where) => reader.text(each, where, matches(SHA256_HEX), "64 lower-case hexadecimal digits"),
    });
    expectAll(reader, item, at, { version: found.version, digest: found.digest });
    const { version, digest } = found;
    return version === undefined || digest === undefined ? undefined : { version, digest };
  });
  return entries === undefined ? undefined : new Map(entries.map(({ version, digest }) => [version, digest]));
}

function readGo(reader: YamlReader, node: YamlNode, path: string): RecipeGo | undefined {
  const found = reader.map<RecipeGo>(node, path, {
    module: (each, at) => reader.text(each, at, matches(MODULE), "a module path such as k8s.io/kubernetes"),
    ldflags: (each, at) => reader.text(each, at, isLine, "one line of flags"),
    packages: (each, at) => readGoPackages(reader, each, at),
    otherPackages: (each, at) => readGoPackages(reader, each, at),
  });
  const { module, ldflags = "", packages, otherPackages = [] } = found;
  expectAll(reader, node, path, { module, packages });
  return module === undefined || packages === undefined ? undefined : { module, ldflags, packages, otherPackages };
}

function readGoPackages(reader: YamlReader, node: YamlNode, path: string): GoPackage[] | undefined {
  return reader.list(node, path, MAX_ENTRIES, (item, where) => {
    const { path: from, binary } = reader.map<GoPackage>(item, where, {
      path: (value, place) => reader.text(value, place, matches(MODULE), "a package path"),
      binary: (value, place) => reader.text(value, place, matches(INSIDE), "a path below /usr or /opt"),
    });
    expectAll(reader, item, where, { path: from, binary });
    return from === undefined || binary === undefined ? undefined : { path: from, binary };
  });
}

function readKernelModule(reader: YamlReader, node: YamlNode, path: string): RecipeKernelModule | undefined {
  const { source } = reader.map<RecipeKernelModule>(node, path, {
    source: (each, at) => reader.text(each, at, matches(FOLDER), "the name of a folder beside the recipe"),
  });
  expectAll(reader, node, path, { source });
  return source === undefined ? undefined : { source };
}

function readBehaviour(reader: YamlReader, node: YamlNode, path: string): ExtensionBehaviour {
  const units = (each: YamlNode, at: string): string[] | undefined =>
    texts(reader, each, at, matches(UNIT), "a unit's name such as kubelet.service");
  const found = reader.map<ExtensionBehaviour>(node, path, {
    replaces: (each, at) => texts(reader, each, at, matches(INSIDE), "a path below /usr, /opt or /etc"),
    restart: units,
    reload: units,
    start: units,
    healthCheck: (each, at) => reader.text(each, at, matches(HEALTH_CHECK), "a file in /usr/lib/ashlar/health.d"),
  });
  return { ...NO_BEHAVIOUR, ...found };
}

function texts(
  reader: YamlReader,
  node: YamlNode,
  path: string,
  is: (text: string) => boolean,
  expected: string,
): string[] | undefined {
  return reader.list(node, path, MAX_ENTRIES, (item, at) => reader.text(item, at, is, expected));
}

function expectAll(reader: YamlReader, node: YamlNode, path: string, fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) complain(reader, node, `${path}.${name}`, "expected a value, found none or a wrong one");
  }
}

function complain(reader: YamlReader, node: YamlNode, path: string, message: string): void {
  reader.complain(node.range?.[0] ?? 0, path, message, LIMITS.hint);
}

function matches(form: RegExp): (text: string) => boolean {
  return (text) => form.test(text);
}

function isLine(text: string): boolean {
  return text.length <= MAX_TEXT && !/[\n\0]/u.test(text);
}

function isUrl(text: string): boolean {
  return text.length <= MAX_TEXT && URL.parse(text)?.protocol === "https:";
}
