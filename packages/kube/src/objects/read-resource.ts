import { z } from "zod";
import { nodeClassSchema, type NodeClassSpec, type NodeClassStatus } from "../v1alpha1/node-class.ts";
import { nodeProofSchema, type NodeProofStatus } from "../v1alpha1/node-proof.ts";
import { readMetadata, type ObjectReference } from "./read-metadata.ts";
import { readObject } from "./read-object.ts";

export type NodeClassObject = ObjectReference & {
  readonly generation: number;
  /** Undefined when it is none that this version understands. */
  readonly spec: NodeClassSpec | undefined;
  readonly status: NodeClassStatus;
};

export type NodeProofObject = ObjectReference & {
  /** Undefined when it is none that this version understands. */
  readonly status: NodeProofStatus | undefined;
};

/** The entries of a Secret or a ConfigMap. */
export type SourceObject = ObjectReference & { readonly entries: ReadonlyMap<string, Uint8Array> };

const texts = z.record(z.string(), z.string()).nullish();
const sourceSchema = z.object({ data: texts, binaryData: texts });

/** @throws AshlarError `malformed` for what is no object at all */
export function readNodeClass(object: unknown): NodeClassObject {
  const { generation = 0, ...reference } = referenceOf(object);
  const found = nodeClassSchema.safeParse(object);
  const status = found.success ? (found.data.status ?? {}) : {};
  return { ...reference, generation, spec: found.success ? found.data.spec : undefined, status };
}

/** @throws AshlarError `malformed` for what is no object at all */
export function readNodeProof(object: unknown): NodeProofObject {
  const { name, uid, resourceVersion } = referenceOf(object);
  const found = nodeProofSchema.safeParse(object);
  return { name, uid, resourceVersion, status: found.success ? (found.data.status ?? {}) : undefined };
}

/** @throws AshlarError `malformed` */
export function readSecret(object: unknown): SourceObject {
  const { data } = readObject(sourceSchema, object, "expected a Secret");
  return sourceOf(object, [[data, "base64"]]);
}

/** @throws AshlarError `malformed` */
export function readConfigMap(object: unknown): SourceObject {
  const { data, binaryData } = readObject(sourceSchema, object, "expected a ConfigMap");
  return sourceOf(object, [
    [data, "utf8"],
    [binaryData, "base64"],
  ]);
}

type Encoded = readonly [entries: Readonly<Record<string, string>> | null | undefined, encoding: BufferEncoding];

function sourceOf(object: unknown, encoded: readonly Encoded[]): SourceObject {
  const { name, uid, resourceVersion } = referenceOf(object);
  const entries = encoded.flatMap(([data, encoding]) =>
    Object.entries(data ?? {}).map(([key, text]): [string, Uint8Array] => [key, Buffer.from(text, encoding)]),
  );
  return { name, uid, resourceVersion, entries: new Map(entries) };
}

function referenceOf(object: unknown): ObjectReference & { readonly generation?: number } {
  const { name, uid, resourceVersion, generation } = readMetadata(object);
  return { name, uid, resourceVersion, ...(typeof generation === "number" ? { generation } : {}) };
}
