import { printJson, printLine, reportLine } from "@ashlar/host/terminal";
import { type Command, Option } from "commander";
import type { ExtensionTier } from "@ashlar/protocol";
import { change, type ChangeFlags, changingCommand } from "../release/command-options.ts";

/** As in @ashlar/identity, which is not loaded for `--help`. */
const TIERS: readonly ExtensionTier[] = ["shipped", "opt-in", "community"];

export function extensionPublishCommand(): Command {
  return changingCommand("publish", "Publish signed extension images in a repository, beside its releases")
    .argument("<image...>", "the output of `ashlar extension build`; its manifest and bill of materials lie beside it")
    .addOption(new Option("--tier <tier>", "refuse images of another tier").choices(TIERS))
    .addHelpText(
      "after",
      `
Each image is checked as a node checks it: the signature by the key directory's extensions.crt, every block, the names
inside. Readers see all of the images or none. If interrupted, repeat it. A published version never changes.

Examples:
  ashlar extension publish --repo /srv/releases --keys ~/release-keys out/kubernetes-v1.33.5-x86-64.raw
  ashlar extension publish --repo /srv/releases --keys ~/release-keys --tier community out/*.raw`,
    )
    .action(async (images: string[], flags: ChangeFlags & { readonly tier?: ExtensionTier }) => {
      await change(flags, async (options) => {
        const { publishExtensions } = await import("@ashlar/publisher");
        const published = await publishExtensions({ ...options, images, tier: flags.tier });
        if (flags.json === true) printJson({ published });
        else for (const { name, version } of published) printLine(`${name} ${version} is published`);
        for (const { name, version, files } of published)
          if (files.provenance === undefined) reportLine(`${name} ${version} has no provenance: none lies beside it`);
      });
    });
}
