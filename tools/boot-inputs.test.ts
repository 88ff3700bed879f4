/** docs/boot-inputs.yaml has a row for everything that persists on a node as far as our own files tell. */
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readBootInputs } from "@ashlar/lab";

const ROOT = join(import.meta.dirname, "..");
/** What runs on a node, or is laid down there. */
const SOURCES = ["os/**/*", "apps/agent/src/**/*.ts"];
/** Where units keep what persists (systemd.exec(5), "StateDirectory="). */
const UNIT_DIRECTORIES: Readonly<Record<string, string>> = {
  StateDirectory: "/var/lib",
  CacheDirectory: "/var/cache",
  LogsDirectory: "/var/log",
};

const inputs = (await readBootInputs()).flatMap((group) => group.inputs);
const listed = inputs.flatMap(({ paths }) => paths);

function hasRow(path: string): boolean {
  return listed.some((place) => path === place || path.startsWith(`${place}/`));
}

test("every line of persist.list has a row of its own", async () => {
  const text = await readFile(join(ROOT, "os/usr/lib/ashlar/persist.list"), "utf8");
  const paths = text.split("\n").flatMap((line) => /^\/\S+/u.exec(line)?.[0] ?? []);
  assert.ok(paths.length > 0);
  assert.deepEqual(
    paths.filter((path) => !listed.includes(path)),
    [],
  );
});

test("every place in /var that our units and programs name has a row", async () => {
  const unlisted: string[] = [];
  for (const entry of globSync(SOURCES, { cwd: ROOT, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith(".test.ts")) continue;
    const file = join(entry.parentPath, entry.name);
    const text = await readFile(file, "utf8");
    const named = [...text.matchAll(/(?<![\w.])\/var\/[a-z][\w./-]*[a-z]/giu)].map(([path]) => path);
    const directories = [...text.matchAll(/^(StateDirectory|CacheDirectory|LogsDirectory)=(.*)$/gmu)].flatMap(
      ([, setting = "", names = ""]) =>
        names.split(/\s+/u).map((name) => `${UNIT_DIRECTORIES[setting]}/${name.split(":", 1)[0]}`),
    );
    unlisted.push(...[...named, ...directories].filter((path) => !hasRow(path)).map((path) => `${file}: ${path}`));
  }
  assert.deepEqual(unlisted, []);
});

test("what is planted is looked for afterwards", () => {
  for (const { id, plant, effect, mismatch } of inputs) {
    const looks = [effect, mismatch].filter((look) => look !== undefined).length;
    assert.equal(looks, plant === undefined ? 0 : 1, id);
  }
});
