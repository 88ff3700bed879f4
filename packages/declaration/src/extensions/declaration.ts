/**
 * Which extensions a node was declared to have. Two ways lead to one list: `/etc/ashlar/extensions.yaml`, and links
 * `/etc/extensions/NAME.raw` to images with transfer files in `/etc/sysupdate.NAME.d`, as Flatcar's users know them. The
 * node reads its own files; who proves it reads the same out of its configs (`declaredInConfigs`).
 */
import { dirname, join } from "node:path/posix";
import { MAX_EXTENSIONS, parseImagePath, matchesVersion } from "@ashlar/protocol";
import type { DeclarationProblem } from "../declaration-problem.ts";
import type { DeclaredExtension } from "./declared-extension.ts";
import { parseExtensionsFile } from "./extensions-file.ts";
import { linkOfExtension, parseTransferFile, type ComponentTransfer } from "./transfer-file.ts";

export const EXTENSIONS_FILE = "/etc/ashlar/extensions.yaml";

export type DeclarationSources = {
  /** The text of {@link EXTENSIONS_FILE}; null when there is none. */
  readonly extensionsFile: string | null;
  /** What is in /etc/extensions: paths with the text of the links. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Images that the config puts below /opt/extensions. A node need not know. */
  readonly files: readonly { readonly path: string; readonly url: string | null; readonly hash: string | null }[];
  /** The files of /etc/sysupdate.NAME.d that {@link isTransferPath} takes. */
  readonly transfers: readonly { readonly path: string; readonly text: string }[];
};

export type DeclarationResult = {
  /** Those that are sound, sorted by name: at most {@link MAX_EXTENSIONS}, each name once. */
  readonly declared: readonly DeclaredExtension[];
  readonly problems: readonly DeclarationProblem[];
};

/** Joins both ways of declaring. What is wrong with one extension does not take the others away. */
export function declaredExtensions(sources: DeclarationSources): DeclarationResult {
  const problems: DeclarationProblem[] = [];
  const inFile = sources.extensionsFile === null ? undefined : parseExtensionsFile(sources.extensionsFile);
  for (const problem of inFile?.report ?? []) problems.push({ ...problem, file: EXTENSIONS_FILE });
  const byName = new Map((inFile?.declared ?? []).map((each) => [each.name, each]));
  for (const [file, linked] of readLinks(sources, problems)) {
    if (byName.has(linked.name)) {
      const hint = `remove ${file}, or the entry in ${EXTENSIONS_FILE}`;
      complain(problems, file, `expected ${linked.name} to be declared once, found it twice`, hint);
    } else byName.set(linked.name, linked);
  }
  const declared = [...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (declared.length > MAX_EXTENSIONS) {
    const hint = "put several into one extension";
    complain(
      problems,
      EXTENSIONS_FILE,
      `expected at most ${MAX_EXTENSIONS} extensions, found ${declared.length}`,
      hint,
    );
  }
  return { declared: declared.slice(0, MAX_EXTENSIONS), problems };
}

/** The extensions that links in /etc/extensions and transfer files declare, each with its file. */
function readLinks(sources: DeclarationSources, problems: DeclarationProblem[]): [string, DeclaredExtension][] {
  const transfers = readTransfers(sources, problems);
  const files = new Map(sources.files.map((file) => [file.path, file]));
  const found = sources.links.flatMap(({ path: file, target }): [string, DeclaredExtension][] => {
    // Flatcar's way to switch an extension of the base image off; here there is none to switch off.
    if (target === "/dev/null") return [];
    const path = target.startsWith("/") ? target : join(dirname(file), target);
    const image = parseImagePath(path);
    if (image === undefined || file !== linkOfExtension(image.name)) {
      const expected = "expected a link /etc/extensions/NAME.raw to /opt/extensions/NAME/NAME-VERSION-x86-64.raw";
      const shown = target.slice(0, MAX_SHOWN_CHARACTERS);
      complain(problems, file, `${expected}, found one to ${shown}`, hintForVersion(path) ?? LINK_HINT);
      return [];
    }
    const { name, version } = image;
    const transfer = transfers.get(name);
    if (transfer !== undefined && !matchesVersion(version, transfer.pattern)) {
      const message = `expected a version that ${transfer.file} takes (${transfer.pattern}), found ${version}`;
      complain(problems, file, message, "let both name the same minor version");
      return [];
    }
    const { url = null, hash = null } = files.get(path) ?? {};
    const source = { type: "file", path, url, hash, updatesUrl: transfer?.url ?? null } as const;
    const updates = transfer === undefined ? "manual" : "automatic";
    return [[file, { kind: "sysext", name, pattern: transfer?.pattern ?? version, tier: null, updates, source }]];
  });
  const linked = new Set(sources.links.map(({ path }) => path));
  for (const { name, pattern, url, file } of transfers.values()) {
    if (linked.has(linkOfExtension(name))) continue;
    const source = { type: "track", updatesUrl: url } as const;
    found.push([file, { kind: "sysext", name, pattern, tier: null, updates: "automatic", source }]);
  }
  return found;
}

/** Names the first letter that a version may not have, if that is all that is wrong with the path. */
function hintForVersion(path: string): string | undefined {
  const { version = "" } =
    /^\/opt\/extensions\/(?<name>[^/]+)\/\k<name>-(?<version>[^/]+)-x86-64\.raw$/u.exec(path)?.groups ?? {};
  const letter = /[^0-9A-Za-z.~+]/u.exec(version)?.[0];
  if (letter === undefined) return undefined;
  return `a version may have letters, digits, points, ~ and +, not ${JSON.stringify(letter)}`;
}

const LINK_HINT = "see the guide to extensions";
const MAX_SHOWN_CHARACTERS = 200;

/** Whether a node looks into this file for a transfer: `.conf` was the suffix up to systemd 256. */
export function isTransferPath(path: string): boolean {
  return /^\/etc\/sysupdate\.[^/]+\.d\/[^/]+\.(?:transfer|conf)$/u.test(path);
}

type Transfers = DeclarationSources["transfers"];

/**
 * The transfer files that count, as in systemd-sysupdate 257: those named `.conf` in a directory that has no other. An
 * empty file masks one of its name (systemd.syntax(7)).
 */
export function transfersInForce(transfers: Transfers): Transfers {
  const filled = transfers.filter(({ text }) => text !== "");
  const isFormer = ({ path }: Transfers[number]): boolean => path.endsWith(".conf");
  const renamed = new Set(filled.filter((each) => !isFormer(each)).map(({ path }) => dirname(path)));
  return filled.filter((each) => !isFormer(each) || !renamed.has(dirname(each.path)));
}

type FoundTransfer = ComponentTransfer & { readonly file: string };

function readTransfers({ transfers }: DeclarationSources, problems: DeclarationProblem[]): Map<string, FoundTransfer> {
  const found = new Map<string, FoundTransfer>();
  for (const { path: file, text } of transfersInForce(transfers)) {
    const { transfer, report } = parseTransferFile(text);
    for (const problem of report) problems.push({ ...problem, file });
    if (transfer === undefined) continue;
    const directory = `/etc/sysupdate.${transfer.name}.d`;
    const other = found.get(transfer.name);
    if (dirname(file) !== directory) {
      const message = `expected the transfer of ${transfer.name} in ${directory}, found it in ${dirname(file)}`;
      complain(problems, file, message, "name the directory like the extension");
    } else if (other !== undefined) {
      const message = `expected one transfer for ${transfer.name}, found another in ${other.file}`;
      complain(problems, file, message, "remove one of them");
    } else found.set(transfer.name, { ...transfer, file });
  }
  return found;
}

function complain(problems: DeclarationProblem[], file: string, message: string, hint: string): void {
  problems.push({ severity: "error", message, hint, file });
}
