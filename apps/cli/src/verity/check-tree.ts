import { printJson, printLine } from "@ashlar/host/terminal";
import { type VerityProblem, type VerityVerification, verifyVerity, type VerifyVerityOptions } from "@ashlar/volumes";

/** Checks data against its hash tree and prints what does not match; the process then exits with status 1. */
export async function checkTree(options: VerifyVerityOptions, asJson: boolean): Promise<void> {
  const verification = await verifyVerity({ ...options, rootHash: options.rootHash.toLowerCase() });
  if (asJson) printVerificationAsJson(verification);
  else printVerification(verification);
  if (verification.problems.length > 0) process.exitCode = 1;
}

function printVerificationAsJson({ superblock, problems, badDataBlocks }: VerityVerification): void {
  const { dataBlocks } = superblock;
  printJson({ verified: problems.length === 0, dataBlocks, badDataBlocks, problems });
}

function printVerification({ superblock, problems, badDataBlocks }: VerityVerification): void {
  for (const problem of problems) printLine(describe(problem));
  if (problems.length === 0) {
    printLine(`verified: ${superblock.dataBlocks} data blocks and their hash tree match the root hash`);
  } else {
    printLine(`not verified: ${badDataBlocks} of ${superblock.dataBlocks} data blocks do not match the hash tree`);
  }
}

function describe(problem: VerityProblem): string {
  if (problem.kind === "root") return `root hash: expected ${problem.expected}, found ${problem.found}`;
  const place = `block ${problem.block} (offset ${problem.offsetBytes})`;
  return problem.kind === "hash-block"
    ? `hash file: ${place} does not match the block above it`
    : `data: ${place} does not match the hash tree`;
}
