/**
 * Compares with what the reference made of the configs in test/vectors/butane, and with the reference itself where
 * BUTANE_REFERENCE names it; with BUTANE_RECORD its answers become the new vectors.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { AshlarError, messageOf } from "@ashlar/base";
import { translate, type LocalFiles, type Translation } from "./index.ts";

const DIRECTORY = join(import.meta.dirname, "../../../test/vectors/butane");
const FILES = join(DIRECTORY, "files");
const REFERENCE = process.env["BUTANE_REFERENCE"];

type Answer = { readonly output?: string; readonly places: readonly string[] };
type Case = Answer & { readonly input: string };

const recorded: readonly Case[] = JSON.parse(readFileSync(join(DIRECTORY, "cases.json"), "utf8"));
const cases = REFERENCE === undefined ? recorded : recorded.map(({ input }) => ({ input, ...askReference(input) }));

test("outputs are the reference's, byte for byte; what it refuses is refused", () => {
  for (const { input, output } of cases) {
    const { ignition, report } = translated(input);
    const found = ignition === undefined ? undefined : `${ignition}\n`;
    assert.equal(found, output, `${input}\n${JSON.stringify(report)}`);
  }
});

test("where the reference finds a problem, there is one", () => {
  for (const { input, places } of cases) {
    const found = placesOf(translated(input));
    for (const place of places) assert.ok(isCovered(place, found), `${input}\n${place}\n${found.join("\n")}`);
  }
});

test("the recorded answers are the reference's", () => {
  if (process.env["BUTANE_RECORD"] !== undefined) {
    writeFileSync(join(DIRECTORY, "cases.json"), `[\n${cases.map((one) => JSON.stringify(one)).join(",\n")}\n]\n`);
  } else {
    assert.deepEqual(cases, recorded);
  }
});

function translated(input: string): Translation {
  return translate(input, { files: diskFiles });
}

function placesOf({ report }: Translation): string[] {
  return report.map(({ severity, path, position }) => `${severity} ${path} ${position?.line}:${position?.column}`);
}

/**
 * The reference reports some problems twice: of a value and of what holds it, as a warning and as an error. One is enough,
 * so an error in its place or a problem of the same severity in the same object will do, too.
 */
function isCovered(place: string, found: readonly string[]): boolean {
  if (found.includes(place) || found.includes(place.replace(/^warning/u, "error"))) return true;
  const holder = place.slice(0, Math.max(place.lastIndexOf("."), place.indexOf("$") + 1));
  return found.some((one) => one.startsWith(`${holder}.`));
}

function askReference(input: string): Answer {
  assert.ok(REFERENCE !== undefined);
  const { status, stdout, stderr } = spawnSync(REFERENCE, ["--files-dir", FILES], { input, encoding: "utf8" });
  const matches = stderr.matchAll(
    /^(?<severity>error|warning) at (?<path>\S+), line (?<line>\d+) col (?<column>\d+)/gmu,
  );
  const places = matches.map(
    ({ groups }) => `${groups!["severity"]} ${groups!["path"]} ${groups!["line"]}:${groups!["column"]}`,
  );
  // Missing list items shift the reference's own indices, as it says then.
  const shifted = /not match content tree at \S+\.\d+\./u.test(stderr);
  const answer: Answer = { places: shifted ? [] : [...new Set(places)] };
  return status === 0 ? { output: stdout, ...answer } : answer;
}

const diskFiles: LocalFiles = {
  look: (path) =>
    attempt(() => {
      const full = join(FILES, path);
      const found = lstatSync(full);
      if (found.isSymbolicLink()) {
        const leadsToDirectory = statSync(full, { throwIfNoEntry: false })?.isDirectory() === true;
        return { kind: "link", target: readlinkSync(full), leadsToDirectory };
      }
      return { kind: found.isDirectory() ? "directory" : "file", executable: (found.mode & 0o111) !== 0 };
    }),
  read: (path) => attempt(() => readFileSync(join(FILES, path))),
  list: (path) => attempt(() => readdirSync(join(FILES, path))),
};

function attempt<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw new AshlarError("not-found", messageOf(error));
  }
}
