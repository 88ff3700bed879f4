import { integerOf, isObject, listOf, textOf, type Decoded, type DecodedObject } from "../document/decoded.ts";
import type { Findings } from "../document/findings.ts";
import type { Place } from "../document/origins.ts";
import type { ObjectSchema } from "../schema/schema.ts";

/** What tells the items of a list apart. Items of lists with the same `space` must differ from each other, too. */
type Identity = { readonly of: (item: Decoded) => string; readonly space?: string };

const itself: Identity = { of: textOf };

function by(key: string, space?: string): Identity {
  const of = (item: Decoded): string => (isObject(item) ? textOf(item[key]) : "");
  return space === undefined ? { of } : { of, space };
}

const byNumberOrLabel: Identity = {
  of: (item) => {
    if (!isObject(item)) return "";
    const number = integerOf(item["number"]) ?? 0;
    if (number !== 0) return `number ${number}`;
    return item["label"] === undefined ? "" : `label ${textOf(item["label"])}`;
  },
};

/** The lists whose items must differ, by the name of the object that holds them and the key. */
const IDENTITIES: Readonly<Record<string, Readonly<Record<string, Identity>>>> = {
  IgnitionConfigSources: { merge: by("source") },
  Tls: { certificateAuthorities: by("source") },
  Proxy: { noProxy: itself },
  Resource: { httpHeaders: by("name") },
  KernelArguments: { shouldExist: { of: textOf, space: "all" }, shouldNotExist: { of: textOf, space: "all" } },
  Passwd: { groups: by("name"), users: by("name") },
  PasswdUser: { groups: itself, sshAuthorizedKeys: itself },
  Storage: {
    directories: by("path", "nodes"),
    disks: by("device"),
    files: by("path", "nodes"),
    filesystems: by("device"),
    links: by("path", "nodes"),
    luks: by("name"),
    raid: by("name"),
  },
  Disk: { partitions: byNumberOrLabel },
  Raid: { devices: itself },
  Clevis: { tang: by("url") },
  Luks: { openOptions: itself },
  Systemd: { units: by("name") },
  Unit: { dropins: by("name") },
};

/** Reports each item that stands for the same thing as one before it. */
export function checkDuplicates(object: DecodedObject, schema: ObjectSchema, findings: Findings): void {
  const identities = IDENTITIES[schema.name];
  if (identities === undefined) return;
  const seen = new Set<string>();
  for (const [key, { of, space }] of Object.entries(identities)) {
    for (const [index, item] of listOf(object[key]).entries()) {
      const name = of(item);
      const identity = `${space ?? key}\0${name}`;
      if (seen.has(identity)) {
        const shown = name === "" ? "one without" : name.length > 80 ? "the same" : name;
        const place: Place = isObject(item) ? [item] : [listOf(object[key]), index];
        findings.error(place, `expected each one once, found ${shown} again`, "keep one, or join them");
      }
      seen.add(identity);
    }
  }
}
