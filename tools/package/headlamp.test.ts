import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { readFile } from "node:fs/promises";
import { withTemporaryDirectory } from "@ashlar/host";
import { parse } from "yaml";
import { makeHeadlampPackage } from "./headlamp.ts";

test("Headlamp's archive: one directory with script and package.json, the same bytes each time; the metadata points at it", async () => {
  await withTemporaryDirectory(async (directory) => {
    const options = {
      directory,
      version: "1.2.0",
      base: "https://example.org/x/",
      time: "1700000000",
      onStep: () => undefined,
    };
    const [archive = "", metadata = ""] = await makeHeadlampPackage(options);
    const listed = spawnSync("tar", ["-tf", archive], { encoding: "utf8" }).stdout.trim().split("\n");
    assert.deepEqual(listed, ["./", "./ashlar/", "./ashlar/main.js", "./ashlar/package.json"]);
    const first = await readFile(archive);
    await makeHeadlampPackage(options);
    assert.ok(first.equals(await readFile(archive)));
    const { version, createdAt, annotations } = parse(await readFile(metadata, "utf8"));
    assert.deepEqual([version, createdAt], ["1.2.0", "2023-11-14T22:13:20.000Z"]);
    assert.equal(annotations["headlamp/plugin/archive-url"], "https://example.org/x/ashlar-headlamp-1.2.0.tar.gz");
    const sha256 = spawnSync("sha256sum", [archive], { encoding: "utf8" }).stdout.slice(0, 64);
    assert.equal(annotations["headlamp/plugin/archive-checksum"], `SHA256:${sha256}`);
  });
});
