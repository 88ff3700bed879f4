import { readNamedFile } from "@ashlar/host";
import { printJson, printLine, reportLine } from "@ashlar/host/terminal";
import { Command } from "commander";
import { withInterruption } from "../interruption.ts";

type Flags = {
  readonly ekRoots?: string;
  readonly acceptExpiredEk?: true;
  readonly fetchIntermediates?: true;
  readonly json?: true;
};

export function trustCheckCommand(): Command {
  return new Command("check")
    .description("Say of an EK certificate whose TPM it is for, and whether its chain leads to a trusted maker")
    .argument("<file>", "an EK certificate, PEM or DER; certificates after it are its intermediates")
    .option(
      "--ek-roots <place>",
      "trusted TPM makers: a file or directory of certificates (default: `ashlar trust list`)",
    )
    .option("--accept-expired-ek", "accept makers' certificates that have expired; each is named")
    .option("--fetch-intermediates", "ask the URLs in the certificates for those of their issuers")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Exit status: 0 the chain holds, 1 it does not.

A node's EK certificate: tpm2_nvread 0x01c00002 -o ek.der (RSA-2048; 0x01c0000a for P-256, 0x01c00016 for P-384).

Examples:
  ashlar trust check ek.der
  ashlar trust check ek.der --ek-roots makers/ --fetch-intermediates
  ashlar trust check ek.der --json`,
    )
    .action(async (file: string, flags: Flags) => {
      const result = await withInterruption(async (signal) => checkFile(file, flags, signal));
      if (flags.json === true) printJson(result);
      else for (const line of linesOf(result)) printLine(line);
      process.exitCode = result.problem === null ? 0 : 1;
    });
}

type Result = Awaited<ReturnType<typeof checkFile>>;

async function checkFile(file: string, flags: Flags, signal: AbortSignal) {
  const { checkEkChain, describeEk, ekRootsOf, makerCertificates, titleOfCertificate } =
    await import("@ashlar/identity");
  const { fetchIntermediates, readMakerCertificates, trustStoreInUse } = await import("@ashlar/verifier");
  const [ek, ...between] = makerCertificates(await readNamedFile(file, "an EK certificate"), file);
  if (ek === undefined) throw new TypeError("a file without certificates is refused");
  const fetched = flags.fetchIntermediates === true ? await fetchIntermediates(ek, reportLine, signal) : [];
  const place = flags.ekRoots ?? (await trustStoreInUse());
  const about = describeEk(ek.x509);
  if (place === undefined) {
    const problem = "no maker is trusted yet: add the maker's root with `ashlar trust add`";
    return { ...about, chain: [], problem, notes: [] };
  }
  const roots = ekRootsOf(await readMakerCertificates(place), { acceptExpired: flags.acceptExpiredEk === true });
  const intermediates = [...between, ...fetched].map(({ x509 }) => x509);
  const { problem, notes, authorities } = checkEkChain(ek.x509, roots, new Date(), intermediates);
  return { ...about, chain: authorities.map(titleOfCertificate), problem: problem ?? null, notes };
}

function linesOf(result: Result): readonly string[] {
  const { maker, model, firmwareVersion, key, issuer, validFrom, validTo, issuerUrls, chain, problem, notes } = result;
  const missing = problem !== null && issuerUrls.length > 0 ? [`issuer at:  ${issuerUrls.join(", ")}`] : [];
  return [
    `maker:      ${maker ?? "not named"}`,
    `model:      ${model ?? "not named"}`,
    `firmware:   ${firmwareVersion ?? "not named"}`,
    `key:        ${key}`,
    `valid:      ${validFrom} to ${validTo}`,
    `issuer:     ${issuer}`,
    ...chain.map((title) => `chain:      ${title}`),
    ...notes.map((note) => `note:       ${note}`),
    ...missing,
    problem === null ? "trusted:    yes" : `trusted:    no: ${problem}`,
  ];
}
