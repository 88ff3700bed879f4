import { printJson, printLine } from "@ashlar/host/terminal";
import { Command } from "commander";

export function extensionInspectCommand(): Command {
  return new Command("inspect")
    .description("Show what an extension image claims to be, and what it contains")
    .argument("<image>", "a signed extension image")
    .option("--json", "print everything as JSON, with all files")
    .addHelpText(
      "after",
      `
Each block that is read is checked against the root hash. \`ashlar extension verify\` checks who has signed that hash.

Examples:
  ashlar extension inspect kubernetes-v1.33.5-x86-64.raw
  ashlar extension inspect kubernetes-v1.33.5-x86-64.raw --json`,
    )
    .action(async (path: string, flags: { readonly json?: true }) => {
      const { readExtensionImage, readManifestBeside } = await import("@ashlar/extensions");
      const { ddi, sizeBytes, content, files } = await readExtensionImage(path, "checked");
      const manifest = await readManifestBeside(path);
      const { kind, name, version, host, behaviour } = content;
      const { rootHash, certificateSha256 } = ddi.signed;
      const tier = manifest?.tier ?? null;
      const packages = manifest?.packages ?? null;
      const partitions = { data: ddi.data, tree: ddi.tree, signature: ddi.signature };
      if (flags.json === true) {
        const image = { sizeBytes, rootHash, certificateSha256, partitions };
        printJson({ kind, name, version, tier, host, image, behaviour, packages, files });
        return;
      }
      const contentBytes = files.reduce((sum, file) => sum + (file.type === "file" ? file.sizeBytes : 0), 0);
      const { replaces, restart, reload, start, healthCheck } = behaviour;
      const lines = {
        extension: `${kind} ${name} ${version}`,
        tier: tier ?? "unknown: no manifest beside the image",
        hosts: host.level === null ? host.id : `${host.id}, level ${host.level}`,
        "root hash": rootHash,
        "signed by": certificateSha256,
        size: `${megabytes(sizeBytes)}, of that ${megabytes(ddi.tree.sizeBytes)} hash tree`,
        files: `${files.length}, ${megabytes(contentBytes)}`,
        packages: packages?.map((each) => `${each.name} ${each.version}`).join(", "),
        replaces: replaces.join(", "),
        starts: start.join(", "),
        restarts: restart.join(", "),
        reloads: reload.join(", "),
        "health check": healthCheck ?? "",
      };
      for (const [label, value = ""] of Object.entries(lines)) {
        if (value !== "") printLine(`${`${label}:`.padEnd(14)}${value}`);
      }
    });
}

function megabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1e6).toFixed(1)} MB`;
}
