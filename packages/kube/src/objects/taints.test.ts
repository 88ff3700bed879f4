import assert from "node:assert/strict";
import { test } from "node:test";
import { ownTaintsOf, TAINT, withOwnTaints, type TaintEffect } from "./taints.ts";

const THEN = "2026-11-30T10:00:00Z";
const NOW = "2026-11-30T11:00:00Z";
const others = [
  { key: "node.kubernetes.io/not-ready", effect: "NoExecute", timeAdded: THEN },
  { key: "dedicated", value: "gpu", effect: "NoSchedule", future: { member: 1 } },
  // Under our key, with an effect that is not ours.
  { key: TAINT, effect: "PreferNoSchedule" },
];
const own = (effect: TaintEffect, timeAdded: string = THEN) => ({ key: TAINT, effect, timeAdded });

test("of ours there are those that are meant, and others' stay as and where they are", () => {
  const [first, ...rest] = others;
  const both = [first, own("NoSchedule"), ...rest, own("NoExecute")];
  for (const [taints, effects, expected] of [
    [others, [], undefined],
    [both, ["NoSchedule", "NoExecute"], undefined],
    [both, ["NoSchedule"], [first, own("NoSchedule"), ...rest]],
    [both, [], others],
    [others, ["NoSchedule"], [...others, own("NoSchedule", NOW)]],
    [[own("NoSchedule")], ["NoSchedule", "NoExecute"], [own("NoSchedule"), own("NoExecute", NOW)]],
    [[], ["NoSchedule"], [own("NoSchedule", NOW)]],
  ] as const) {
    assert.deepEqual(withOwnTaints(taints, effects, NOW), expected, JSON.stringify([taints, effects]));
  }
});

test("which are ours, whoever has put them, and what is none at all", () => {
  const taints = [...others, own("NoSchedule"), { key: TAINT, effect: "NoExecute" }, null, "text", { effect: 1 }];
  assert.deepEqual(ownTaintsOf(taints), [
    { effect: "NoSchedule", addedAt: THEN },
    { effect: "NoExecute", addedAt: undefined },
  ]);
});
