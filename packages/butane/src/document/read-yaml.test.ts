import assert from "node:assert/strict";
import { test } from "node:test";
import { translate } from "../index.ts";

const HEAD = "variant: flatcar\nversion: 1.1.0\n";

test("where a text is not YAML, the place and the remedy are named", () => {
  const cases: readonly [body: string, place: string, message: RegExp][] = [
    ["a: b: c\n", "3:4", /^expected one key and value on the line/u],
    ["storage:\n\tfiles: []\n", "4:1", /^expected spaces at the start of the line, found a tab/u],
    ["a: [b, c\n", "4:1", /^expected a closing quote or bracket/u],
    ["a: |\n \tb\n", "4:2", /^expected spaces at the start of the text, found a tab/u],
    ['a: "b\n', "4:1", /^expected a closing quote or bracket/u],
    ["a: *none\n", "3:4", /^expected an anchor &none before its use, found none/u],
    ["a: &b.c d\n", "3:4", /^expected the name of an anchor in letters/u],
    ['a: "\\/"\n', "3:5", /^expected the escape of a character, found \\\/$/u],
    ['a: "\\q"\n', "3:5", /^expected a known escape/u],
    ["a: \u0007\n", "3:4", /^expected printable characters, found U\+0007/u],
    ["a: @b\n", "3:4", /^expected a value, found a character/u],
    ["a:\n  b: c\n d: e\n", "5:1", /^expected/u],
  ];
  for (const [body, place, message] of cases) {
    const { ignition, report } = translate(HEAD + body);
    const [problem] = report;
    assert.equal(ignition, undefined, body);
    assert.match(problem?.message ?? "", message, body);
    assert.equal(`${problem?.position?.line}:${problem?.position?.column}`, place, body);
  }
});

test("texts in quotes go on at any column, as the reference has it", () => {
  for (const quote of ["'", '"']) {
    const text = `${HEAD}storage:\n  files:\n    - path: /a\n      contents:\n        inline: ${quote}a\nb\n\n  c\n${quote}\n`;
    assert.match(translate(text).ignition ?? "", /"source":"data:,a%20b%0Ac%20"/u);
  }
});

test("scalars become what the key wants, and wrong ones are all reported with their places", () => {
  const text = `${HEAD}storage:
  files:
    - {path: 12, mode: 0o644, overwrite: no, user: {id: 10.9}}
    - {path: 0x1F, mode: 0899, overwrite: off}
`;
  const { report } = translate(text);
  assert.deepEqual(
    report.map(({ path }) => path),
    ["$.storage.files.0.path", "$.storage.files.1.path"],
  );
  const wrong = translate(`${HEAD}storage: {files: [{path: [a], mode: "0644", overwrite: "true"}], links: x}\n`);
  assert.deepEqual(
    wrong.report.map(({ path, message, hint }) => `${path} ${message} ${hint ?? ""}`.trim()),
    [
      "$.storage.files.0.path expected text, found a list",
      "$.storage.files.0.mode expected a whole number, found “0644” remove the quotes",
      "$.storage.files.0.overwrite expected true or false, found “true” remove the quotes",
      "$.storage.links expected a list, found “x” start each item with a dash",
    ],
  );
});
