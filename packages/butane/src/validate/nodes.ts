import { integerOf, isObject, objectsOf, textOf, type DecodedObject } from "../document/decoded.ts";
import { checkPath, parentsOf } from "./paths.ts";
import type { Validation } from "./validation.ts";

const MAX_MODE = 0o7777;
const PERMISSIONS = 0o777;

export function checkFile(file: DecodedObject, validation: Validation): void {
  checkNode(file, validation);
  const { contents } = file;
  if (file["overwrite"] === true && !(isObject(contents) && contents["source"] !== undefined)) {
    validation.findings.error(
      [file, "overwrite"],
      "expected contents for a file that is overwritten, found none",
      "give it contents, which may be empty, or leave overwrite out",
    );
  }
}

export function checkNode(node: DecodedObject, { findings, rules }: Validation): void {
  checkPath(findings, [node, "path"], node["path"]);
  const mode = integerOf(node["mode"]);
  if (mode === undefined) return;
  if (mode < 0 || mode > MAX_MODE) {
    findings.error([node, "mode"], `expected a mode from 0 to 07777, found ${octal(mode)}`);
  } else if (!rules.specialModeBits && mode > PERMISSIONS) {
    findings.warning(
      [node, "mode"],
      `expected permissions only, found ${octal(mode)}, whose setuid, setgid and sticky bits are not supported`,
      "Ignition 3.4.0 (Butane's flatcar 1.1.0) sets them",
    );
  }
}

function octal(mode: number): string {
  return mode < 0 ? String(mode) : `0${mode.toString(8)}`;
}

export function checkOwner(owner: DecodedObject, { findings }: Validation): void {
  if (owner["id"] !== undefined && textOf(owner["name"]) !== "") {
    findings.error([owner], "expected either id or name, found both", "keep one of them");
  }
}

export function checkLink(link: DecodedObject, validation: Validation): void {
  const { findings, rules } = validation;
  checkNode(link, validation);
  if (rules.linksNeedTargets && textOf(link["target"]) === "") {
    findings.error([link, "target"], "expected the target of the link, found none");
  }
  if (link["hard"] !== true) return;
  for (const key of ["user", "group"] as const) {
    const owner = link[key];
    if (!isObject(owner)) continue;
    for (const part of ["id", "name"] as const) {
      if (owner[part] === undefined || owner[part] === "") continue;
      const hint = "set it where the file itself is declared";
      findings.warning([owner, part], `${key} has no effect on a hard link`, hint);
    }
  }
}

const KINDS = ["directories", "files", "links"] as const;

/** What one part of the storage section makes impossible for another. */
export function checkStorage(storage: DecodedObject, { findings }: Validation): void {
  const links = objectsOf(storage["links"]);
  const linked = new Set(links.map((link) => textOf(link["path"])));
  for (const kind of links.length === 0 ? [] : KINDS) {
    for (const node of objectsOf(storage[kind])) {
      const above = parentsOf(textOf(node["path"])).find((parent) => linked.has(parent));
      if (above === undefined) continue;
      const message = `expected no link above ${textOf(node["path"])}, found ${above} in storage.links`;
      findings.error([node], message, "write the path that the link leads to");
    }
  }
  const directories = new Set(objectsOf(storage["directories"]).map((directory) => textOf(directory["path"])));
  for (const link of links) {
    if (link["hard"] !== true || !directories.has(textOf(link["target"]))) continue;
    findings.error([link], "expected a file as target of a hard link, found a directory", "make it a symbolic link");
  }
}

const UNIT_DIRECTORY = "/etc/systemd/system";

/** Files that would be written where a unit or drop-in of the same config goes. */
export function checkUnitPaths(config: DecodedObject, { findings }: Validation): void {
  const { systemd, storage } = config;
  if (!isObject(systemd) || !isObject(storage)) return;
  const paths = new Set<string>();
  for (const unit of objectsOf(systemd["units"])) {
    const path = `${UNIT_DIRECTORY}/${textOf(unit["name"])}`;
    if (textOf(unit["contents"]) !== "") paths.add(path);
    for (const dropin of objectsOf(unit["dropins"])) {
      if (textOf(dropin["contents"]) !== "") paths.add(`${path}.d/${textOf(dropin["name"])}`);
    }
  }
  for (const kind of KINDS) {
    for (const node of objectsOf(storage[kind])) {
      if (!paths.has(textOf(node["path"]))) continue;
      const message = `expected ${textOf(node["path"])} once, found it in systemd.units, too`;
      findings.error([node, "path"], message, "keep one of them");
    }
  }
}
