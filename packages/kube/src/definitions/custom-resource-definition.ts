import { GROUP, VERSION } from "../v1alpha1/parts.ts";
import { KINDS, type Column, type Kind } from "../v1alpha1/kinds.ts";
import { structuralSchema, type StructuralSchema } from "./structural-schema.ts";

/** What tells the API server of a kind (apiextensions.k8s.io/v1). */
export type CustomResourceDefinition = {
  readonly apiVersion: "apiextensions.k8s.io/v1";
  readonly kind: "CustomResourceDefinition";
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly scope: "Cluster";
    readonly names: {
      readonly kind: string;
      readonly listKind: string;
      readonly plural: string;
      readonly singular: string;
      readonly shortNames: readonly string[];
      readonly categories: readonly string[];
    };
    readonly versions: readonly [
      {
        readonly name: string;
        readonly served: true;
        readonly storage: true;
        readonly subresources: { readonly status: object };
        readonly additionalPrinterColumns: readonly object[];
        readonly schema: { readonly openAPIV3Schema: StructuralSchema };
      },
    ];
  };
};

/** Of all kinds, in their order. */
export function customResourceDefinitions(): readonly CustomResourceDefinition[] {
  return KINDS.map(definitionOf);
}

function definitionOf({ kind, plural, shortName, columns, schema }: Kind): CustomResourceDefinition {
  const names = { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Cluster",
      names: { ...names, shortNames: [shortName], categories: ["ashlar"] },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns.map(printerColumn),
          schema: { openAPIV3Schema: withTypeAndMetadata(structuralSchema(schema)) },
        },
      ],
    },
  };
}

function printerColumn({ name, type, jsonPath, isWide }: Column): object {
  return { name, type, jsonPath, ...(isWide === true ? { priority: 1 } : {}) };
}

function withTypeAndMetadata(schema: StructuralSchema): StructuralSchema {
  const text = { type: "string" };
  return {
    ...schema,
    properties: { apiVersion: text, kind: text, metadata: { type: "object" }, ...schema.properties },
  };
}
