import type { Causes, FileDifference, FileForm } from "@ashlar/audit";
import { countOf, sizeText } from "./words.ts";

/** What something is compared with, in words. */
export type Other = { readonly name: string; readonly onlyThere: string; readonly onlyHere: string };

export const FIRST_GROUP: Other = {
  name: "first group",
  onlyThere: "not here, only in the first group",
  onlyHere: "only here",
};
/** The same node at another time. */
export const BEFORE: Other = { name: "before", onlyThere: "gone", onlyHere: "new" };

export function describePackage(
  { name, here, there, since, files }: Causes["packages"][number],
  other: Other = FIRST_GROUP,
): string {
  const versions = `${here ?? "not here"} (${other.name}: ${there ?? "not there"})`;
  const when = since === undefined ? "" : `, ${since.action} ${since.at}`;
  return `${name} ${versions}${when}${files === 0 ? "" : `, ${countOf(files, "file")}`}`;
}

export function describeState({ name, here, there }: Causes["state"][number], other: Other = FIRST_GROUP): string {
  return `${name}: ${here ?? "not here"} (${other.name}: ${there ?? "not there"})`;
}

/** What of it differs; `here` is the group's. */
export function describeDifference(
  { path, package: owner, here, there }: FileDifference,
  other: Other = FIRST_GROUP,
): string {
  const from = owner === undefined ? "" : ` (of ${owner})`;
  if (here === undefined) return `${path}${from}: ${other.onlyThere}`;
  if (there === undefined) return `${path}${from}: ${other.onlyHere}, ${describeForm(here)}`;
  const changes = [
    [here.type, there.type],
    ...(here.type === "file" && there.type === "file" ? sizesOf(here, there) : []),
    ...(here.type === "link" && there.type === "link" ? [[`to ${here.target}`, `to ${there.target}`]] : []),
    [`mode ${here.mode}`, `mode ${there.mode}`],
    [`owner ${here.owner}:${here.group}`, `owner ${there.owner}:${there.group}`],
    [here.capabilities ?? "no capabilities", there.capabilities ?? "no capabilities"],
  ].flatMap(([one, two]) => (one === two ? [] : [`${one} (${other.name}: ${two})`]));
  const isOther = here.digest !== there.digest && here.sizeBytes === there.sizeBytes;
  return `${path}${from}: ${[...(isOther ? ["another content of the same size"] : []), ...changes].join(", ")}`;
}

function describeForm({ type, sizeBytes, mode, target }: FileForm): string {
  return [
    type,
    type === "file" ? sizeText(sizeBytes) : "",
    target === undefined ? "" : `to ${target}`,
    mode && `mode ${mode}`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}

/** Of contents that differ in size. A few bytes more of many would read as no difference. */
function sizesOf(here: FileForm, there: FileForm): readonly (readonly [string, string])[] {
  if (here.digest === there.digest || here.sizeBytes === there.sizeBytes) return [];
  const sizes = [sizeText(here.sizeBytes), sizeText(there.sizeBytes)] as const;
  return [sizes[0] === sizes[1] ? [`${here.sizeBytes} bytes`, `${there.sizeBytes} bytes`] : sizes];
}
