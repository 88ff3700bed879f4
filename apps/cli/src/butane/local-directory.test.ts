import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { MAX_LOCAL_FILE_BYTES, translate } from "@ashlar/butane";
import { localDirectory } from "./local-directory.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-local-"));
after(() => rmSync(directory, { recursive: true }));
const root = join(directory, "files");
mkdirSync(join(root, "sub"), { recursive: true });
writeFileSync(join(root, "sub/plain"), "hello");
writeFileSync(join(root, "sub/program"), "run", { mode: 0o755 });
symlinkSync("plain", join(root, "sub/link"));
writeFileSync(join(directory, "secret"), "secret");
symlinkSync("../secret", join(root, "out"));
symlinkSync("..", join(root, "up"));
symlinkSync("sub", join(root, "alias"));
mkdirSync(join(directory, "sibling"));
writeFileSync(join(directory, "sibling/file"), "other");

function translated(storage: string): {
  readonly ignition: string;
  readonly problem: string;
  readonly severity: string;
} {
  const text = `variant: flatcar\nversion: 1.0.0\nstorage: ${storage}\n`;
  const { ignition, report } = translate(text, { files: localDirectory(root) });
  return { ignition: ignition ?? "", problem: report[0]?.message ?? "", severity: report[0]?.severity ?? "" };
}

const embed = (local: string): ReturnType<typeof translated> =>
  translated(`{files: [{path: /a, contents: {local: ${local}}}]}`);

test("files are embedded, also over links that stay inside", () => {
  for (const path of ["sub/plain", "/sub/plain", "./sub/../sub//plain", "sub/link", "alias/plain"]) {
    assert.match(embed(path).ignition, /"source":"data:,hello"/u, path);
  }
});

test("a link that leads out of the directory is followed with a warning; a path that does is refused", () => {
  for (const path of ["out", "up/secret"]) {
    const { ignition, problem, severity } = embed(path);
    assert.match(ignition, /"source":"data:,secret"/u, path);
    assert.match(problem, /found a link that leads out of it/u, path);
    assert.equal(severity, "warning");
  }
  for (const path of ["../secret", "/../secret", "sub/../../secret"]) {
    assert.match(embed(path).problem, /expected a path inside/u, path);
    assert.equal(embed(path).severity, "error");
  }
  assert.match(translated("{trees: [{local: up}]}").ignition, /"links":\[\{"path":"\/","target":"\.\."\}\]/u);
  assert.equal(translated("{trees: [{local: up}]}").problem, "");
  assert.match(translated("{trees: [{local: up/sibling}]}").problem, /a link that leads out of it: up\/sibling/u);
});

test("what is no regular file, too large or missing is refused", () => {
  execFileSync("mkfifo", [join(root, "pipe")]);
  writeFileSync(join(root, "large"), "");
  truncateSync(join(root, "large"), MAX_LOCAL_FILE_BYTES + 1);
  assert.match(embed("sub").problem, /expected a regular file/u);
  assert.match(embed("pipe").problem, /expected a regular file/u);
  assert.match(embed("large").problem, /expected at most 16777216 bytes, found 16777217/u);
  assert.match(embed("none").problem, /expected a local file: ENOENT/u);
  assert.match(translated("{trees: [{local: .}]}").problem, /expected files, directories and links in a tree/u);
});

test("trees keep links, and who may execute; a root that is a link becomes one", () => {
  assert.equal(
    translated("{trees: [{local: sub, path: /opt}]}").ignition,
    '{"ignition":{"version":"3.3.0"},"storage":{"files":[' +
      '{"path":"/opt/plain","contents":{"compression":"","source":"data:,hello"},"mode":420},' +
      '{"path":"/opt/program","contents":{"compression":"","source":"data:,run"},"mode":493}],' +
      '"links":[{"path":"/opt/link","target":"plain"}]}}',
  );
  assert.match(
    translated("{trees: [{local: alias, path: /opt}]}").ignition,
    /"links":\[\{"path":"\/opt","target":"sub"/u,
  );
  assert.match(translated("{trees: [{local: sub/link}]}").problem, /expected a directory as root of a tree/u);
});
