import { textOf, type Decoded, type DecodedObject } from "../document/decoded.ts";
import type { Findings } from "../document/findings.ts";
import type { Place } from "../document/origins.ts";

/** Demands an absolute path in its shortest form. */
export function checkPath(findings: Findings, place: Place, value: Decoded | undefined): void {
  const path = textOf(value);
  if (path === "") {
    findings.error(place, "expected an absolute path, found none");
  } else if (!path.startsWith("/")) {
    findings.error(place, `expected an absolute path, found ${path}`, `start it with a slash: /${path}`);
  } else if (cleanPath(path) !== path) {
    findings.error(place, `expected a path in its shortest form, found ${path}`, `write ${cleanPath(path)}`);
  }
}

/** Demands the device of a disk, file system or volume. */
export function checkDevice(findings: Findings, object: DecodedObject): void {
  if (textOf(object["device"]) !== "") return checkPath(findings, [object, "device"], object["device"]);
  findings.error([object, "device"], "expected a device, found none", "name it by its path, best below /dev/disk/by-*");
}

/** The shortest form of an absolute path, found without looking at any file system. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The directories above an absolute path, without the root. */
export function parentsOf(path: string): readonly string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}
