import { SHA256_HEX, AshlarError, messageOf } from "@ashlar/base";
import { findUkiTextProblem } from "@ashlar/protocol";
import type { ReleaseSummary } from "./release-summary.ts";
import type { ReleaseEntry } from "./repository-index.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;
const SALT = /^(?:[0-9a-f]{2}){0,256}$/u;

/**
 * Parses a release's summary. Its bytes are signed; checked is what installing a release depends on, and that it is the
 * release that was asked for. By hand, since a node loads no schema library.
 *
 * @throws AshlarError `malformed`, or `untrusted` when it says another thing than the signed index
 */
export function parseSummary(text: string, entry: ReleaseEntry): ReleaseSummary {
  const place = `summary of release ${entry.version}`;
  // What the publisher took from a checked manifest and signed; the parts that matter here are checked once more below.
  let value: ReleaseSummary;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AshlarError("malformed", `${place}: expected JSON, found ${messageOf(error)}`);
  }
  const summary = object(value, place);
  const usr = object(summary["usr"], `${place}: usr`);
  const verity = object(usr["verity"], `${place}: usr.verity`);
  const uki = object(summary["uki"], `${place}: uki`);
  const rootHash = matching(usr["rootHash"], SHA256_HEX, `${place}: usr.rootHash`);
  matching(usr["salt"], SALT, `${place}: usr.salt`);
  matching(usr["uuid"], UUID, `${place}: usr.uuid`);
  matching(verity["sha256"], SHA256_HEX, `${place}: usr.verity.sha256`);
  size(verity["sizeBytes"], `${place}: usr.verity.sizeBytes`);
  size(usr["dataSizeBytes"], `${place}: usr.dataSizeBytes`);
  same(entry.version, summary["version"], `${place}: version`);
  same(entry.files.uki.sha256, uki["sha256"], `${place}: uki.sha256`);
  same(entry.files.uki.sizeBytes, uki["sizeBytes"], `${place}: uki.sizeBytes`);
  const uuids = [usr["dataPartitionUuid"], usr["hashPartitionUuid"]].map((uuid, index) =>
    matching(uuid, UUID, `${place}: usr.${index === 0 ? "data" : "hash"}PartitionUuid`),
  );
  same(rootHash, uuids.join("").replaceAll("-", ""), `${place}: partition UUIDs`);
  checkTexts(summary, uki, rootHash, entry.version, place);
  return value;
}

/** Version and root hash must be those that the UKI's measured sections spell: else the node would prove to be another. */
function checkTexts(
  summary: Readonly<Record<string, unknown>>,
  uki: Readonly<Record<string, unknown>>,
  rootHash: string,
  version: string,
  place: string,
): void {
  const text = (name: string): string => matching(summary[name], /^[^]{0,4096}$/u, `${place}: ${name}`);
  const found = uki["sections"];
  if (!Array.isArray(found)) {
    throw new AshlarError("malformed", `${place}: uki.sections: expected a list, found ${shown(found)}`);
  }
  const sections = found.slice(0, MAX_SECTIONS).map((each: unknown, index) => {
    const section = object(each, `${place}: uki.sections.${index}`);
    return {
      name: matching(section["name"], /^\.[a-z]{1,7}$/u, `${place}: uki.sections.${index}.name`),
      sha256: matching(section["sha256"], SHA256_HEX, `${place}: uki.sections.${index}.sha256`),
    };
  });
  const problem = findUkiTextProblem({
    version,
    sysextLevel: text("sysextLevel"),
    commandLine: text("commandLine"),
    osRelease: text("osRelease"),
    usr: { rootHash },
    uki: { sections },
  });
  if (problem !== undefined) same(problem.expected, problem.found, `${place}: ${problem.place}`);
}

const MAX_SECTIONS = 16;

function object(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value;
  throw new AshlarError("malformed", `${place}: expected an object, found ${shown(value)}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function matching(value: unknown, pattern: RegExp, place: string): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw new AshlarError("malformed", `${place}: expected ${pattern.source}, found ${shown(value)}`);
}

function size(value: unknown, place: string): void {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0 && value % 4096 === 0) return;
  throw new AshlarError("malformed", `${place}: expected blocks of 4096 bytes, found ${shown(value)}`);
}

function same(expected: string | number, found: unknown, place: string): void {
  if (expected === found) return;
  throw new AshlarError("untrusted", `${place}: expected ${expected}, found ${shown(found)}`);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 100);
}
