import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KNOWN_NOISE } from "./known-noise.ts";
import { noiseFilter } from "./noise-rule.ts";
import { parseRules } from "./parse-rules.ts";

const matches = (pattern: string, key: string): boolean =>
  noiseFilter([{ name: "a", reason: "b", matches: [pattern], ignores: "all" }])(key, "content") !== undefined;

test("patterns: a star stays in its folder, two do not", () => {
  const cases: readonly [string, string, boolean][] = [
    ["/etc/machine-id", "/etc/machine-id", true],
    ["/etc/machine-id", "/etc/machine-id2", false],
    ["/etc/ssh/ssh_host_*_key", "/etc/ssh/ssh_host_rsa_key", true],
    ["/etc/ssh/ssh_host_*_key", "/etc/ssh/ssh_host_a/b_key", false],
    ["/etc/*", "/etc/a/b", false],
    ["/etc/**", "/etc/a/b", true],
    ["**/__pycache__/*.pyc", "/usr/lib/python3/__pycache__/a.pyc", true],
    ["**/__pycache__/*.pyc", "/usr/lib/python3/__pycache__/a/b.pyc", false],
    ["**/__pycache__/*.pyc", "/usr/lib/python3/a.pyc", false],
    ["unit:*.mount", "unit:boot.mount", true],
  ];
  for (const [pattern, key, expected] of cases) assert.equal(matches(pattern, key), expected, `${pattern} ${key}`);
});

test("patterns match as the regular expressions that they stand for", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 8 });
  const part = fc.oneof(
    fc.constantFrom("*", "**"),
    fc.string({ unit: fc.constantFrom("a", "b", "/"), minLength: 1, maxLength: 2 }),
  );
  const parts = fc
    .array(part, { maxLength: 5 })
    .filter((all) => !all.some((each, index) => each.startsWith("*") && all[index + 1]?.startsWith("*")));
  fc.assert(
    fc.property(parts, text, (all, key) => {
      const source = all.map((each) => (each === "*" ? "[^/]*" : each === "**" ? ".*" : each)).join("");
      assert.equal(matches(all.join(""), key), new RegExp(`^${source}$`, "u").test(key));
    }),
  );
});

test("known rules have names of their own, reasons, and the form that a user's must have", () => {
  assert.deepEqual(parseRules(JSON.stringify({ rules: KNOWN_NOISE }), "known"), KNOWN_NOISE);
});

test("a rule of content leaves the mode", () => {
  const filter = noiseFilter(KNOWN_NOISE);
  assert.equal(filter("/etc/machine-id", "content")?.name, "machine-id");
  assert.equal(filter("/etc/machine-id", "mode"), undefined);
  assert.equal(filter("/usr/bin/sudo", "content"), undefined);
});

test("all that is wrong in a file of rules is told", () => {
  const text = `rules:\n  - {name: A, reason: "", matches: ["**"], ignores: much}\n  - {name: b, reason: c, matches: [/d], more: 1}`;
  assert.throws(
    () => parseRules(text, "rules.yaml"),
    /rule 1: .*name.*rule 1: .*reason.*rule 1: .*ignores.*rule 1: .*pattern.*rule 2: .*more/u,
  );
  for (const bad of ["", "rules: 1", "a: [", "&a [*a]", "rules: *b", "[".repeat(5000), "rules: [1]"])
    assert.throws(() => parseRules(bad, "a"), { name: "AshlarError" }, bad);
});
