/** Which files the packages have brought: the longest texts of a snapshot, of which nodes have nearly the same pieces. */
import { byteText } from "./byte-text.ts";
import type { PieceForm } from "./interned.ts";
import type { PackageFiles } from "./snapshot.ts";

const NOBODYS: PackageFiles = { owner: "", paths: [], configuration: [] };
const HEAD = Buffer.from("==> ");
const NEXT_HEAD = Buffer.from("\n==> ");
const NEWLINE = 0x0a;

const PIECES: Pick<PieceForm<unknown>, "endOf" | "isEnd"> = {
  endOf: (bytes, start) => {
    const next = bytes.indexOf(NEXT_HEAD, start);
    const limit = next === -1 ? bytes.length : next + 1;
    const end = bytes.subarray(start, limit).indexOf(0);
    return end === -1 ? limit : start + end;
  },
  isEnd: (bytes, end) => bytes[end] === 0 || (bytes[end - 1] === NEWLINE && startsWith(bytes, HEAD, end)),
};

/** As `tail -v` prints /var/lib/dpkg/info/*.list. */
export const DPKG_FILES: PieceForm<PackageFiles> = {
  ...PIECES,
  read: (piece) => {
    const [head = "", ...lines] = linesIn(piece);
    const owner = /^==> (?:.*\/)?(?<name>[^/]+)\.list <==$/u.exec(head)?.groups?.["name"];
    return owner === undefined
      ? NOBODYS
      : { owner, paths: lines.filter((line) => line.startsWith("/")), configuration: [] };
  },
};

/** The same head for each package of rpm, then lines of its letters for what a file is, and the path. */
export const RPM_FILES: PieceForm<PackageFiles> = {
  ...PIECES,
  read: (piece) => {
    const [head = "", ...lines] = linesIn(piece);
    const owner = /^==> (?<name>.+) <==$/u.exec(head)?.groups?.["name"];
    if (owner === undefined) return NOBODYS;
    const files = lines.map((line) => /^(?<letters>[a-z]*)\t(?<path>\/.*)$/su.exec(line)?.groups);
    return {
      owner,
      paths: files.flatMap((file) => file?.["path"] ?? []),
      // c for configuration.
      configuration: files.flatMap((file) => (file?.["letters"]?.includes("c") === true ? (file["path"] ?? []) : [])),
    };
  },
};

function startsWith(bytes: Buffer, word: Buffer, at: number): boolean {
  return word.every((byte, index) => bytes[at + index] === byte);
}

function linesIn(piece: Buffer): string[] {
  return byteText(piece).split("\n");
}
