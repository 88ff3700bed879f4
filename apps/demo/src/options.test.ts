import assert from "node:assert/strict";
import { test } from "node:test";
import { ACT_NAMES } from "./act-names.ts";
import { HELP, parseOptions } from "./options.ts";

test("without options the whole demo is played on a lab of its own", () => {
  const expected = {
    task: "play",
    acts: ACT_NAMES,
    resumes: false,
    keep: false,
    json: false,
    cluster: false,
    lab: "demo",
  };
  assert.deepEqual(parseOptions([]), expected);
});

test("one act alone has its nodes provisioned before it", () => {
  assert.deepEqual(parseOptions(["--only", "attacks"]).acts, ["provision", "attacks"]);
  assert.deepEqual(parseOptions(["--only=provision", "--keep"]).acts, ["provision"]);
});

test("an act and those after it are played on the lab that was kept", () => {
  const { acts, resumes } = parseOptions(["--from", "kubelet"]);
  assert.deepEqual([acts, resumes], [["kubelet", "attacks"], true]);
  assert.deepEqual(parseOptions(["--from", "update", "--only", "attacks"]).acts, ["attacks"]);
  assert.equal(parseOptions(["--from", "provision"]).resumes, false);
});

test("in a cluster the same acts are played", () => {
  const { acts, cluster } = parseOptions(["--cluster"]);
  assert.deepEqual([acts, cluster], [ACT_NAMES, true]);
  assert.deepEqual(parseOptions(["--cluster", "--from", "kubelet"]).acts, ["kubelet", "attacks"]);
});

test("what is no option, no act or not in the order is refused by name", () => {
  for (const [args, message] of [
    [["--form", "update"], /--form/u],
    [["update"], /update/u],
    [["--only", "upgrade"], /expected provision, update, kubelet, attacks after --only, found upgrade/u],
    [["--from"], /from/u],
    [["--from", "attacks", "--only", "update"], /expected attacks or a later act after --only, found update/u],
    [["--keep=no"], /keep/u],
  ] as const) {
    assert.throws(() => parseOptions(args), { code: "usage", message }, args.join(" "));
  }
});

test("the help's examples are right", () => {
  const examples = HELP.slice(HELP.indexOf("Examples:")).matchAll(
    /npm run (?:--silent )?demo(?: -- (?<args>[^>\n]*))?/gu,
  );
  const lines = [...examples].map(({ groups }) => (groups?.["args"] ?? "").split(" ").filter((word) => word !== ""));
  assert.ok(lines.length > 4);
  for (const args of lines) assert.equal(parseOptions(args).task, "play");
});
