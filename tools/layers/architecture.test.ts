/** ARCHITECTURE.md says of packages and folders what the rules say. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FOLDERS, GROUPS, NODE_LIBRARIES } from "./rules.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../ARCHITECTURE.md"), "utf8");

/** The rows of the table under this head, as lists of cells. */
function rowsOf(head: string): string[][] {
  const [table = ""] = PAGE.split(`${head}\n`)[1]?.split("\n\n", 1) ?? [];
  return table
    .split("\n")
    .slice(1)
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
}

test("the tables of packages and folders are the rules", () => {
  let group = "";
  const listed = new Map<string, string[]>();
  for (const [name = "", place = ""] of rowsOf("| group | package | does |")) {
    group = /^\*\*(\w+)\*\*/u.exec(name)?.[1] ?? group;
    const path = place.replaceAll("`", "");
    listed.set(group, [...(listed.get(group) ?? []), path.includes("/") ? path : `packages/${path}`]);
  }
  for (const [name, { members }] of Object.entries(GROUPS)) {
    const documented = members.filter((member) => member.includes("/"));
    assert.deepEqual(listed.get(name)?.toSorted(), documented.toSorted(), name);
  }

  const folders = FOLDERS["apps/agent"] ?? {};
  const rows = rowsOf("| folder | runs as | may import |");
  assert.deepEqual(rows.map(([folder = ""]) => folder.replaceAll("`", "")).toSorted(), Object.keys(folders).toSorted());
  for (const [cell = "", , uses = ""] of rows) {
    const name = cell.replaceAll("`", "");
    const allowed = (folders[name] ?? []).toSorted();
    const but = /^all but (?<names>.*)$/u.exec(uses)?.groups?.["names"]?.split(" and ");
    const all = Object.keys(folders).filter((each) => each !== name && but?.includes(each) !== true);
    assert.deepEqual(
      allowed,
      (but === undefined ? uses.split(", ").filter((use) => use !== "-") : all).toSorted(),
      name,
    );
  }
});

test("the libraries of a node's program are those that are named", () => {
  const named = /loads three libraries\s+\((?<names>[^)]*)\)/u.exec(PAGE)?.groups?.["names"] ?? "";
  assert.deepEqual(named.replaceAll("`", "").split(", ").toSorted(), NODE_LIBRARIES.toSorted());
});
