import { integerOf, isObject, objectsOf, textOf, type Decoded, type DecodedObject } from "../document/decoded.ts";
import type { Context } from "./context.ts";

/** What Butane demands before anything is generated. */
export function checkConfig(context: Context): void {
  const { storage } = context.config;
  if (!isObject(storage)) return;
  for (const file of objectsOf(storage["files"])) warnAboutDecimalMode(context, file, FILE_MODES);
  for (const directory of objectsOf(storage["directories"])) warnAboutDecimalMode(context, directory, DIRECTORY_MODES);
  for (const filesystem of objectsOf(storage["filesystems"])) checkMountUnit(context, filesystem);
  for (const luks of objectsOf(storage["luks"])) refuseClevis(context, luks);
}

function saysNothing(value: Decoded | undefined): boolean {
  return value === undefined || (isObject(value) && Object.values(value).every((inner) => saysNothing(inner)));
}

/** Modes that people want, as they write them. Missing the leading zero makes something else of them. */
const PLAIN_FILE_MODES = "400 440 444 500 550 555 600 640 644 660 664 666 700 750 755 770 775 777".split(" ");
const EXECUTABLE_MODES = "500 550 555 700 750 755 770 775".split(" ");
const FILE_MODES: ReadonlySet<string> = new Set([
  ...PLAIN_FILE_MODES,
  ...["2", "4", "6"].flatMap((special) => EXECUTABLE_MODES.map((mode) => special + mode)),
]);
const WRITABLE_DIRECTORY_MODES = "700 750 755 770 775 777".split(" ");
const DIRECTORY_MODES: ReadonlySet<string> = new Set([
  "500",
  "550",
  "555",
  ...["", "1", "2", "3"].flatMap((special) => WRITABLE_DIRECTORY_MODES.map((mode) => special + mode)),
]);

function warnAboutDecimalMode({ findings }: Context, node: DecodedObject, meant: ReadonlySet<string>): void {
  const mode = String(integerOf(node["mode"]));
  if (!meant.has(mode)) return;
  const octal = `0${Number(mode).toString(8)}`;
  findings.warning([node, "mode"], `expected an octal mode, found ${mode}, which is ${octal}`, `write 0${mode}`);
}

function checkMountUnit({ findings }: Context, filesystem: DecodedObject): void {
  if (filesystem["withMountUnit"] !== true) return;
  const format = textOf(filesystem["format"]);
  if (format === "") {
    findings.error([filesystem, "format"], "expected a format, which with_mount_unit needs, found none");
  } else if (format !== "swap" && textOf(filesystem["path"]) === "") {
    findings.error([filesystem, "path"], "expected a path, which with_mount_unit needs, found none");
  }
}

function refuseClevis({ findings }: Context, luks: DecodedObject): void {
  const { clevis } = luks;
  if (!isObject(clevis) || saysNothing(clevis)) return;
  const hint = "use key_file, or leave clevis out";
  findings.error([clevis], "clevis is not supported: Flatcar does not have it", hint);
  luks["clevis"] = undefined;
}
