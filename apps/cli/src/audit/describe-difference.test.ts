import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileForm } from "@ashlar/audit";
import { describeDifference } from "./describe-difference.ts";

const FORM: FileForm = {
  type: "file",
  sizeBytes: 3300,
  digest: "a",
  target: undefined,
  mode: "0755",
  owner: "0",
  group: "0",
  capabilities: undefined,
};
const describe = (here: Partial<FileForm> | undefined, there: Partial<FileForm> | undefined = {}): string =>
  describeDifference({
    path: "/a",
    package: "one",
    here: here && { ...FORM, ...here },
    there: there && { ...FORM, ...there },
  });

test("what differs of a file is always said", () => {
  assert.equal(describe({ digest: "b", sizeBytes: 4400 }), "/a (of one): 4.4 kB (first group: 3.3 kB)");
  assert.equal(describe({ digest: "b", sizeBytes: 3308 }), "/a (of one): 3308 bytes (first group: 3300 bytes)");
  assert.equal(describe({ digest: "b" }), "/a (of one): another content of the same size");
  assert.equal(describe({ mode: "4755" }), "/a (of one): mode 4755 (first group: mode 0755)");
  assert.equal(
    describe({ capabilities: "cap_net_raw=ep" }),
    "/a (of one): cap_net_raw=ep (first group: no capabilities)",
  );
  const link = { type: "link", digest: undefined, mode: "" };
  assert.equal(describe({ ...link, target: "b" }, { ...link, target: "c" }), "/a (of one): to b (first group: to c)");
  assert.equal(describe(undefined), "/a (of one): not here, only in the first group");
});
