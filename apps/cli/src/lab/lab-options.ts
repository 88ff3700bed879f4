import { Option } from "commander";

export type Named = { readonly name: string };

export function nameOption(): Option {
  return new Option("--name <lab>", "which lab").default("lab");
}

export function jsonOption(): Option {
  return new Option("--json", "print the result as JSON");
}
