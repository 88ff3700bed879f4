import { hash } from "node:crypto";

/** `bundle.ts` puts it in front of a bundle: the state of each source that it was made of. There is none beside the sources. */
declare const INPUTS: string;

/** Which program this is, to the byte; undefined when it runs from its sources, which may change at any time. */
export function programDigest(): string | undefined {
  return typeof INPUTS === "string" ? hash("sha256", INPUTS) : undefined;
}
