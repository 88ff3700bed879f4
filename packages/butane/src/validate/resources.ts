import { isObject, listOf, objectsOf, textOf, type Decoded, type DecodedObject } from "../document/decoded.ts";
import { dataUrlProblem } from "./data-url-syntax.ts";
import { schemeProblem, splitUrl } from "./url.ts";
import type { Validation } from "./validation.ts";

export function checkResource(resource: DecodedObject, validation: Validation): void {
  const { findings, rules } = validation;
  const source = textOf(resource["source"]);
  const problem = source === "" ? undefined : sourceProblem(source, rules.schemes);
  if (problem !== undefined) findings.error([resource, "source"], problem);
  const compression = textOf(resource["compression"]);
  if (compression !== "" && compression !== "gzip") {
    findings.error([resource, "compression"], `expected gzip or an empty text, found ${compression}`);
  }
  if (listOf(resource["httpHeaders"]).length > 0 && schemeProblem(source, ["http", "https"]) !== undefined) {
    const message = "expected an http or https source for headers, found another";
    findings.error([resource, "httpHeaders"], message, "leave the headers out");
  }
  checkVerification(resource, validation);
}

function sourceProblem(source: string, schemes: readonly string[]): string | undefined {
  const problem = schemeProblem(source, schemes);
  if (problem !== undefined) return problem;
  const { scheme, query } = splitUrl(source) ?? { scheme: "", query: "" };
  if (scheme === "data") return dataUrlProblem(source);
  if (scheme === "arn" && !isS3Arn(source)) {
    return `expected arn:PARTITION:s3:::BUCKET/KEY or an access point's object, found ${source}`;
  }
  const version = new URLSearchParams(query).get("versionId");
  return (scheme === "s3" || scheme === "arn") && version === ""
    ? "expected a versionId, found an empty one"
    : undefined;
}

/** Amazon resource names of objects: in a bucket, or behind an access point of a region and account. */
function isS3Arn(source: string): boolean {
  const [, , service, region, account, ...resource] = source.split(":");
  if (service !== "s3" || resource.length === 0) return false;
  const parts = resource.join(":").split("/");
  if (parts[0] !== "accesspoint") return parts.length > 1;
  return region !== "" && account !== "" && parts.length > 3 && parts[2] === "object";
}

function checkVerification(resource: DecodedObject, { findings, rules }: Validation): void {
  const { verification } = resource;
  if (!isObject(verification) || verification["hash"] === undefined) return;
  const place = [verification, "hash"] as const;
  if (resource["source"] === undefined) {
    findings.error(place, "expected a source to verify, found none", "leave the verification out");
  }
  const hash = textOf(verification["hash"]);
  const dash = hash.indexOf("-");
  const name = hash.slice(0, Math.max(dash, 0));
  const known = Object.keys(rules.hashes);
  const digits = known.includes(name) ? rules.hashes[name] : undefined;
  if (digits === undefined) {
    findings.error(place, `expected ${known.map((one) => `${one}-DIGEST`).join(" or ")}, found ${hash}`);
  } else if (hash.length - dash - 1 !== digits) {
    const found = hash.length - dash - 1;
    findings.error(place, `expected ${digits} hexadecimal digits for ${name}, found ${found}`);
  }
}

export function checkHeader(header: DecodedObject, { findings }: Validation): void {
  if (textOf(header["name"]) === "") findings.error([header, "name"], "expected the name of a header, found none");
  if (header["value"] === "") findings.error([header, "value"], "expected a value, found an empty one", "leave it out");
}

/** Configs and certificate authorities are nothing without a source. */
export function needSource(findings: Validation["findings"], resources: Decoded | undefined): void {
  for (const resource of objectsOf(resources)) {
    if (textOf(resource["source"]) === "") findings.error([resource], "expected a source, found none");
  }
}

export function checkProxy(proxy: DecodedObject, { findings }: Validation): void {
  for (const key of ["httpProxy", "httpsProxy"] as const) {
    if (proxy[key] === undefined) continue;
    const url = textOf(proxy[key]);
    const problem = schemeProblem(url, ["http", "https"]);
    if (problem !== undefined) findings.error([proxy, key], problem);
    else if (key === "httpsProxy" && url.toLowerCase().startsWith("http:")) {
      const message =
        "expected an https proxy for https sources, found an http one, to which Ignition speaks in plain text";
      findings.warning([proxy, key], message, "use https: if the proxy can");
    }
  }
}
