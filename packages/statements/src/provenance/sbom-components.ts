import { parseDocument } from "@ashlar/protocol/answers";
import { z } from "zod";

/** What a bill of materials lists. */
export type SbomComponents = {
  /** Package URLs. */
  readonly packages: readonly string[];
  /** How many files are listed one by one: nothing says which packages they came from. */
  readonly files: number;
};

const MAX_CHARACTERS: number = 64 * 1024 * 1024;
const MAX_COMPONENTS = 200_000;

/** CycloneDX 1.6, as far as we write it. */
const schema = z.object({
  bomFormat: z.literal("CycloneDX"),
  components: z
    .array(z.object({ type: z.string().max(100), "bom-ref": z.string().min(1).max(4096) }))
    .max(MAX_COMPONENTS)
    .optional(),
});

/** @throws AshlarError `limit`, `malformed` */
export function parseSbomComponents(text: string): SbomComponents {
  const { components = [] } = parseDocument(text, schema, "bill of materials", MAX_CHARACTERS);
  const packages = components.filter(({ type }) => type !== "file").map((each) => each["bom-ref"]);
  return { packages, files: components.length - packages.length };
}
