import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@ashlar/formats";
import { parseFleetVerdict } from "../parse-fleet-verdict.ts";
import { EMPTY_VERDICT, LEVELS, type FleetVerdict, type Level, type NextBootVerdict } from "../verdict.ts";
import { describeNode, judgeFleet, refusePinned, summaryOf, type FleetMember } from "./judge-fleet.ts";

const SLOT = { code: "slot", what: "slot of 1.1.0", expected: "one", found: "none" } as const;

/** A machine of its own that is at this level, and whose next boot is at that one. */
function member(name: string, level: Level = "proven", next: Level | null = "proven"): FleetMember {
  const nextBoot: NextBootVerdict | null =
    next === null ? null : { release: "1.1.0", level: next, differences: [SLOT], fallback: null, notes: [] };
  return {
    name,
    verdict: { ...EMPTY_VERDICT, level, differences: [], release: "1.0.0", identity: sha256("identity"), nextBoot },
    tpm: { ekSha256: sha256(`EK of ${name}`), akName: `AK of ${name}`, resetCount: 1, machineId: undefined },
  };
}

test("a fleet is proven when all nodes are, and all that they boot next", () => {
  assert.equal(judgeFleet([member("node-1"), member("node-2")]).verdict, "proven");
  const others: readonly (readonly [Level, Level | null, FleetVerdict["verdict"]])[] = [
    ["proven", "mismatch", "mismatch"],
    ["unknown", "mismatch", "mismatch"],
    ["reported", "mismatch", "mismatch"],
    ["mismatch", "proven", "mismatch"],
    ["mismatch", null, "mismatch"],
    ["proven", "unknown", "unknown"],
    ["proven", "reported", "unknown"],
    ["proven", null, "unknown"],
    ["reported", "reported", "unknown"],
    ["unknown", null, "unknown"],
  ];
  for (const [level, next, verdict] of others) {
    const fleet = judgeFleet([member("node-1"), member("node-2", level, next), member("node-3")]);
    assert.equal(fleet.verdict, verdict, `${level}, next boot ${next}`);
    // Neither changes the other.
    assert.deepEqual([fleet.nodes[1]?.level, fleet.nodes[1]?.nextBoot?.level ?? null], [level, next]);
    assert.deepEqual(fleet.nodes[1]?.differences, []);
  }
  assert.equal(judgeFleet([]).verdict, "unknown");
});

test("the summary says of next boots what the nodes' levels do not say already", () => {
  const summary = (...members: FleetMember[]): string => summaryOf(judgeFleet(members));
  assert.equal(summary(), "0 nodes, 0 identities: nothing to prove");
  assert.equal(summary(member("node-1")), "1 node, 1 identity: all proven");
  assert.equal(summary(member("a"), member("b")), "2 nodes, 1 identity: all proven");
  assert.equal(summary(member("a"), member("b", "unknown", null)), "2 nodes, 1 identity: 1 unknown, 1 proven");
  assert.equal(summary(member("a", "mismatch", "reported")), "1 node, 1 identity: all mismatch");
  assert.equal(summary(member("a", "proven", null)), "1 node, 1 identity: all proven; next boot: 1 unknown");
  assert.equal(
    summary(member("a", "proven", "unknown"), member("b", "reported", "mismatch"), member("c")),
    "3 nodes, 1 identity: 1 reported, 2 proven; next boot: 1 mismatch, 1 unknown",
  );
  for (const level of LEVELS.filter((each) => each !== "proven")) {
    const text = summary(member("a", "proven", level));
    assert.equal(text, `1 node, 1 identity: all proven; next boot: 1 ${level}`);
    assert.equal(describeNode(member("a", "proven", level).verdict), `running 1.0.0 proven, next boot 1.1.0 ${level}`);
  }
});

test("two nodes that answer with one TPM are both refused", () => {
  const { tpm } = member("node-1");
  const fleet = judgeFleet([member("node-1"), { ...member("node-2"), tpm }, member("node-3")]);
  assert.equal(fleet.verdict, "mismatch");
  assert.deepEqual(
    fleet.nodes.map(({ level, differences }) => [level, differences[0]?.found]),
    [
      ["mismatch", "one TPM answers for node-1, node-2"],
      ["mismatch", "one TPM answers for node-1, node-2"],
      ["proven", undefined],
    ],
  );
  const { verdict } = refusePinned({ ...member("node-1"), running: undefined, pinnable: true }, "node-0");
  assert.deepEqual([verdict.level, verdict.differences[0]?.code], ["mismatch", "tpm-shared"]);
});

test("no node counts as proven that adds no identity to the count", () => {
  const { verdict, ...rest } = member("node-1");
  const fleet = judgeFleet([{ ...rest, verdict: { ...verdict, identity: null } }]);
  assert.deepEqual(
    [fleet.verdict, fleet.identities, fleet.nodes[0]?.differences[0]?.what],
    ["mismatch", 0, "identity"],
  );
});

test("a verdict is read as it was printed; one of version 1, of another kind or without sense is refused in words", () => {
  const fleet = judgeFleet([member("node-1"), member("node-2", "unknown", "mismatch")]);
  assert.deepEqual(parseFleetVerdict(JSON.stringify(fleet)), fleet);
  const { schema, ...first } = fleet;
  assert.equal(schema, "ashlar.fleet-verdict/v2");
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [first, /expected the schema ashlar\.fleet-verdict\/v2, found none, as in version 1$/u],
    [
      { ...fleet, schema: "ashlar.fleet-verdict/v3" },
      /expected the schema .*\/v2, found "ashlar\.fleet-verdict\/v3"$/u,
    ],
    [{ ...fleet, schema: 2 }, /^verdict on a fleet: \$\.schema: /u],
    [{ ...fleet, nodes: [{ name: "node-1", level: "fine" }] }, /^verdict on a fleet: \$\.nodes\.0\.level: /u],
    [null, /^verdict on a fleet: /u],
  ];
  for (const [document, message] of refused) {
    assert.throws(() => parseFleetVerdict(JSON.stringify(document)), { code: "malformed", message });
  }
  assert.throws(() => parseFleetVerdict(""), { code: "malformed" });
});
