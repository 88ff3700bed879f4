import assert from "node:assert/strict";
import { test } from "node:test";
import { showProofs } from "@ashlar/views";
import fc from "fast-check";
import { parse } from "yaml";
import { proofDocument } from "./proof-document.ts";
import { ProofTable } from "./proof-table.ts";
import { safeYaml } from "./safe-yaml.ts";

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");
const LONG = "a".repeat(253);
const HOSTILE = "\u001b]0;x\u0007\u001b[2J\nall proven\u202e";
const AGES = { freshnessSeconds: new Map<string, number>(), otherwiseSeconds: 3600 };

function shown(...names: readonly string[]) {
  const difference = { about: "running", code: "class-config", what: "PCR 13", expected: "a", found: HOSTILE } as const;
  const condition = { type: "Proven", status: "False", reason: "ClassConfig", message: "" } as const;
  const status = {
    class: "worker",
    level: "mismatch",
    identity: "b".repeat(64),
    extensions: [{ kind: "sysext", name: "kubernetes", version: "v1.33.4", rootHash: "c".repeat(64) }],
    differences: [difference],
    lastProved: "2026-03-01T11:58:00Z",
    conditions: [condition],
  } as const;
  return showProofs(
    names.map((name) => ({ name, status })),
    AGES,
    NOW_MS,
  );
}

test("names are shown whole, columns stay, and nothing that others wrote is an instruction to the terminal", () => {
  const table = new ProofTable(false);
  const [titles = "", first = ""] = table.begin(shown(LONG)).map(String);
  assert.equal(titles.indexOf("LEVEL"), 255);
  assert.ok(
    first.startsWith(`${LONG}  mismatch  -        -          worker  bbbbbbbbbbbb  2 min  PCR 13: expected a, found `),
  );
  assert.ok(first.endsWith(String.raw`\u001b]0;x\u0007\u001b[2J\nall proven\u202e`));
  const [later = ""] = table.more(shown("n")).map(String);
  assert.equal(later.indexOf("mismatch"), 255);
});

test("wide has the whole identity, and extensions", () => {
  const [, line = ""] = new ProofTable(true).begin(shown("n")).map(String);
  assert.match(line, /b{64} {2}2 min {2}kubernetes v1\.33\.4 {2}PCR 13/u);
});

test("YAML says what JSON says, whatever is in it, and has no character that is not to be read", () => {
  const [proof] = shown(LONG);
  assert.ok(proof !== undefined);
  const document = proofDocument(proof);
  assert.deepEqual(parse(safeYaml(document)), document);
  assert.equal(document.ageSeconds, 120);
  const units = fc.constantFrom(...Array.from("a\u0000\u001b\n\r\t\u0085\u2028\u202e\ud800\"'\\#: -€\u{1f9f1}"));
  fc.assert(
    fc.property(fc.string({ unit: units }), (text) => {
      const yaml = safeYaml({ text, list: [text] });
      assert.doesNotMatch(yaml.replaceAll("\n", ""), /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/u);
      assert.deepEqual(parse(yaml), { text, list: [text] });
    }),
  );
});
