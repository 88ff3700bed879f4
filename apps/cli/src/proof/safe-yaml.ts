import { printable } from "@ashlar/base";
import { Document, isScalar, Scalar, visit } from "yaml";

/**
 * A value as YAML that says the same to programs, and is no instruction to a terminal: a text in which something is no
 * character to read stands in quotes, where YAML knows the same escapes as JSON (YAML 1.2.2, 5.7).
 */
export function safeYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, node) => {
      if (isScalar(node) && typeof node.value === "string" && printable(node.value) !== node.value)
        node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return `${document.toString({ lineWidth: 0 }).trimEnd().split("\n").map(printable).join("\n")}\n`;
}
