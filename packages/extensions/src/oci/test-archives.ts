/** For tests of OCI images: archives by GNU tar, and headers of our own making. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTar, type TarEntry } from "@ashlar/formats";

export function entriesOf(archive: Uint8Array): TarEntry[] {
  return [...readTar((offset, size) => archive.subarray(offset, offset + size), archive.length)];
}

/** An archive of what a script makes. */
export function tarOf(script: string, ...options: readonly string[]): Buffer {
  const tree = mkdtempSync(join(tmpdir(), "ashlar-tar-"));
  try {
    execFileSync("sh", ["-ec", script], { cwd: tree });
    const how = ["--owner=0", "--group=0", "--mtime=@0", "--sort=name", ...options];
    return execFileSync("tar", ["--create", ...how, "."], { cwd: tree, maxBuffer: 2 ** 26 });
  } finally {
    rmSync(tree, { recursive: true });
  }
}

/** What is not given is right: an empty file. */
export function header(fields: {
  readonly path?: string;
  readonly flag?: string;
  readonly size?: string;
  readonly target?: string;
  readonly sum?: string;
}): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.write(fields.path ?? "usr/a");
  bytes.write("0000644\0", 100);
  bytes.write(fields.size ?? "00000000000\0", 124);
  bytes.fill(" ", 148, 156);
  bytes.write(fields.flag ?? "0", 156);
  bytes.write(fields.target ?? "", 157);
  bytes.write("ustar\x0000", 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(fields.sum ?? `${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return bytes;
}
