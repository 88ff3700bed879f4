import assert from "node:assert/strict";
import { test } from "node:test";
import { localReplacements, withoutSiblingVersions } from "./go-replacements.ts";

const GO_MOD = `module example.org/main

go 1.24.0

require (
	example.org/api v0.0.0
	example.org/other v1.2.3 // indirect
)

replace (
	example.org/api => ./staging/src/example.org/api
	example.org/evil => ./../../etc
	example.org/fork => example.org/mine v1.0.0
)

replace example.org/client => ./staging/src/example.org/client
`;

test("directories of the source tree that stand for modules, and none outside", () => {
  assert.deepEqual(Object.fromEntries(localReplacements(GO_MOD)), {
    "example.org/api": "staging/src/example.org/api",
    "example.org/client": "staging/src/example.org/client",
  });
});

test("a published sibling requires the others as in the tree, and everything else as published", () => {
  const published = `module example.org/client

require example.org/api v0.33.4

require (
	example.org/apis v0.33.4
	example.org/api v0.33.4 // indirect
	example.org/other v1.2.3
)
`;
  const found = withoutSiblingVersions(published, ["example.org/api"]);
  assert.equal(found, published.replaceAll("example.org/api v0.33.4", "example.org/api v0.0.0"));
});
