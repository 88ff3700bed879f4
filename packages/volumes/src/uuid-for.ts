import { hash } from "node:crypto";

/** A UUID that follows from a purpose and a version (RFC 9562, version 8: made by a vendor's own rule). */
export function uuidFor(purpose: string, version: string): string {
  const digits = hash("sha256", `ashlar ${purpose} ${version}`).slice(0, 32);
  const versioned = `${digits.slice(0, 12)}8${digits.slice(13, 16)}8${digits.slice(17)}`;
  return versioned.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5");
}
