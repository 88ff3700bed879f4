import assert from "node:assert/strict";
import { test } from "node:test";
import type { Difference } from "@ashlar/identity";
import { withoutNextBoot } from "./challenge-node.ts";

const SLOT: Difference = {
  code: "slot",
  subject: "1.1.0",
  what: "next boot, slot of 1.1.0",
  expected: "one",
  found: "none",
};

test("what is about the next boot is known by its member, whatever its text says", () => {
  const aboutIt: Difference = { ...SLOT, about: "next-boot", what: "in other words" };
  assert.deepEqual(withoutNextBoot({ level: "mismatch", differences: [aboutIt] }), {
    level: "proven",
    differences: [],
  });
  const notAboutIt = { level: "mismatch", differences: [SLOT] } as const;
  assert.deepEqual(withoutNextBoot(notAboutIt), notAboutIt);
  const both = withoutNextBoot({ level: "mismatch", differences: [SLOT, aboutIt] });
  assert.deepEqual(both, { level: "mismatch", differences: [SLOT] });
});
