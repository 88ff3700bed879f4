import assert from "node:assert/strict";
import { test } from "node:test";
import { readUnitFile } from "./unit-file.ts";

test("units are read as strictly as Ignition reads them", () => {
  const cases: readonly [text: string, installs: boolean, problem?: RegExp][] = [
    ["", false],
    ["before any section", false],
    ["# comment\n; comment\n\n[Unit]\nA=b\n", false],
    ["[Unit]\nA=b \\\n continued without an equals sign\n", false],
    ["[Install]\nWantedBy=x", true],
    ["  [Install]\n  Also = x\n", true],
    ["[Install]\nDefaultInstance=x\n", true],
    ["[Install]\n", false],
    ["[Unit]\nWantedBy=x\n", false],
    ["[Unit]\r\nA=b\r\n", false],
    ["[Unit", false, /expected a \] after \[Unit/u],
    ["[Unit] x\n", false, /expected nothing behind \[Unit\], found x/u],
    ["[Unit]\nword\n", false, /expected NAME=VALUE, found word/u],
    ["[Install]\nWantedBy=x\nword", true, /expected NAME=VALUE/u],
  ];
  for (const [text, installs, problem] of cases) {
    const found = readUnitFile(text);
    assert.equal(found.installs, installs, text);
    assert.match(found.problem ?? "", problem ?? /^$/u, text);
  }
});
