import { AshlarError } from "@ashlar/base";
import { Command, Option } from "commander";
import { HOST_PARTS, type HostPart } from "../setup/host-packages.ts";

export function setupCommand(): Command {
  return new Command("setup")
    .description("Install what Ashlar needs from the host's own distribution")
    .addOption(
      new Option("--for <parts>", "what you want to do: a list of image, lab, test")
        .argParser(parseParts)
        .default(HOST_PARTS, "all"),
    )
    .option("--check", "only list what is missing")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Installs only what is missing, as root, and prints why each package is needed. Without root, or on a system other than
Debian 12, Debian 13 and Ubuntu 24.04, it changes nothing, lists what to install and exits with status 69; without root, with 77.

Examples:
  ashlar setup
  ashlar setup --check --for image,lab`,
    )
    .action(async (options: { for: readonly HostPart[]; check?: true; json?: true }) => {
      const { setUp } = await import("../setup/set-up.ts");
      await setUp({ parts: options.for, check: options.check === true, json: options.json === true });
    });
}

function parseParts(text: string): readonly HostPart[] {
  return text.split(",").map((word) => {
    const part = HOST_PARTS.find((each) => each === word);
    if (part === undefined) {
      throw new AshlarError("usage", `expected --for with a list of ${HOST_PARTS.join(", ")}, found ${word}`);
    }
    return part;
  });
}
