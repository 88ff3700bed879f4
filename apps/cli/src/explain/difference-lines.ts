import { firstOf } from "@ashlar/base";
import type { Differences, ExtensionSide, FileDifference, PackageDifference } from "@ashlar/inventory";

/** Of each kind; `--json` has all. */
const MAX_SHOWN = 10;
/** A page has more room than a terminal. */
export const MAX_ON_PAGE = 200;
const DIGITS = 12;

/** What differs, in lines for people: from the first group to this one. */
export function differenceLines(
  { release, extensions, configuration }: Differences,
  max: number = MAX_SHOWN,
): string[] {
  return [
    ...(release === null ? [] : releaseLines(release, max)),
    ...extensions.flatMap((each) => extensionLines(each, max)),
    ...(configuration === null ? [] : configLines(configuration, max)),
  ];
}

function releaseLines({ from, to, contents, bootChain }: NonNullable<Differences["release"]>, max: number): string[] {
  const title =
    from === to
      ? `release: another build of ${to ?? "an unknown one"}`
      : `release: ${from ?? "unknown"} -> ${to ?? "unknown"}`;
  const steps =
    bootChain?.map(({ what, from: before, to: after }) => `${what}: ${textOf(before)} -> ${textOf(after)}`) ?? [];
  return [
    title,
    ...contentLines(
      contents,
      "no manifest of both is known: name their repository with --releases, or --image and --known-image",
      max,
    ),
    ...(steps.length === 0 ? [] : indented(["boot chain:", ...indented(steps)])),
  ];
}

function extensionLines({ kind, name, from, to, contents }: Differences["extensions"][number], max: number): string[] {
  const title = `${kind} ${name}: ${sideText(from)} -> ${sideText(to)}`;
  if (from === null || to === null) return [title];
  return [title, ...contentLines(contents, "no manifest of both is known: name their repository or files", max)];
}

function sideText(side: ExtensionSide | null): string {
  return side === null ? "not merged" : `${side.version ?? "unknown"} (${side.rootHash.slice(0, DIGITS)})`;
}

function contentLines(
  contents: { readonly packages: PackageDifference; readonly files: FileDifference } | null,
  without: string,
  max: number,
): string[] {
  if (contents === null) return indented([without]);
  const { packages, files } = contents;
  const packageLines = [
    ...packages.changed.map(({ name, from, to }) => `~ ${name} ${from} -> ${to}`),
    ...packages.added.map(({ name, version }) => `+ ${name} ${version}`),
    ...packages.removed.map(({ name, version }) => `- ${name} ${version}`),
  ];
  const fileLines = [
    ...files.changed.map(({ path }) => `~ ${path}`),
    ...files.added.map(({ path }) => `+ ${path}`),
    ...files.removed.map(({ path }) => `- ${path}`),
  ];
  return indented([
    `packages: ${countsOf(packages)}`,
    ...indented(listed(packageLines, max)),
    `files: ${countsOf(files)}`,
    ...indented(listed(fileLines, max)),
  ]);
}

function countsOf({ changed, added, removed }: PackageDifference | FileDifference): string {
  return `${changed.length} changed, ${added.length} added, ${removed.length} removed`;
}

function configLines({ from, to, keys }: NonNullable<Differences["configuration"]>, max: number): string[] {
  const side = ({ name, sha256 }: typeof from): string =>
    name ?? `unknown (sha256 ${sha256?.slice(0, DIGITS) ?? "none"})`;
  const title = `configuration: ${side(from)} -> ${side(to)}`;
  if (keys === null) {
    const strangers = [from, to].filter(({ name }) => name === null).length;
    const why = strangers === 0 ? "its files cannot be compared" : "no known file gives it: name it with --configs";
    return [title, ...indented([why])];
  }
  const place = (name: string | null, value: (typeof keys)[number]["from"]): string =>
    value === null ? "nothing" : `${JSON.stringify(value.text)} (${name ?? ""}:${value.line})`;
  const lines = keys.map((each) => `${each.key}: ${place(from.name, each.from)} -> ${place(to.name, each.to)}`);
  const none = "no key differs in itself: what local files say, or the form of an Ignition file";
  return [title, ...indented(lines.length === 0 ? [none] : listed(lines, max))];
}

function listed(lines: readonly string[], max: number): string[] {
  const more = lines.length - max;
  return more > 0 ? [...lines.slice(0, max), `and ${more} more: --json has all`] : [...lines];
}

function textOf(value: string | null): string {
  if (value === null) return "none";
  if (/^[0-9a-f]{64}$/u.test(value)) return value.slice(0, DIGITS);
  return JSON.stringify(firstOf(value.trimEnd().split("\n"), MAX_SHOWN));
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
