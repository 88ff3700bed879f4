import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInstalled, parsePackageArchives } from "./package-archives.ts";

const [A, B] = ["a".repeat(64), "b".repeat(64)];

test("archives of packages have the digest that apt has checked, each once", () => {
  const bash = `Package: bash\nVersion: 5.2.37-2+b5\nArchitecture: amd64\nFilename: pool/b.deb\nSHA256: ${A}\nDescription: x\n SHA256: no`;
  const data = `Package: tzdata\nArchitecture: all\nVersion: 2025b-1\nSize: 1\nSHA256: ${B}`;
  assert.deepEqual(parsePackageArchives(`${data}\n\n${bash}\n\n\n${data}\n`), [
    { name: "bash", version: "5.2.37-2+b5", architecture: "amd64", sha256: A },
    { name: "tzdata", version: "2025b-1", architecture: "all", sha256: B },
  ]);
});

test("a package without a digest is refused: its provenance would be open", () => {
  for (const lines of ["", "MD5sum: abc", "SHA256: abc"]) {
    assert.throws(() => parsePackageArchives(`Package: a\nVersion: 1\nArchitecture: all\n${lines}\n`), {
      code: "malformed",
      message: /expected the SHA-256 of a 1/u,
    });
  }
});

test("what dpkg has installed, and not what it only remembers", () => {
  const bash = "Package: bash\nStatus: install ok installed\nVersion: 5.2.37-2+b5\nConffiles:\n /etc/bash 1";
  const gone = "Package: gone\nStatus: deinstall ok config-files\nVersion: 1";
  const waiting = "Package: initramfs-tools\nStatus: install ok triggers-pending\nVersion: 0.148";
  assert.deepEqual(parseInstalled(`${bash}\n\n${gone}\n\n${waiting}\n`), [
    { name: "bash", version: "5.2.37-2+b5" },
    { name: "initramfs-tools", version: "0.148" },
  ]);
});
