import { stringify } from "yaml";
import { customResourceDefinitions } from "./custom-resource-definition.ts";

const HEAD = "# Written by `npm run docs` from packages/kube/src/v1alpha1: edit that.\n";

/** The CustomResourceDefinitions for `kubectl apply`: texts by file name. */
export function definitionFiles(): ReadonlyMap<string, string> {
  return new Map(
    customResourceDefinitions().map((definition) => [
      `${definition.spec.names.plural}.yaml`,
      HEAD + stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false }),
    ]),
  );
}
