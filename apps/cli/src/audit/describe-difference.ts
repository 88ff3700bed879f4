import type { Causes, FileDifference, FileForm } from "@ashlar/audit";
import { countOf, sizeText } from "./words.ts";

export function describePackage({ name, here, there, since, files }: Causes["packages"][number]): string {
  const versions = `${here ?? "not here"} (first group: ${there ?? "not there"})`;
  const when = since === undefined ? "" : `, ${since.action} ${since.at}`;
  return `${name} ${versions}${when}${files === 0 ? "" : `, ${countOf(files, "file")}`}`;
}

export function describeState({ name, here, there }: Causes["state"][number]): string {
  return `${name}: ${here ?? "not here"} (first group: ${there ?? "not there"})`;
}

/** What of it differs; `here` is the group's. */
export function describeDifference({ path, package: owner, here, there }: FileDifference): string {
  const from = owner === undefined ? "" : ` (of ${owner})`;
  if (here === undefined) return `${path}${from}: not here, only in the first group`;
  if (there === undefined) return `${path}${from}: only here, ${describeForm(here)}`;
  const changes = [
    ...change(here.type, there.type),
    ...(here.type === "file" && there.type === "file" ? contentChange(here, there) : []),
    ...(here.type === "link" && there.type === "link" ? change(`to ${here.target}`, `to ${there.target}`) : []),
    ...change(`mode ${here.mode}`, `mode ${there.mode}`),
    ...change(`owner ${here.owner}:${here.group}`, `owner ${there.owner}:${there.group}`),
    ...change(here.capabilities ?? "no capabilities", there.capabilities ?? "no capabilities"),
  ];
  return `${path}${from}: ${changes.join(", ")}`;
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

function change(here: string, there: string): string[] {
  return here === there ? [] : [`${here} (first group: ${there})`];
}

function contentChange(here: FileForm, there: FileForm): string[] {
  if (here.digest === there.digest) return [];
  if (here.sizeBytes !== there.sizeBytes) {
    const [size, other] = [sizeText(here.sizeBytes), sizeText(there.sizeBytes)];
    // A few bytes more of many would read as no difference.
    return size === other ? change(`${here.sizeBytes} bytes`, `${there.sizeBytes} bytes`) : change(size, other);
  }
  return ["another content of the same size"];
}
