import { z } from "zod";
import { readObject } from "./read-object.ts";

/** What every object has that this program looks at or refers to. */
export type ObjectReference = { readonly name: string; readonly uid: string; readonly resourceVersion: string };

type Metadata = ObjectReference & {
  readonly generation?: number | null | undefined;
  readonly creationTimestamp?: string | null | undefined;
  readonly deletionTimestamp?: string | null | undefined;
  readonly finalizers?: readonly string[] | null | undefined;
};

const objectSchema = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    generation: z.int().nullish(),
    creationTimestamp: z.string().nullish(),
    deletionTimestamp: z.string().nullish(),
    finalizers: z.array(z.string()).nullish(),
  }),
});

/** @throws AshlarError `malformed` for what is no object at all */
export function readMetadata(object: unknown): Metadata {
  return readObject(objectSchema, object, "expected an object of Kubernetes").metadata;
}
