import { customResourceDefinitions, type CustomResourceDefinition, type StructuralSchema } from "@ashlar/kube";

/** What can be written about each kind of object, from the same schemas that the API server is given. */
export function customResourcePage(): string {
  return `# Custom resources

Group \`ashlar.dev\`, version \`v1alpha1\`. All are cluster-scoped and of the category \`ashlar\`: \`kubectl get ashlar\`. The
definitions for \`kubectl apply\` are in [deploy/crds](../../deploy/crds). What is done with them is in the guide to
[the cluster operator](../guides/operator.md).
${customResourceDefinitions().map(kindSection).join("")}`;
}

function kindSection({ spec: { names, versions } }: CustomResourceDefinition): string {
  const [{ schema }] = versions;
  const { spec, status } = schema.openAPIV3Schema.properties ?? {};
  const rows = [
    ...(spec === undefined ? [] : fieldRows("spec", spec, true)),
    ...(status === undefined ? [] : fieldRows("status", status, false)),
  ];
  const rules = [...new Set(allRules(schema.openAPIV3Schema))];
  return `
## ${names.kind}

${schema.openAPIV3Schema.description ?? ""} Short name: \`${names.shortNames.join("`, `")}\`.

| field | type | meaning |
|---|---|---|
${rows.join("\n")}

What the API server refuses, and says then:

${rules.map((message) => `- ${message}`).join("\n")}
`;
}

function fieldRows(path: string, schema: StructuralSchema, isRequired: boolean): string[] {
  const { items, additionalProperties, description = "" } = schema;
  const properties = schema.properties ?? items?.properties ?? {};
  const required = schema.required ?? items?.required ?? [];
  const isWritten = path.startsWith("spec");
  const fallback = schema.default === undefined ? "" : ` Default: \`${JSON.stringify(schema.default)}\`.`;
  const needed = isWritten && isRequired ? " (required)" : "";
  const own = `| \`${path}\` | ${typeOf(schema)}${needed} | ${sentence(description)}${fallback} |`;
  const below = additionalProperties === undefined ? Object.entries(properties) : [];
  const prefix = items === undefined ? path : `${path}[]`;
  return [own, ...below.flatMap(([name, each]) => fieldRows(`${prefix}.${name}`, each, required.includes(name)))];
}

function typeOf({ type, items, additionalProperties, enum: words }: StructuralSchema): string {
  if (words !== undefined) return words.map((word) => `\`${word}\``).join(", ");
  if (items !== undefined) return `list of ${typeOf(items)}`;
  return additionalProperties === undefined ? type : `map of ${additionalProperties.type}`;
}

function sentence(text: string): string {
  return text === "" || /[.?!]$/u.test(text) ? text : `${text}.`;
}

function allRules(schema: StructuralSchema): string[] {
  const below = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  const own = (schema["x-kubernetes-validations"] ?? []).map(({ message }) => message);
  return [...own, ...below.flatMap((each) => (each === undefined ? [] : allRules(each)))];
}
