import { integerOf, isObject, listOf, objectsOf, textOf, type DecodedObject } from "../document/decoded.ts";
import type { Findings } from "../document/findings.ts";
import { schemaObjects } from "../schema/schema-objects.ts";
import type { ObjectSchema } from "../schema/schema.ts";
import { splitUrl } from "../validate/url.ts";

/** The newest Ignition configs that the Ignition of an Ashlar node reads. */
const NEWEST_IGNITION = "3.3.0";

/**
 * Warns about what is correct but cannot work, or has no effect, on an Ashlar node: its `/usr` is verified and read-only, its
 * root is empty at each boot and executes nothing, only `/var` persists, and Ignition runs at each boot without a network.
 */
export function adviseForAshlar(config: DecodedObject, schema: ObjectSchema, findings: Findings): void {
  adviseOnVersion(config, findings);
  const fetched = new Set<unknown>();
  for (const { name, value } of schemaObjects(config, schema)) {
    if (name === "File" && EXTENSION_IMAGE.test(textOf(value["path"]))) fetched.add(value["contents"]);
    if (!fetched.has(value)) ADVICE[name]?.(value, findings);
  }
}

/** The node's agent fetches these, not Ignition: by their signature, and into `/var`. */
const EXTENSION_IMAGE = /^\/opt\/extensions\/[^/]+\/[^/]+\.raw$/u;

type Advice = (object: DecodedObject, findings: Findings) => void;

const ADVICE: Readonly<Record<string, Advice>> = {
  Directory: adviseOnNode,
  Disk: adviseOnDisk,
  File: (file, findings) => {
    adviseOnNode(file, findings);
    adviseOnExecutable(file, findings);
  },
  Filesystem: adviseOnFilesystem,
  KernelArguments: adviseOnKernelArguments,
  Link: adviseOnNode,
  PasswdUser: adviseOnUser,
  Resource: adviseOnResource,
  Unit: adviseOnUnit,
};

function adviseOnVersion(config: DecodedObject, findings: Findings): void {
  const { ignition } = config;
  if (!isObject(ignition) || textOf(ignition["version"]) <= NEWEST_IGNITION) return;
  const message = `expected at most Ignition ${NEWEST_IGNITION} for an Ashlar node, found ${textOf(ignition["version"])}`;
  if (textOf(config["variant"]) === "") findings.warning([ignition, "version"], message);
  else findings.warning([config, "version"], message, "write version: 1.0.0");
}

/** Names below the root that are links into `/usr`. */
const IN_USR = /^\/(?:usr|bin|sbin|lib|lib32|lib64|libx32)(?:\/|$)/u;
const UNIT_IN_VAR = /^\/var\/.*\.(?:service|socket|mount|automount|swap|target|path|timer|slice)$/u;

function adviseOnNode(node: DecodedObject, findings: Findings): void {
  const path = textOf(node["path"]);
  if (IN_USR.test(path)) {
    const message = `expected a path outside /usr, found ${path}: an Ashlar node's /usr is verified and cannot change`;
    findings.warning([node, "path"], message, "build it into the image, or ship it as an extension");
  } else if (UNIT_IN_VAR.test(path)) {
    const message = `expected units below systemd.units, found ${path}: units are not loaded from /var`;
    findings.warning([node, "path"], message, "move it to systemd.units");
  }
}

/** Container storage, from which programs may be executed. */
const EXECUTABLE = /^\/var\/lib\/(?:containerd|kubelet)\//u;

function adviseOnExecutable(file: DecodedObject, findings: Findings): void {
  const path = textOf(file["path"]);
  const mode = integerOf(file["mode"]) ?? 0;
  if ((mode & 0o111) === 0 || EXECUTABLE.test(path) || IN_USR.test(path)) return;
  const message = `${path} cannot be executed: an Ashlar node executes files from /usr and container storage only`;
  findings.warning([file, "path"], message, "ship programs as an extension; a script runs with /bin/sh FILE");
}

function adviseOnDisk(disk: DecodedObject, findings: Findings): void {
  if (disk["wipeTable"] !== true) return;
  const message = "expected the partition table to be kept, found wipe_table: Ignition would erase it at each boot";
  findings.warning([disk, "wipeTable"], message, "leave wipe_table out");
}

const SYSTEM_PARTITION = /^\/dev\/(?:mapper\/usr|disk\/by-partlabel\/(?:esp|_empty|ashlar.*))$/u;

function adviseOnFilesystem(filesystem: DecodedObject, findings: Findings): void {
  const device = textOf(filesystem["device"]);
  if (SYSTEM_PARTITION.test(device)) {
    const message = `expected a device for data, found ${device}, which belongs to the system`;
    findings.warning([filesystem, "device"], message, "the image makes and grows its own partitions; leave them out");
  }
  const path = textOf(filesystem["path"]);
  if (path === "/" || path === "/var" || IN_USR.test(path)) {
    const message = `expected another mount point, found ${path}, which the image mounts itself`;
    findings.warning([filesystem, "path"], message, "mount data below /var");
  }
  if (filesystem["wipeFilesystem"] === true) {
    const message = "expected the file system to be kept, found wipe_filesystem: Ignition would erase it at each boot";
    findings.warning([filesystem, "wipeFilesystem"], message, "leave it out: a file system that matches is kept");
  }
}

function adviseOnKernelArguments(kernelArguments: DecodedObject, findings: Findings): void {
  if (["shouldExist", "shouldNotExist"].every((key) => listOf(kernelArguments[key]).length === 0)) return;
  const message = "kernel arguments cannot be set: the command line is part of the signed and measured image";
  findings.warning([kernelArguments], message, "build an image with another command line");
}

function adviseOnUser(user: DecodedObject, findings: Findings): void {
  if (textOf(user["passwordHash"]) === "") return;
  const message = "password_hash has no effect: no log-in to an Ashlar node takes a password";
  findings.warning([user, "passwordHash"], message, "use ssh_authorized_keys");
}

function adviseOnResource(resource: DecodedObject, findings: Findings): void {
  const source = textOf(resource["source"]);
  const scheme = source.startsWith("data:") ? "data" : (splitUrl(source)?.scheme ?? "");
  if (scheme === "" || scheme === "data") return;
  const message = `expected inline or local contents, found ${source}: an Ashlar node applies only what was measured, so it fetches nothing`;
  const hint = source.endsWith(".raw")
    ? "write an extension image to /opt/extensions/NAME/, where the node fetches and keeps it"
    : "embed it with inline or local";
  findings.warning([resource, "source"], message, hint);
}

const RUNS_FROM = /^\s*Exec\w+=[-@:+!|]*(?<path>\/(?:var|opt|etc|home|root|srv|tmp)\/\S*)/gmu;

function adviseOnUnit(unit: DecodedObject, findings: Findings): void {
  const dropins = objectsOf(unit["dropins"]);
  for (const holder of [unit, ...dropins]) adviseOnCommands(holder, findings);
}

function adviseOnCommands(holder: DecodedObject, findings: Findings): void {
  for (const { groups } of textOf(holder["contents"]).matchAll(RUNS_FROM)) {
    const path = groups?.["path"] ?? "";
    if (EXECUTABLE.test(path)) continue;
    const message = `expected commands in /usr, found ${path}: an Ashlar node executes nothing from there`;
    findings.warning([holder, "contents"], message, "ship programs as an extension; run a script with /bin/sh FILE");
  }
}
