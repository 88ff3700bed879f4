import { AshlarError } from "@ashlar/base";
import { printJson, printLine, printLines } from "@ashlar/host/terminal";
import { Command } from "commander";
import { parseValidity } from "../certificate/validity.ts";
import { fleetTable } from "../prove/fleet-table.ts";
import { refuseContradictions, type ProveOptions } from "../prove/prove-options.ts";
import { withSignerOptions, type SignerOptions } from "../certificate/signer-options.ts";
import { VERDICT_STATUS } from "../prove/verdict-status.ts";
import { withProveOptions } from "../prove/with-prove-options.ts";

type CertifyOptions = ProveOptions &
  SignerOptions & {
    readonly out: string;
    readonly validFor: number;
    readonly log?: string;
    readonly origin?: string;
  };

const DAY_MS = 86_400_000;

export function certifyCommand(): Command {
  const command = new Command("certify").description(
    "Prove nodes, and sign what was found: a certificate that others can check",
  );
  return withSignerOptions(withProveOptions(command))
    .requiredOption("--out <file>", "where to write the certificate")
    .option("--challenge <text>", "of an auditor: all nonces follow from it, so that no evidence is older than it")
    .option(
      "--valid-for <time>",
      "how long it shall be valid, such as 24h, 7d or 90m (default: 24h)",
      parseValidity,
      DAY_MS,
    )
    .option(
      "--log <dir>",
      "a fleet's history: the certificate is added to it (see `ashlar history`); made when it is missing",
    )
    .option("--origin <name>", "with --log: the name of a new log, such as example.org/production")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
The certificate is a DSSE envelope of an in-toto statement over a Merkle tree of all nodes: docs/fleet-certificate.md. It
says what was found, whatever that is; nodes that did not answer are in it as well.

Exit status: as of \`ashlar prove\`: 0 all proven, 1 a mismatch, 2 not all of it is proven. The certificate is written in each case.

Examples:
  openssl genpkey -algorithm ed25519 -out certify.pem && chmod 600 certify.pem
  openssl pkey -in certify.pem -pubout -out certify.pub
  ashlar certify --fleet fleet.yaml --key certify.pem --out cert.json
  ashlar certify --fleet fleet.yaml --key certify.pem --out cert.json --challenge "audit 2026-03" --evidence out/evidence
  ashlar certify --from out/evidence --key certify.pem --out cert.json --valid-for 7d
  ashlar certify --fleet fleet.yaml --out cert.json --public-key token.pub --sign-with "pkcs11-tool --sign --id 01 --mechanism EDDSA"`,
    )
    .action(async (options: CertifyOptions) => {
      refuseContradictions(options);
      await refuseChallenge(options);
      const { openSigner } = await import("../certificate/open-signer.ts");
      const { parseCertificate } = await import("@ashlar/fleet");
      const { keyIdOf } = await import("@ashlar/statements");
      const signer = await openSigner(options);
      const { certify } = await import("../certificate/certify.ts");
      const { proof, text } = await certify(options, signer, options.validFor);
      const { writeFileAtomically } = await import("@ashlar/host");
      await writeFileAtomically(options.out, text);
      const { log, origin } = options;
      if (log !== undefined) {
        const { recordCertificate } = await import("../history/record-certificate.ts");
        const certificateKey = signer.publicKey;
        await recordCertificate({ log, ...(origin && { origin }), path: options.out, text, signer, certificateKey });
      }
      const { fleet, agesMs } = proof;
      const { root } = parseCertificate(text);
      const key = keyIdOf(signer.publicKey);
      if (options.json === true) {
        const { verdict, nodes } = fleet;
        printJson({ schema: "ashlar.certified/v1", certificate: options.out, verdict, nodes: nodes.length, root, key });
      } else {
        const { summaryOf } = await import("@ashlar/identity");
        printLines(fleetTable(fleet.nodes, agesMs));
        printLine(summaryOf(fleet));
        printLine(`certificate ${options.out}, root ${root}, signed by ${key}`);
      }
      process.exitCode = VERDICT_STATUS[fleet.verdict];
    });
}

async function refuseChallenge({ challenge }: CertifyOptions): Promise<void> {
  const { MAX_CHALLENGE_CHARACTERS } = await import("@ashlar/fleet");
  if (challenge === undefined || (challenge !== "" && challenge.length <= MAX_CHALLENGE_CHARACTERS)) return;
  throw new AshlarError(
    "usage",
    `expected a challenge of 1 to ${MAX_CHALLENGE_CHARACTERS} characters, found ${challenge.length}`,
  );
}
