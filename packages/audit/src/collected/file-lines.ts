import { AshlarError } from "@ashlar/base";
import { unescaped } from "./digest-lines.ts";

/** What the collector says of one file; paths and targets have a character for each byte. */
export type FileLine = {
  readonly path: string;
  /** The letter of `find -printf %y`. */
  readonly type: string;
  /** `MODE UID GID SIZE`. */
  readonly form: string;
  readonly sizeBytes: number;
  readonly target: string;
  readonly links: number;
  readonly device: string;
  readonly inode: string;
  /** Seconds since 1970, as the node writes them. */
  readonly modified: string;
};

/** `LINKS DEVICE INODE MTIME TYPE MODE UID GID SIZE PATH`; the time can be before 1970. */
const LINE =
  /^(?<links>\d{1,10}) (?<device>\d{1,20}) (?<inode>\d{1,20}) (?<modified>-?\d{1,16}(?:\.\d{1,16})?) (?<type>[a-zA-Z?]) (?<form>[0-7]{1,4} \d{1,10} \d{1,10} (?<size>\d{1,16})) (?<path>[^/].*)$/su;

/**
 * Two lines for each file, the second where a link leads.
 *
 * @throws AshlarError `malformed`
 */
export function readFileLines(text: string, take: (file: FileLine) => void): void {
  const lines = text.split("\n");
  if (lines.length % 2 === 0)
    throw new AshlarError("malformed", "expected two lines for each file, found one for the last");
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const line = lines[index] ?? "";
    const found = LINE.exec(line);
    if (found === null)
      throw new AshlarError(
        "malformed",
        `expected links, device, inode, time, type, mode, owner, group, size and path of a file, found ${JSON.stringify(line.slice(0, 100))}`,
      );
    const [, links = "", device = "", inode = "", modified = "", type = "", form = "", size = "", path = ""] = found;
    take({
      path: plain(path),
      type,
      form,
      sizeBytes: Number(size),
      target: plain(lines[index + 1] ?? ""),
      links: Number(links),
      device,
      inode,
      modified,
    });
  }
}

function plain(name: string): string {
  return name.includes("\\") ? unescaped(name) : name;
}
