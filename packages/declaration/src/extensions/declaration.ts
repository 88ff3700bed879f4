/**
 * Which extensions a node was declared to have. Two ways lead to one list: `/etc/ashlar/extensions.yaml`, and links
 * `/etc/extensions/NAME.raw` to images with `/etc/sysupdate.NAME.d/*.transfer` files, as Flatcar's users know them. The
 * node reads its own files; who proves it reads the same out of its configs (`declaredInConfigs`).
 */
import { dirname, join } from "node:path/posix";
import type { Problem } from "@ashlar/base";
import { MAX_EXTENSIONS, parseImagePath, matchesVersion } from "@ashlar/protocol";
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
  /** /etc/sysupdate.NAME.d/*.transfer */
  readonly transfers: readonly { readonly path: string; readonly text: string }[];
};

/** A problem with the absolute path of the file that it is in. */
export type DeclarationProblem = Problem & { readonly file: string };

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
      complain(problems, file, `${expected}, found one to ${target.slice(0, MAX_SHOWN_CHARACTERS)}`, LINK_HINT);
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

const LINK_HINT = "see the guide to extensions";
const MAX_SHOWN_CHARACTERS = 200;

type FoundTransfer = ComponentTransfer & { readonly file: string };

function readTransfers({ transfers }: DeclarationSources, problems: DeclarationProblem[]): Map<string, FoundTransfer> {
  const found = new Map<string, FoundTransfer>();
  for (const { path: file, text } of transfers) {
    // An empty file masks one of its name (systemd.syntax(7)).
    if (text === "") continue;
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
