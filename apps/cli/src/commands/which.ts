import { AshlarError } from "@ashlar/base";
import { Command } from "commander";
import { withProveOptions } from "../prove/with-prove-options.ts";
import type { WhichOptions } from "../which/run-which.ts";

export function whichCommand(): Command {
  const command = new Command("which")
    .description(
      "Say which nodes are proven to have a package, a file, an extension, a Go module or a published weakness",
    )
    .argument("[package]", "a Debian package, by its own name or its source's: openssl, 'openssl < 3.5.4-1~deb13u2'")
    .option("--file <path>", "a file below /usr, /opt or /etc")
    .option("--digest <sha256>", "a file or an image with this content, sha256:...")
    .option("--extension <name>", "an extension: kubernetes, 'kubernetes < v1.33.5'")
    .option("--module <path>", "a Go module in an extension: crypto/tls@go1.24.6, 'golang.org/x/net < v0.38.0'")
    .option("--osv <place>", "OSV records, a file or a directory of them, or the JSON of Debian's security tracker")
    .option("--vex <file>", "with --osv: write what was found as CycloneDX VEX")
    .option("--certificate <file>", "the nodes of a certificate of `ashlar certify`, in place of asking any")
    .option("--key <file>", "with --certificate: the public key of whoever is believed");
  return withProveOptions(command, "--extension-manifests")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Only a node that is proven gives an answer, from the manifests of exactly the release and extensions that its TPM has signed for.
"proven not to have" needs the manifests of all of them; whatever is missing leaves a node unknown, with the reason. Manifests come
from the nodes' repository, from --image and --known-image, --extension-manifests, or from the evidence. Answers are about what the
node has booted and merged: not about containers, and not about what it boots next.

Versions of packages are in Debian's order (Debian Policy, 5.6.12), those of extensions in systemd's, those of Go modules in Go's.
Of Go only extensions are known: Debian's packages do not say which modules they were linked with. A package of Go's own
library, such as crypto/tls, is there where any of that library is.

Exit status: 0 all nodes are proven not to have it; 1 a node is proven to have it; 2 none is, and of some it is not known.

Examples:
  ashlar which 'openssl < 3.5.4-1~deb13u2' --fleet fleet.yaml
  ashlar which --file /usr/bin/runc --lab lab
  ashlar which --extension 'kubernetes < v1.33.5' --from out/evidence
  ashlar which --module crypto/tls@go1.24.6 --fleet fleet.yaml --json
  ashlar which --osv debian-osv --vex vex.cdx.json --certificate cert.json --key certify.pub --releases https://releases.example.org/ \\
    --release-root release-root.json`,
    )
    .action(async (named: string | undefined, given: WhichOptions & GivenExtension) => {
      const { extension, extensionManifests, ...options } = given;
      const asked = [named, options.file, options.digest, extension, options.module, options.osv];
      if (asked.filter((each) => each !== undefined).length !== 1) {
        throw new AshlarError("usage", "expected one of a package, --file, --digest, --extension, --module and --osv", {
          hint: "for example: ashlar which 'openssl < 3.5.4-1~deb13u2' --lab lab",
        });
      }
      if (options.vex !== undefined && options.osv === undefined)
        throw new AshlarError("usage", "expected --vex only with --osv: it is about advisories");
      const { runWhich } = await import("../which/run-which.ts");
      const manifests = extensionManifests === undefined ? {} : { extension: extensionManifests };
      process.exitCode = await runWhich({ package: named, ofExtension: extension }, { ...options, ...manifests });
    });
}

/** What `--extension` of the other commands is called here, and what it is here. */
type GivenExtension = { readonly extension?: string; readonly extensionManifests?: readonly string[] };
