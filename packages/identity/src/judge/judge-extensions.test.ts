import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { DeclaredExtension } from "@ashlar/declaration";
import { extensionWord, parseExtensionWord, foldExtensionWords, type ExtensionWord } from "@ashlar/protocol";
import { knownExtensionOf } from "../expected/known-extension.ts";
import { judgeExtensions, type ExtensionExpectations, type JudgedExtensions } from "./judge-extensions.ts";
import { mergedWord, testExtension } from "@ashlar/protocol/test-fixtures";

const OLD = testExtension("kubernetes", "v1.33.2");
const NEW = testExtension("kubernetes", "v1.33.10");
const MINOR = testExtension("kubernetes", "v1.34.0");
const TOOLS = testExtension("debug-tools", "1.0", { tier: "opt-in" });
const ETC = testExtension("hardening", "2", { kind: "confext" });
const KNOWN = [OLD, NEW, MINOR, TOOLS, ETC].map(knownExtensionOf);
const NOW = Date.parse("2026-11-22T18:00:00Z");
const MINUTE = 60_000;
const at = (ms: number): string => new Date(ms).toISOString();

const KUBERNETES: DeclaredExtension = {
  kind: "sysext",
  name: "kubernetes",
  pattern: "v1.33.*",
  tier: null,
  updates: "manual",
  source: { type: "repository" },
};

function judge(words: readonly ExtensionWord[], change: Partial<ExtensionExpectations> = {}): JudgedExtensions {
  const expectations = { declared: [KUBERNETES], known: KNOWN, exceptions: [], alsoAllowed: [], ...change };
  return judgeExtensions(foldExtensionWords(words), expectations, NOW);
}

/** `what: expected / found` of each difference. */
function differencesOf(judged: JudgedExtensions, list: "differences" | "undecided" = "differences"): string[] {
  return judged[list].map(({ what, expected, found }) => `${what}: ${expected} / ${found}`);
}

function assertRight(judged: JudgedExtensions): void {
  assert.deepEqual([...differencesOf(judged), ...differencesOf(judged, "undecided")], []);
}

function assertWrong(judged: JudgedExtensions, ...patterns: readonly RegExp[]): void {
  const found = differencesOf(judged);
  assert.equal(found.length, patterns.length, found.join("\n"));
  for (const [index, pattern] of patterns.entries()) assert.match(found[index] ?? "", pattern);
  assert.deepEqual(judged.undecided, []);
}

const removed = ({ kind, name }: ExtensionWord): ExtensionWord => ({ kind, name, rootHash: null });

test("what was merged earlier counts, however much that is", () => {
  const versions = Array.from({ length: 20 }, (_, index) => testExtension("kubernetes", `v1.33.${20 + index}`));
  const words = versions.map(mergedWord);
  const known = [...KNOWN, ...versions.map(knownExtensionOf)];
  assertRight(judge(words, { known }));
  const tools = [mergedWord(TOOLS), removed(mergedWord(TOOLS))];
  assertWrong(judge([...words, ...tools], { known }), /^extension debug-tools, earlier in this boot: nothing/u);
});

test("the declared extension in its newest version is right", () => {
  const judged = judge([mergedWord(NEW)]);
  assertRight(judged);
  assert.deepEqual(judged.extensions, [
    {
      kind: "sysext",
      name: "kubernetes",
      version: "v1.33.10",
      rootHash: NEW.image.rootHash,
      note: null,
      until: null,
    },
  ]);
  assertRight(judge([], { declared: [] }));
});

test("an older version that the pattern takes is right, with a note; a newer one that it does not take is no news", () => {
  const judged = judge([mergedWord(OLD)]);
  assertRight(judged);
  assert.equal(judged.extensions[0]?.note, "v1.33.10 is published");
  const withdrawn = KNOWN.map((each) => (each.version === "v1.33.10" ? { ...each, withdrawn: { reason: "x" } } : each));
  assert.equal(judge([mergedWord(OLD)], { known: withdrawn }).extensions[0]?.note, null);
  const pinned = { ...KUBERNETES, pattern: "v1.33.2" };
  assert.equal(judge([mergedWord(OLD)], { declared: [pinned] }).extensions[0]?.note, null);
});

test("undeclared, missing, of another version, kind or tier: each is named", () => {
  assertWrong(judge([mergedWord(NEW), mergedWord(TOOLS)]), /^extension debug-tools: nothing.* \/ 1\.0$/u);
  assertWrong(judge([]), /^extension kubernetes: the sysext v1\.33\.\*, merged \/ not merged$/u);
  assertWrong(
    judge([mergedWord(OLD), removed(mergedWord(OLD))]),
    /^extension kubernetes: .* \/ v1\.33\.2, unmerged in this boot$/u,
  );
  assertWrong(judge([mergedWord(MINOR)]), /^extension kubernetes: v1\.33\.\* \/ v1\.34\.0$/u);
  assertWrong(judge([{ ...mergedWord(NEW), kind: "confext" }]), /^extension kubernetes: a sysext \/ a confext$/u);
  assertWrong(
    judge([mergedWord(NEW)], { declared: [{ ...KUBERNETES, tier: "shipped" }] }),
    /^extension kubernetes, tier: shipped \/ community$/u,
  );
  assertRight(judge([mergedWord(NEW)], { declared: [{ ...KUBERNETES, tier: "community" }] }));
});

test("a track's extension need not be there", () => {
  const track = { ...KUBERNETES, source: { type: "track", updatesUrl: "https://example.org/" } } as const;
  assertRight(judge([], { declared: [track] }));
  assertRight(judge([mergedWord(NEW)], { declared: [track] }));
});

test("a withdrawn version is named with the reason", () => {
  const known = KNOWN.map((each) => (each.version === "v1.33.2" ? { ...each, withdrawn: { reason: "a hole" } } : each));
  assertWrong(judge([mergedWord(OLD)], { known }), /not withdrawn \/ v1\.33\.2, withdrawn: a hole$/u);
  // While it is replaced it may be there, and afterwards have been there.
  const alsoAllowed = [OLD, NEW].map(knownExtensionOf);
  const during = judge([mergedWord(OLD)], { known, alsoAllowed });
  assertRight(during);
  assert.equal(during.extensions[0]?.note, "its turn in an update");
  const afterwards = judge([mergedWord(OLD), mergedWord(NEW)], { known });
  assertRight(afterwards);
  assert.equal(afterwards.extensions[0]?.note, "v1.33.2 earlier in this boot");
});

test("a root hash that nobody published, or another extension's", () => {
  const rootHash = "cd".repeat(32);
  assertWrong(
    judge([{ ...mergedWord(NEW), rootHash }]),
    /published version, v1\.33\.\* \/ root hash (cd){32}, .*not published$/u,
  );
  assertWrong(
    judge([{ ...mergedWord(NEW), rootHash: TOOLS.image.rootHash }]),
    /which is the sysext debug-tools 1\.0$/u,
  );
  assertWrong(
    judge([{ ...mergedWord(NEW), rootHash }, mergedWord(NEW)]),
    /^extension kubernetes, earlier in this boot: .*not published$/u,
  );
});

test("without anything published of that name nothing can be told, and what to do is", () => {
  const judged = judge([mergedWord(NEW)], { known: [knownExtensionOf(TOOLS)] });
  assert.deepEqual(judged.differences, []);
  assert.match(
    differencesOf(judged, "undecided").join("\n"),
    /^extension kubernetes: .*give --releases or --extension$/u,
  );
  assert.equal(judged.extensions[0]?.version, null);
});

test("a debug session is a named exception while it lasts, and a note afterwards", () => {
  const exception = { name: "debug-tools", rootHash: TOOLS.image.rootHash, until: at(NOW + MINUTE) };
  const words = [mergedWord(NEW), mergedWord(TOOLS)];
  const during = judge(words, { exceptions: [exception] });
  assertRight(during);
  assert.deepEqual(during.extensions[0], {
    kind: "sysext",
    name: "debug-tools",
    version: "1.0",
    rootHash: TOOLS.image.rootHash,
    note: "debug session",
    until: "2026-11-22T18:01:00.000Z",
  });
  const over = { ...exception, until: at(NOW - 2 * MINUTE) };
  assertWrong(
    judge(words, { exceptions: [over] }),
    /debug-tools: nothing: .* ended at 2026-11-22T17:58:00\.000Z \/ 1\.0$/u,
  );
  assertRight(judge(words, { exceptions: [over, exception] }));
  const ended = judge([...words, removed(mergedWord(TOOLS))], { exceptions: [over] });
  assertRight(ended);
  assert.deepEqual([ended.extensions.length, ended.notes], [1, ["1.0 of debug-tools was merged earlier in this boot"]]);
  assertRight(judge(words, { exceptions: [exception], known: [knownExtensionOf(NEW)] }));
});

test("an exception is for one extension, and one root hash if it names it", () => {
  const exception = { name: "debug-tools", rootHash: "cd".repeat(32), until: at(NOW + MINUTE) };
  const words = [mergedWord(NEW), mergedWord(TOOLS)];
  assertWrong(judge(words, { exceptions: [exception] }), /not declared/u);
  assertWrong(judge(words, { exceptions: [{ ...exception, name: "other" }] }), /not declared/u);
  const any = { ...exception, rootHash: null };
  assertRight(judge(words, { exceptions: [any] }));
  assertWrong(
    judge([mergedWord(NEW), { ...mergedWord(TOOLS), rootHash: "ef".repeat(32) }], { exceptions: [any] }),
    /debug-tools: a published version .*not published/u,
  );
});

test("what was merged without a right counts until the restart", () => {
  const words = [mergedWord(NEW), mergedWord(TOOLS), removed(mergedWord(TOOLS))];
  assertWrong(judge(words), /^extension debug-tools, earlier in this boot: nothing .* \/ 1\.0; a restart ends it$/u);
});

test("sysexts and confexts, sorted by name", () => {
  const declared = [KUBERNETES, { ...KUBERNETES, kind: "confext", name: "hardening", pattern: "2" } as const];
  const judged = judge([mergedWord(NEW), mergedWord(ETC)], { declared });
  assertRight(judged);
  assert.deepEqual(
    judged.extensions.map(({ kind, name }) => `${kind} ${name}`),
    ["confext hardening", "sysext kubernetes"],
  );
});

test("a hostile log is named in few words", () => {
  const many = Array.from({ length: 2000 }, (_, index): ExtensionWord[] => {
    const name = `x${index % 1000}`;
    return [{ kind: "sysext", name, rootHash: index.toString(16).padStart(64, "0") }];
  }).flat();
  const judged = judge(many);
  assert.ok(judged.extensions.length === 64 && judged.differences.length <= 64 + 16 + 2);
});

const words = fc.array(
  fc.record({
    kind: fc.constantFrom("sysext", "confext"),
    name: fc.constantFrom("kubernetes", "debug-tools", "a-b"),
    rootHash: fc.option(fc.constantFrom(...KNOWN.map(({ rootHash }) => rootHash), "cd".repeat(32))),
  }),
  { maxLength: 12 },
);

test("words are read back only in their one form", () => {
  fc.assert(
    fc.property(words, (each) => {
      for (const word of each) assert.deepEqual(parseExtensionWord(extensionWord(word)), { ...word });
    }),
  );
  const digest = "ab".repeat(32);
  for (const text of [
    "",
    `sysext:a:${digest} `,
    `sysext:a:${digest.toUpperCase()}`,
    `sysext:A:${digest}`,
    `sysext::${digest}`,
    `portable:a:${digest}`,
    `sysext:a:${digest}\n`,
    "sysext:a:",
    "sysext:a:gone",
    `sysext:a:b:${digest}`,
  ]) {
    assert.equal(parseExtensionWord(text), undefined, text);
  }
});

test("only the last word of each extension says what is merged; repeating it changes nothing", () => {
  fc.assert(
    fc.property(words, (each) => {
      const { merged, earlier } = foldExtensionWords(each);
      for (const { kind, name, rootHash } of merged) {
        assert.equal(each.findLast((word) => word.kind === kind && word.name === name)?.rootHash, rootHash);
      }
      const doubled = foldExtensionWords(each.flatMap((word) => [word, word]));
      assert.deepEqual(doubled, { merged, earlier });
      const keys = [...merged, ...earlier].map((word) => extensionWord(word));
      const measured = each.filter(({ rootHash }) => rootHash !== null).map((word) => extensionWord(word));
      assert.deepEqual(new Set(keys), new Set(measured), "nothing that was measured is lost");
      assert.equal(new Set(keys).size, keys.length);
    }),
  );
});

test("nothing that is merged stays unjudged: right is only what is declared, published and not withdrawn", () => {
  fc.assert(
    fc.property(words, (each) => {
      const judged = judge(each);
      const isRight = judged.differences.length === 0 && judged.undecided.length === 0;
      const { merged, earlier } = foldExtensionWords(each);
      const isGood = ({ kind, name, rootHash }: (typeof merged)[number]): boolean =>
        KNOWN.some((known) => known.kind === kind && known.name === name && known.rootHash === rootHash);
      const declared = merged.filter(({ name, kind }) => name === "kubernetes" && kind === "sysext");
      const expected =
        merged.length === 1 &&
        declared.length === 1 &&
        declared.every(({ rootHash }) => rootHash !== MINOR.image.rootHash) &&
        [...merged, ...earlier].every((one) => isGood(one) && one.name === "kubernetes");
      assert.equal(isRight, expected);
      assert.equal(judged.extensions.length, merged.length);
    }),
    { numRuns: 500 },
  );
});
