import { printJson, printLine, reportLine } from "@ashlar/host/terminal";
import { Command } from "commander";
import { withInterruption } from "../interruption.ts";

type Flags = {
  readonly ekRoots?: string;
  readonly cloud?: true;
  readonly cloudRoots?: string;
  readonly acceptExpiredEk?: true;
  readonly fetchIntermediates?: true;
  readonly json?: true;
};

export function trustCheckCommand(): Command {
  return new Command("check")
    .description("Say of an EK certificate whose TPM it is for, and whether its chain leads to a trusted maker")
    .argument("<file>", "the certificate of an EK, PEM or DER; certificates after it are its intermediates")
    .option("--cloud", "it is a cloud's, for the attestation or endorsement key of a virtual TPM")
    .option("--cloud-roots <place>", "with --cloud: trusted clouds (default: `ashlar trust list`)")
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

A cloud's: tpm2_nvread 0x01c101d0 -o ak.der (Azure; Google: 0x01c10000, its EK's 0x01c00002).
A node's EK certificate: tpm2_nvread 0x01c00002 -o ek.der (RSA-2048; 0x01c0000a for P-256, 0x01c00016 for P-384).

Examples:
  ashlar trust check ek.der
  ashlar trust check ek.der --ek-roots makers/ --fetch-intermediates
  ashlar trust check ak.der --cloud --fetch-intermediates
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
  const { checkAkChain, checkCloudEkChain, checkEkChain, describeEk, isForEncryption, makerCertificates } =
    await import("@ashlar/identity");
  const { titleOfCertificate } = await import("@ashlar/identity");
  const { fetchIntermediates, readTrust } = await import("@ashlar/verifier");
  const { readNamedFile } = await import("@ashlar/host");
  const [ek, ...between] = makerCertificates(await readNamedFile(file, "an EK certificate"), file);
  if (ek === undefined) throw new TypeError("a file without certificates is refused");
  const fetched = flags.fetchIntermediates === true ? await fetchIntermediates(ek, reportLine, signal) : [];
  const { acceptExpiredEk: acceptExpired, cloud = false } = flags;
  const trust = await readTrust({ ekRoots: flags.ekRoots, cloudRoots: flags.cloudRoots, acceptExpired });
  const roots = cloud ? trust.cloudRoots : trust.ekRoots;
  const about = describeEk(ek.x509);
  if (roots === undefined) {
    const problem = cloud
      ? "no cloud is trusted yet: add the cloud's root with `ashlar trust add --cloud`"
      : "no maker is trusted yet: add the maker's root with `ashlar trust add`";
    return { ...about, chain: [], problem, notes: [] };
  }
  const check = cloud ? (isForEncryption(ek) ? checkCloudEkChain : checkAkChain) : checkEkChain;
  const { problem, notes, authorities } = check(ek.x509, roots, new Date(), [...between, ...fetched]);
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
