import { AshlarError } from "@ashlar/base";
import { printLine, reportLine } from "@ashlar/host/terminal";
import type { BuiltExtension, ExtensionSource } from "@ashlar/extensions";
import type { ExtensionKind, ExtensionTier } from "@ashlar/protocol";
import { Command, Option } from "commander";
import { filesDirOption, readClassConfig } from "../class-config.ts";
import { withInterruption } from "../interruption.ts";
import { createPassphraseSource } from "../release/passphrase.ts";
import { createStepPrinter } from "../step-printer.ts";

type BuildFlags = {
  readonly kind?: ExtensionKind;
  readonly name?: string;
  readonly version?: string;
  readonly tier?: ExtensionTier;
  readonly from?: string;
  readonly deb?: readonly string[];
  readonly oci?: string;
  readonly butane?: string;
  readonly filesDir?: string;
  readonly recipe?: string;
  readonly mirror?: string;
  readonly snapshot?: string;
  readonly keys: string;
  readonly passphraseFile?: string;
  readonly out: string;
  readonly release?: string;
  readonly host?: string;
  readonly replaces: readonly string[];
  readonly restart: readonly string[];
  readonly reload: readonly string[];
  readonly start: readonly string[];
  readonly healthCheck?: string;
  readonly builder?: string;
  readonly json?: true;
};

/** As in @ashlar/identity, which is not loaded for `--help`. */
const KINDS: readonly ExtensionKind[] = ["sysext", "confext"];
const TIERS: readonly ExtensionTier[] = ["shipped", "opt-in", "community"];

export function extensionBuildCommand(): Command {
  return new Command("build")
    .description(
      "Build a signed extension image: NAME-VERSION-x86-64.raw, its manifest, bill of materials and provenance",
    )
    .addOption(new Option("--kind <kind>", "what it extends: /usr and /opt (the default), or /etc").choices(KINDS))
    .option("--name <name>", "for example debug-tools")
    .option("--version <version>", "for example v1.33.5")
    .addOption(new Option("--tier <tier>", "who stands behind it (default: opt-in)").choices(TIERS))
    .option("--from <directory>", "from this directory's usr and opt, or etc")
    .option("--deb <package...>", "from Debian packages, with those dependencies that the release lacks")
    .option("--oci <directory[:tag]>", "from an OCI image: its layout directory's usr and opt, or etc")
    .option("--butane <file>", "from a Butane config's files below /etc and its units: a confext")
    .addOption(filesDirOption())
    .option("--recipe <name>", "as described by a folder of recipes/, or another folder with a recipe.yaml")
    .option("--mirror <url>", "Debian archive to take them from (default: this machine's own)")
    .option("--snapshot <timestamp>", "the archive as it was then, for example 20261122T000000Z")
    .requiredOption("--keys <directory>", "the directory of `ashlar release init`, whose extensions.pem signs")
    .option("--passphrase-file <file>", "its first line opens the key (default: asked for on a terminal)")
    .requiredOption("--out <directory>", "where the image goes")
    .option("--release <path>", "the release that it is for: the output of `ashlar image build`, or its manifest.json")
    .option("--host <id>", "the ID in the hosts' os-release, or _any (default: ashlar)")
    .option("--replaces <glob>", "a file of the release that it may hide; repeat it for more", collect, [])
    .option("--restart <unit>", "restart it after a change of version; repeat it for more", collect, [])
    .option("--reload <unit>", "reload it after a change of version; repeat it for more", collect, [])
    .option("--start <unit>", "start it when the extension is merged; repeat it for more", collect, [])
    .option("--health-check <path>", "an executable inside, below /usr/lib/ashlar/health.d")
    .option("--builder <uri>", "who builds, as provenance names it (default: `ashlar` run by hand)")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
The same inputs give the same bytes. Without --release it is not known which of the base's files it would hide, and a node
refuses it if it hides any.

Examples:
  ashlar extension build --name tools --version 1.0 --from tree --keys ~/release-keys --out out
  ashlar extension build --name tools --version 1.1 --deb tcpdump strace --release out/1.1.0 --keys ~/release-keys \\
    --out out
  ashlar extension build --recipe kubernetes --version v1.33.5 --release out/1.1.0 --keys ~/release-keys --out out
  ashlar extension build --name tools --version 1.2 --oci layout --keys ~/release-keys --out out
  ashlar extension build --name site --version 1 --butane site.bu --keys ~/release-keys --out out
  ashlar extension build --kind confext --name site --version 2 --from tree --release out/1.1.0 --keys ~/release-keys \\
    --out out --reload systemd-resolved.service

Needs root.`,
    )
    .action(async (flags: BuildFlags) => {
      await withInterruption(async (signal) => {
        const { buildExtension } = await import("@ashlar/extensions");
        const { KeyDirectory } = await import("@ashlar/keys");
        const start = performance.now();
        const keys = new KeyDirectory(flags.keys, createPassphraseSource(flags.passphraseFile));
        const { out, release, host, replaces, restart, reload, start: units, healthCheck = null } = flags;
        const source = await sourceOf(flags);
        const recipe = source.type === "recipe" ? source.recipe : undefined;
        const built = await buildExtension({
          kind: flags.kind ?? recipe?.kind ?? (source.type === "ignition" ? "confext" : "sysext"),
          name: required("--name", flags.name ?? recipe?.name),
          version: recipe === undefined ? required("--version", flags.version) : (flags.version ?? null),
          tier: flags.tier ?? recipe?.tier ?? "opt-in",
          source,
          signer: await keys.extensionSigner(),
          out,
          behaviour: { replaces, restart, reload, start: units, healthCheck },
          ...(release !== undefined && { release }),
          ...(flags.builder !== undefined && { builder: flags.builder }),
          ...(host !== undefined && { host: { id: host, level: null } }),
          signal,
          onProgress: createStepPrinter(),
        });
        const seconds = Math.round((performance.now() - start) / 100) / 10;
        print(built, { updates: recipe?.updates ?? built.manifest.version, seconds }, flags.json === true);
      });
    });
}

async function sourceOf(flags: BuildFlags): Promise<ExtensionSource> {
  const { from, deb, oci, butane, recipe, mirror, snapshot } = flags;
  const archive = { ...(mirror !== undefined && { mirror }), ...(snapshot !== undefined && { snapshot }) };
  const given = Object.entries({ from, deb, oci, butane, recipe }).filter(([, value]) => value !== undefined);
  if (given.length !== 1) {
    throw new AshlarError(
      "usage",
      `expected one of --from, --deb, --oci, --butane and --recipe, found ${given.length}`,
    );
  }
  if (from !== undefined) return { type: "directory", path: from };
  if (deb !== undefined) return { type: "debs", packages: deb, archive };
  if (oci !== undefined) return { type: "oci", layout: oci };
  if (butane !== undefined) return { type: "ignition", config: await readClassConfig(butane, flags.filesDir) };
  const { loadRecipe } = await import("@ashlar/extensions");
  return { type: "recipe", ...(await loadRecipe(recipe ?? "")), archive };
}

function required(option: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new AshlarError("usage", `expected ${option}, found none`);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

type Facts = {
  /** The versions that may follow it, as a node declares them. */
  readonly updates: string;
  readonly seconds: number;
};

function print({ manifest, files, leftOut }: BuiltExtension, { updates, seconds }: Facts, asJson: boolean): void {
  const { kind, name, version, tier, image } = manifest;
  if (asJson) {
    const [path, manifestPath, sbom, provenance] = files;
    printLine(
      JSON.stringify({
        kind,
        name,
        version,
        tier,
        updates,
        image: path,
        manifest: manifestPath,
        sbom,
        provenance,
        ...image,
        leftOut,
        seconds,
      }),
    );
    return;
  }
  for (const what of leftOut) reportLine(`left out: ${what}`);
  printLine(`${files[0]}, built in ${seconds} s`);
  printLine(
    `  ${kind} ${name} ${version} (${tier}), ${(image.sizeBytes / 1e6).toFixed(1)} MB, root hash ${image.rootHash}`,
  );
  printLine(`  ${manifest.packages.length} packages, ${manifest.files.length} files`);
  const inKind = kind === "sysext" ? "" : `, kind: ${kind}`;
  printLine(`  in /etc/ashlar/extensions.yaml: {name: ${name}, version: "${updates}", tier: ${tier}${inKind}}`);
}
