import { Document, Scalar } from "yaml";
import type { SuggestedClass, SuggestedFile, SuggestedUnit, SuggestedUser } from "./suggest-class.ts";

const HEAD = ` What a node amounts to that was collected by an audit. It is a draft: read it, take out what nobody needs, and put your keys in.
 Contents are not in it. Copy the files that files.list names from such a node into a directory; each is held to the digest here.

     ashlar butane --check --target ashlar --files-dir DIRECTORY class.bu`;

/** The class as a Butane file (variant flatcar 1.0.0), whose files are below a --files-dir with their own paths. */
export function classFile({ files, links, units, users, extensions }: SuggestedClass): string {
  const storage = {
    ...(files.length + extensions.length > 0
      ? { files: [...(extensions.length > 0 ? [extensionsFile(extensions)] : []), ...files.map(fileEntry)] }
      : {}),
    ...(links.length > 0 ? { links } : {}),
  };
  // 1.1, as Butane reads it: there 0644 is octal, and "yes" is quoted.
  const document = new Document(
    {
      variant: "flatcar",
      version: "1.0.0",
      ...(users.length > 0 ? { passwd: { users: users.map(userEntry) } } : {}),
      ...(Object.keys(storage).length > 0 ? { storage } : {}),
      ...(units.length > 0 ? { systemd: { units: units.map(unitEntry) } } : {}),
    },
    { version: "1.1" },
  );
  document.commentBefore = HEAD;
  return document.toString({ lineWidth: 0 });
}

/** The paths of what the class takes from --files-dir, below the root, for tar(1). */
export function filesToCopy({ files }: SuggestedClass): string[] {
  return files.map(({ path }) => path.slice(1));
}

function fileEntry({ path, mode, owner, group, digest }: SuggestedFile): object {
  return {
    path,
    mode: octal(mode),
    // What the image has there, too, gives way.
    overwrite: true,
    ...(owner === 0 ? {} : { user: { id: owner } }),
    ...(group === 0 ? {} : { group: { id: group } }),
    contents: { local: path.slice(1), verification: { hash: `sha256-${digest}` } },
  };
}

function extensionsFile(extensions: SuggestedClass["extensions"]): object {
  const inline = new Document({ extensions }).toString();
  return { path: "/etc/ashlar/extensions.yaml", mode: octal(0o644), contents: { inline } };
}

function unitEntry({ name, isEnabled, isMasked }: SuggestedUnit): object {
  return isMasked ? { name, mask: true } : { name, enabled: isEnabled };
}

function userEntry({ name, number, home, shell }: SuggestedUser): object {
  return { name, uid: number, home_dir: home, shell };
}

function octal(mode: number): Scalar {
  const scalar = new Scalar(mode);
  scalar.format = "OCT";
  return scalar;
}
