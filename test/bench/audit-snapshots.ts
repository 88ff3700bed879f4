/** Snapshots as a hundred nodes of one distribution give them, and what the report over them takes. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

export const FILES = 100_000;
const FILES_IN_DIRECTORY = 25;
const FILES_IN_PACKAGE = 50;
const PACKAGES: number = FILES / FILES_IN_PACKAGE;

type File = { readonly path: string; readonly form: string; readonly digest: string; readonly package: number };

/** As in a distribution: packages of some dozens of files in some directories, with paths of some 60 bytes. */
function fileOf(index: number): File {
  const owner = Math.floor(index / FILES_IN_PACKAGE);
  const directory = Math.floor(index / FILES_IN_DIRECTORY);
  return {
    path: `usr/share/package-${owner}/directory-${directory}/some-file-of-a-package-${index}.data`,
    form: `f ${index % 20 === 0 ? 755 : 644} 0 0 ${1000 + (index % 5000)} `,
    digest: createHash("sha256").update(String(index)).digest("hex"),
    package: owner,
  };
}

/** Writes `node-N.snapshot` for each. A node has another version of a few packages, and some files that no package has brought. */
export async function writeSnapshots(directory: string, nodes: number): Promise<void> {
  const inOrder = Array.from({ length: FILES }, (_, index) => fileOf(index));
  const files = inOrder.toSorted((left, right) => (left.path < right.path ? -1 : 1));
  const lists = Array.from({ length: PACKAGES }, (_, index) => listOf(index, inOrder));
  for (let node = 0; node < nodes; node += 1)
    await writeFile(join(directory, `node-${node}.snapshot`), snapshotOf(node, files, lists));
}

function listOf(index: number, files: readonly File[]): string {
  const owned = files.slice(index * FILES_IN_PACKAGE, (index + 1) * FILES_IN_PACKAGE);
  return `==> var/lib/dpkg/info/package-${index}.list <==\n/.\n/usr\n${owned.map(({ path }) => `/${path}\n`).join("")}\n`;
}

function snapshotOf(node: number, files: readonly File[], lists: readonly string[]): string {
  const isOdd = (owner: number): boolean => (owner * 31 + node) % 400 === 0;
  const digest = ({ digest: usual, package: owner }: File): string =>
    isOdd(owner) ? usual.split("").toReversed().join("") : usual;
  const records = files.map((file) => `file\0${file.path}\0${file.form}\0${digest(file)}\0`);
  const extra = Array.from({ length: node % 5 }, (_, index) => `usr/local/bin/left-behind-${node}-${index}`);
  const versions = lists.map((_, index) => `package-${index}\t1.${isOdd(index) ? 1 : 0}\tii \n`);
  const log = lists.map((_, index) => `2026-03-01 10:00:00 install package-${index}:amd64 <none> 1.0\n`);
  const settings = Array.from({ length: 1000 }, (_, index) => `/proc/sys/net/setting-${index}:${index}\n`);
  return [
    "ashlar-snapshot/1\0",
    text("user", "0"),
    text("os-release", 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n'),
    text("kernel", "6.12.48+deb13-amd64\n"),
    text("sysctl", settings.join("")),
    text("dpkg", versions.join("")),
    text("dpkg-log", log.join("")),
    text("dpkg-files", lists.join("")),
    ...extra.map((path) => `file\0${path}\0f 755 0 0 1234 \0${DIGEST}\0`),
    ...records,
    "end\0",
  ].join("");
}

const DIGEST = "ab".repeat(32);

function text(name: string, content: string): string {
  return `text\0${name}\0${content}\0`;
}
