import { AshlarError } from "@ashlar/base";
import { parseConfig } from "@ashlar/declaration";
import { z } from "zod";
import { enablingLinks } from "./enabling-links.ts";

/** What of an Ignition config becomes a confext: files, links and directories below /etc. */
export type ConfextPlan = {
  readonly files: readonly PlannedFile[];
  readonly links: readonly { readonly path: string; readonly target: string }[];
  readonly directories: readonly { readonly path: string; readonly mode: number }[];
};

export type PlannedFile = {
  readonly path: string;
  readonly mode: number;
  /** A `data:` URL, or text. */
  readonly content: { readonly source: string; readonly isCompressed: boolean } | { readonly text: string };
};

const MAX_PROBLEMS = 20;
/** It holds the content of all files. */
const MAX_BYTES: number = 64 * 1024 * 1024;
const DEFAULT_FILE_MODE = 0o644;
const DEFAULT_DIRECTORY_MODE = 0o755;
const UNITS = "/etc/systemd/system";
const HINT =
  "keep it in the node's own configuration: a confext holds files, links and directories below /etc, and units";

const owner = z.strictObject({ id: z.literal(0).optional(), name: z.literal("root").optional() }).optional();
const etcPath = z
  .string()
  .regex(/^\/etc(?:\/(?!\.{1,2}(?:\/|$))[^/\0]+)+$/u, "expected a path below /etc, the only place of a confext");
const node = { path: etcPath, user: owner, group: owner, overwrite: z.boolean().optional() };
const mode = z.int().min(0).max(0o777).optional();
const contents = z
  .strictObject({
    source: z.string().startsWith("data:", "expected the content inside the config, as inline or local gives it"),
    compression: z.enum(["", "gzip"]).optional(),
  })
  .optional();
const unitName = z.string().regex(/^[\w:.@\\-]+\.[a-z]+$/u, "expected a unit's name");
const dropin = z.strictObject({
  name: z.string().regex(/^[\w:.@\\-]+\.conf$/u, "expected a name that ends in .conf"),
  contents: z.string(),
});

/** Everything else is unknown here, and so an error that names it. */
const config = z.strictObject({
  ignition: z.strictObject({ version: z.string() }),
  storage: z
    .strictObject({
      files: z.array(z.strictObject({ ...node, mode, contents })).optional(),
      directories: z.array(z.strictObject({ ...node, mode })).optional(),
      links: z
        .array(z.strictObject({ ...node, target: z.string().min(1), hard: z.literal(false).optional() }))
        .optional(),
    })
    .optional(),
  systemd: z
    .strictObject({
      units: z
        .array(
          z.strictObject({
            name: unitName,
            contents: z.string().optional(),
            dropins: z.array(dropin).optional(),
            enabled: z.boolean().optional(),
            mask: z.boolean().optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});

/**
 * Turns an Ignition config into what a confext holds.
 *
 * @throws AshlarError `limit`, `malformed`, or `invalid`, naming everything that has no place in a confext
 */
export function planConfext(bytes: Uint8Array): ConfextPlan {
  const result = config.safeParse(parseConfig(bytes, "Ignition config", 0, MAX_BYTES));
  if (!result.success) {
    const problems = result.error.issues
      .slice(0, MAX_PROBLEMS)
      .map((issue) => `${["$", ...issue.path].join(".")}: ${issue.message}`);
    throw new AshlarError("invalid", `not for a confext:\n  ${problems.join("\n  ")}`, { hint: HINT });
  }
  const { storage = {}, systemd = {} } = result.data;
  const units = (systemd.units ?? []).map((unit, index) => planUnit(unit, `$.systemd.units.${index}`));
  return {
    files: [
      ...(storage.files ?? []).map((file): PlannedFile => ({
        path: file.path,
        mode: file.mode ?? DEFAULT_FILE_MODE,
        content:
          file.contents === undefined
            ? { text: "" }
            : { source: file.contents.source, isCompressed: file.contents.compression === "gzip" },
      })),
      ...units.flatMap(({ files }) => files),
    ],
    links: [
      ...(storage.links ?? []).map((link) => ({ path: link.path, target: link.target })),
      ...units.flatMap(({ links }) => links),
    ],
    directories: (storage.directories ?? []).map((each) => ({
      path: each.path,
      mode: each.mode ?? DEFAULT_DIRECTORY_MODE,
    })),
  };
}

type Unit = {
  readonly name: string;
  readonly contents?: string | undefined;
  readonly dropins?: readonly { readonly name: string; readonly contents: string }[] | undefined;
  readonly enabled?: boolean | undefined;
  readonly mask?: boolean | undefined;
};

function planUnit(unit: Unit, where: string): Pick<ConfextPlan, "files" | "links"> {
  const { name, contents: text, dropins = [], enabled, mask } = unit;
  if (enabled !== undefined && text === undefined) {
    throw new AshlarError("invalid", `${where}.enabled: expected the contents of ${name}, found none`, {
      hint: "its [Install] section is not known here: write a drop-in of a target with Upholds=, or mask: true",
    });
  }
  const file = (path: string, content: string): PlannedFile => ({
    path,
    mode: DEFAULT_FILE_MODE,
    content: { text: content },
  });
  const isMasked = mask === true;
  return {
    files: [
      ...(text === undefined || isMasked ? [] : [file(`${UNITS}/${name}`, text)]),
      ...dropins.map((each) => file(`${UNITS}/${name}.d/${each.name}`, each.contents)),
    ],
    links: [
      ...(isMasked ? [{ path: `${UNITS}/${name}`, target: "/dev/null" }] : []),
      ...(enabled === true && text !== undefined ? enablingLinks(name, text, where) : []),
    ],
  };
}
