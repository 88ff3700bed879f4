import assert from "node:assert/strict";
import { test } from "node:test";
import { findImports } from "./imports.ts";

test("every form of import is found with its line, and comments are not", () => {
  const text = `import { a } from "a";
import type { B } from 'b';
import {
  c,
} from "c"; import "d";
export * from "e";
export { f } from "f";
// import { x } from "x";
/* import "y";
   from "z" */
const g = await import("g");
const url = "https://example.org"; import "h";
export type Text = { from: "nowhere" };
`;
  assert.deepEqual(
    findImports(text).map(({ specifier, line }) => `${specifier}:${line}`),
    ["a:1", "b:2", "c:3", "d:5", "e:6", "f:7", "g:11", "h:12"],
  );
});
