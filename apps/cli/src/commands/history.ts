import { printData, printJson, printLine, printLines, reportLine } from "@ashlar/host/terminal";
import { Command } from "commander";
import { withSignerOptions, type SignerOptions } from "../certificate/signer-options.ts";
import { parseMoment } from "../certificate/validity.ts";
import type { WitnessOptions } from "../history/witnesses.ts";
import { cosignatureText, cosignCommand, KEY, withWitnesses, witnessCommand } from "./history-witness.ts";

const FAILED = 1;

export function historyCommand(): Command {
  return new Command("history")
    .description("Keep certificates of a fleet in an append-only log, and say what ran where and when")
    .addHelpText(
      "after",
      `
A log is a directory that any web server can serve: signed checkpoint, tiles, entries (C2SP, tlog-tiles), and the certificates.

Examples:
  ashlar history add cert.json --log history --key certify.pem --origin example.org/production
  ashlar history show --log history --key certify.pub --at 2026-03-04T12:00:00Z --node node-7
  ashlar history verify --log https://history.example.org/ --key certify.pub --remember seen`,
    )
    .addCommand(addCommand())
    .addCommand(showCommand(), { isDefault: true })
    .addCommand(verifyCommand())
    .addCommand(proofCommand())
    .addCommand(checkCommand())
    .addCommand(witnessCommand())
    .addCommand(cosignCommand());
}

type AddOptions = SignerOptions & {
  readonly log: string;
  readonly origin?: string;
  readonly certificateKey?: string;
  readonly json?: true;
};

function addCommand(): Command {
  return withSignerOptions(new Command("add"))
    .description("Add a certificate of a fleet; `ashlar certify --log` does it as well")
    .argument("<file>", "what `ashlar certify` has written")
    .requiredOption("--log <dir>", "the log's directory; made when it is missing")
    .option("--origin <name>", "of a new log: a name that no other log has, such as example.org/production")
    .option("--certificate-key <file>", "the public key that signs certificates (default: the log's own)")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
A certificate that does not hold is not added; one that is there already is not added again. An interruption leaves the log as it was.

Examples:
  ashlar history add cert.json --log history --key certify.pem --origin example.org/production`,
    )
    .action(async (path: string, options: AddOptions) => {
      const { openSigner } = await import("../certificate/open-signer.ts");
      const { recordCertificate } = await import("../history/record-certificate.ts");
      const { readPublicKey } = await import("../certificate/read-certificate.ts");
      const { readText } = await import("@ashlar/host");
      const signer = await openSigner(options);
      const { certificateKey } = options;
      const publicKey = certificateKey === undefined ? signer.publicKey : await readPublicKey(certificateKey);
      const text = await readText(path, "a certificate");
      const { index, entry, isNew } = await recordCertificate({
        ...options,
        path,
        text,
        signer,
        certificateKey: publicKey,
      });
      if (options.json === true) printJson({ schema: "ashlar.history-added/v1", index, isNew, entry });
      else printLine(`entry ${index}${isNew ? "" : " (it was there already)"}: certificate ${entry.certificate}`);
    });
}

type ShowOptions = {
  readonly log: string;
  readonly key: string;
  readonly at?: number;
  readonly node?: string;
  readonly json?: true;
};

function showCommand(): Command {
  return withLog(new Command("show"))
    .description("Say what ran where at a time, or list what has changed from certificate to certificate")
    .option("--at <time>", "what the last certificate until then says", parseMoment)
    .option("--node <name>", "of this node only")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Without --at: each certificate with what has changed since the one before it; with --node only the moments at which the node changed.

Exit status: 0; 1 when nothing is known of that time or node.

Examples:
  ashlar history show --log history --key certify.pub
  ashlar history show --log history --key certify.pub --at 2026-03-04T12:00:00Z
  ashlar history show --log https://history.example.org/ --key certify.pub --node node-7 --json`,
    )
    .action(async (options: ShowOptions) => {
      const { replay } = await import("../history/replay.ts");
      const { lines, json, isKnown } = await replay(options);
      if (options.json === true) printJson(json);
      else printLines(lines);
      if (!isKnown) process.exitCode = FAILED;
    });
}

type VerifyOptions = {
  readonly log: string;
  readonly key: string;
  readonly certificateKey?: string;
  readonly remember?: string;
  readonly json?: true;
} & WitnessOptions;

function verifyCommand(): Command {
  return withWitnesses(withLog(new Command("verify")))
    .description("Check every file of a log: entries, tiles, signature, certificates, and that nothing was taken back")
    .option("--certificate-key <file>", "the public key that signs certificates (default: the log's own)")
    .option("--remember <file>", "the checkpoint that was seen last: compared, and replaced when all holds")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Whoever has the log's key can sign another past. With --remember that is found, as long as the file is not the signer's; with --witness
also when it is shown to you alone.

Exit status: 0 all holds; 1 something does not.

Examples:
  ashlar history verify --log history --key certify.pub
  ashlar history verify --log https://history.example.org/ --key certify.pub --remember seen-checkpoint`,
    )
    .action(async (options: VerifyOptions) => {
      const { verifyHistory } = await import("../history/verify-history.ts");
      const { quorumOf } = await import("../history/witnesses.ts");
      const quorum = quorumOf(options);
      const { checkpoint, problems, key, isRemembered, cosignatures } = await verifyHistory({ ...options, quorum });
      const { origin, size } = checkpoint;
      const root = checkpoint.root.toString("hex");
      if (options.json === true) {
        printJson({
          schema: "ashlar.history-check/v1",
          holds: problems.length === 0,
          origin,
          size,
          root,
          key,
          cosignatures,
          problems,
        });
      } else {
        printLines(problems.map(({ code, message }) => `${code}: ${message}`));
        const holds = problems.length === 0 ? "holds" : "does not hold";
        printLines(cosignatures.map(cosignatureText));
        printLine(`${origin}: ${size} ${size === 1 ? "certificate" : "certificates"}, root ${root}: ${holds}`);
        if (isRemembered) reportLine(`remembered in ${options.remember}`);
      }
      if (problems.length > 0) process.exitCode = FAILED;
    });
}

function proofCommand(): Command {
  return withLog(new Command("proof"))
    .description("Write a proof that a certificate is in the log, which can be checked offline (C2SP, tlog-proof)")
    .argument("<entry>", "its number, from 0, or the certificate's file")
    .option("--out <file>", "where to write it (default: standard output)")
    .addHelpText(
      "after",
      `
The proof shows no other entry. \`ashlar history check\` checks it, and so does what else reads such proofs.

Examples:
  ashlar history proof cert.json --log history --key certify.pub --out cert.tlog-proof`,
    )
    .action(async (wanted: string, options: { readonly log: string; readonly key: string; readonly out?: string }) => {
      const { makeProof } = await import("../history/proof.ts");
      const { writeFileAtomically } = await import("@ashlar/host");
      const text = await makeProof(wanted, options);
      if (options.out === undefined) printData(text);
      else await writeFileAtomically(options.out, text);
    });
}

type CheckOptions = WitnessOptions & { readonly key: string; readonly certificate?: string; readonly json?: true };

function checkCommand(): Command {
  return withWitnesses(new Command("check"))
    .description("Check a proof that a certificate is in a log, without asking anybody")
    .argument("<file>", "what `ashlar history proof` has written")
    .requiredOption("--key <key>", KEY)
    .option("--certificate <file>", "the certificate that it has to be about")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Exit status: 0 it holds; 65 it does not.

Examples:
  ashlar history check cert.tlog-proof --key certify.pub --certificate cert.json`,
    )
    .action(async (path: string, options: CheckOptions) => {
      const { checkProof } = await import("../history/proof.ts");
      const { quorumOf } = await import("../history/witnesses.ts");
      const { index, entry, checkpoint, cosignatures } = await checkProof(path, {
        ...options,
        quorum: quorumOf(options),
      });
      const { origin, size } = checkpoint;
      if (options.json === true) {
        printJson({ schema: "ashlar.history-proof/v1", origin, size, index, entry, cosignatures });
      } else {
        printLines(cosignatures.map(cosignatureText));
        printLine(`holds: certificate ${entry.certificate} is entry ${index} of ${size} in ${origin}`);
      }
    });
}

function withLog(command: Command): Command {
  return command.requiredOption("--log <place>", "the log: a directory or a URL").requiredOption("--key <key>", KEY);
}
