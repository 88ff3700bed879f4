import { AshlarError } from "@ashlar/base";
import type { Cosignature } from "@ashlar/fleet";
import { printData, printJson, printLine, printLines, reportLine } from "@ashlar/host/terminal";
import { Command } from "commander";
import { withSignerOptions } from "../certificate/signer-options.ts";
import type { WitnessLogOptions } from "../history/cosign.ts";

const FAILED = 1;
export const KEY = "whose log it is: a public key in PEM, or a verifier key as NAME+ID+BASE64";

export function withWitnesses(command: Command): Command {
  return command
    .option("--witness <keys...>", "who must have seen it, too: verifier keys, as `ashlar history witness` prints them")
    .option("--quorum <count>", "with --witness: how many of them (default: all)", parseQuorum);
}

export function cosignatureText({ witness, atSeconds }: Cosignature): string {
  return `seen by ${witness}, ${new Date(atSeconds * 1000).toISOString()}`;
}

type WitnessCommandOptions = WitnessLogOptions & { readonly out?: string; readonly json?: true };

export function witnessCommand(): Command {
  return withSignerOptions(new Command("witness"))
    .description("Check somebody else's log, and sign that you have seen it: so that nobody is shown another past")
    .requiredOption("--log <place>", "the log: a directory or a URL")
    .requiredOption("--log-key <key>", KEY)
    .requiredOption("--name <name>", "your own, such as witness.example.org/ops")
    .requiredOption("--remember <file>", "what you have seen of the log: you sign only what goes on from it")
    .option("--certificate-key <file>", "the public key that signs certificates (default: the log's own)")
    .option("--out <file>", "where to write the checkpoint with your line (default: standard output)")
    .option("--json", "with --out: print JSON")
    .addHelpText(
      "after",
      `
--key is yours, for Ed25519, and for nothing else. Send what is written to the keeper of the log, who adds it with \`ashlar history
cosign\`, and the verifier key that is printed to those who shall rely on you. The form is C2SP's tlog-cosignature.

Exit status: 0 it holds and is signed; 1 it does not, and nothing is signed.

Examples:
  ashlar history witness --log https://history.example.org/ --log-key certify.pub --key witness.pem --name witness.example.org/ops \\
    --remember seen --out seen-by-ops`,
    )
    .action(async (options: WitnessCommandOptions) => {
      const { out, json } = options;
      if (json === true && out === undefined) {
        throw new AshlarError("usage", "expected --out beside --json: the checkpoint would stand between");
      }
      const { witnessLog } = await import("../history/cosign.ts");
      const { checkpoint, problems, note, key } = await witnessLog(options);
      const { origin, size } = checkpoint;
      if (note !== undefined && out !== undefined) {
        const { writeFileAtomically } = await import("@ashlar/host");
        await writeFileAtomically(out, note);
      }
      if (json === true) printJson({ schema: "ashlar.history-witnessed/v1", origin, size, key, problems });
      else for (const { code, message } of problems) reportLine(`${code}: ${message}`);
      if (note === undefined) {
        if (json !== true) reportLine(`${origin}: does not hold: nothing was signed`);
        process.exitCode = FAILED;
      } else if (json !== true) {
        if (out === undefined) printData(note);
        reportLine(`${origin}: ${size} entries hold and go on from those before; signed, for: ${key}`);
      }
    });
}

type CosignOptions = {
  readonly log: string;
  readonly key: string;
  readonly witness: readonly string[];
  readonly json?: true;
};

export function cosignCommand(): Command {
  return new Command("cosign")
    .description("Put into a log what witnesses have signed of its checkpoint")
    .argument("<files...>", "what `ashlar history witness` has written")
    .requiredOption("--log <dir>", "the log's directory")
    .requiredOption("--key <key>", KEY)
    .requiredOption("--witness <keys...>", "the witnesses' verifier keys: of others nothing is taken")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
An entry that is added makes another checkpoint: witnesses have to look again.

Exit status: 0; 65 for cosignatures that do not hold, 69 for those of another checkpoint.

Examples:
  ashlar history cosign seen-by-ops --log history --key certify.pub --witness witness.example.org/ops+1a2b3c4d+BASE64`,
    )
    .action(async (paths: readonly string[], options: CosignOptions) => {
      const { addToLog } = await import("../history/cosign.ts");
      const cosignatures = await addToLog(paths, options);
      if (options.json === true) printJson({ schema: "ashlar.history-cosigned/v1", cosignatures });
      else if (cosignatures.length > 0) printLines(cosignatures.map(cosignatureText));
      else printLine("none of these witnesses has signed it");
    });
}

function parseQuorum(text: string): number {
  if (/^[1-9]\d?$/u.test(text)) return Number(text);
  throw new AshlarError("usage", `expected --quorum with a number of witnesses, found ${text}`);
}
