import assert from "node:assert/strict";
import { test } from "node:test";
import { sourceEntryBeside } from "./apt-sources.ts";

const beside = (path: string, text: string) => sourceEntryBeside([{ path, text }], "bookworm", "bookworm-backports");

test("a one-line entry is copied with its options and mirror", () => {
  const text = `# deb http://other.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian bookworm-updates main
deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] http://mirror.example/debian  bookworm main contrib # ours
`;
  assert.deepEqual(beside("/etc/apt/sources.list", text), {
    extension: "list",
    text: "deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] http://mirror.example/debian bookworm-backports main\n",
  });
});

test("a deb822 stanza is copied with its mirrors and its key, embedded or not", () => {
  const text = `Types: deb
# a comment inside
URIs: http://one.example/debian http://two.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main
`;
  assert.deepEqual(beside("/etc/apt/sources.list.d/debian.sources", text), {
    extension: "sources",
    text: `Types: deb
URIs: http://one.example/debian http://two.example/debian
Suites: bookworm-backports
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----
`,
  });
});

test("a suite that is configured already is found, unless its entry is disabled", () => {
  const stanza = "Types: deb\nURIs: http://m.example/debian\nSuites: bookworm-backports\nComponents: main\n";
  assert.equal(beside("/etc/apt/sources.list.d/b.sources", stanza), "present");
  assert.equal(beside("/etc/apt/sources.list.d/b.sources", `Enabled: no\n${stanza}`), undefined);
  assert.equal(beside("/etc/apt/sources.list", "deb http://m.example/debian bookworm-backports main"), "present");
});
