import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256, sha384 } from "@ashlar/formats";
import { testRelease } from "../test-release.ts";
import { findUkiTextProblem, provedText } from "./uki-texts.ts";

const { sha384: SHA384, ...RELEASE } = testRelease("1.0.0");

function withSections(change: (name: string, digest: string) => readonly (readonly [string, string])[]) {
  const sections = RELEASE.uki.sections.flatMap((section) =>
    change(section.name, section.sha256).map(([name, digest]) => ({ name, sha256: digest })),
  );
  return { ...RELEASE, uki: { ...RELEASE.uki, sections } };
}

test("a release states what its sections spell, whatever they end with", () => {
  assert.equal(findUkiTextProblem(RELEASE), undefined);
  for (const end of ["", "\0", "\n", "\n\0"]) {
    const texts = new Map([
      [".cmdline", RELEASE.commandLine + end],
      [".osrel", RELEASE.osRelease.trimEnd() + end],
    ]);
    const release = withSections((name, digest) => [[name, texts.has(name) ? sha256(texts.get(name) ?? "") : digest]]);
    assert.equal(findUkiTextProblem(release), undefined, JSON.stringify(end));
  }
  assert.equal(provedText("a\n", sha256("a\n\0")), "a");
  assert.equal(provedText("a", sha256("a\0\0")), undefined);
  assert.equal(provedText("a", undefined), undefined);
});

test("sections that are missing, twice there, or of another text are named", () => {
  const missing = withSections((name, digest) => (name === ".osrel" ? [] : [[name, digest]]));
  assert.deepEqual(findUkiTextProblem(missing), {
    place: "$.uki.sections",
    expected: "a section .osrel",
    found: "none",
  });
  const twice = withSections((name, digest) => [
    [name, digest],
    ...(name === ".cmdline" ? [[name, digest] as const] : []),
  ]);
  assert.equal(findUkiTextProblem(twice)?.expected, "one section .cmdline");
  const other = withSections((name, digest) => [[name, name === ".cmdline" ? sha256("quiet") : digest]]);
  assert.equal(findUkiTextProblem(other)?.place, "$.uki.sections..cmdline");
  const osRelease = `${RELEASE.osRelease}IMAGE_VERSION=2\n`;
  const second = withSections((name, digest) => [[name, name === ".osrel" ? sha256(osRelease) : digest]]);
  const proved = { ...second, osRelease };
  assert.equal(findUkiTextProblem(proved)?.found, "IMAGE_VERSION=1.0.0 IMAGE_VERSION=2");
});

test("texts are borne out by the SHA-384 digests, too, where a release has them", () => {
  assert.ok(SHA384 !== undefined);
  assert.equal(findUkiTextProblem({ ...RELEASE, sha384: SHA384 }), undefined);
  const withDigest = (wanted: string, digest: string) => ({
    sections: SHA384.sections.map((section) => (section.name === wanted ? { ...section, sha384: digest } : section)),
  });
  const ends = withDigest(".cmdline", sha384(`${RELEASE.commandLine}\n\0`));
  assert.equal(findUkiTextProblem({ ...RELEASE, sha384: ends }), undefined);
  for (const name of [".cmdline", ".osrel"]) {
    const other = withDigest(name, sha384("another text"));
    assert.equal(findUkiTextProblem({ ...RELEASE, sha384: other })?.place, `$.sha384.sections.${name}`);
    const missing = { sections: SHA384.sections.filter((section) => section.name !== name) };
    assert.match(findUkiTextProblem({ ...RELEASE, sha384: missing })?.found ?? "", /^none/u);
  }
});
