import { AshlarError } from "@ashlar/base";
import type { Certificate, CheckInput, Checked, FleetCertificate, Refusal } from "@ashlar/fleet";
import { printData, printJson, printLine, printLines, reportLine } from "@ashlar/host/terminal";
import type { FleetVerdict } from "@ashlar/identity";
import { Command } from "commander";
import { comparisonLines, nodeLines, predicateLines } from "../certificate/certificate-table.ts";
import type { EvidenceOptions } from "../certificate/check-evidence.ts";
import { parseMoment } from "../certificate/validity.ts";
import { VERDICT_STATUS } from "../prove/verdict-status.ts";

const REFUSED = 1;

export function certificateCommand(): Command {
  return new Command("certificate")
    .description("Check, show and compare certificates of fleets, offline")
    .addHelpText(
      "after",
      `\nExamples:\n  ashlar certificate verify cert.json --key certify.pub\n  ashlar certificate show cert.json`,
    )
    .addCommand(verifyCommand())
    .addCommand(showCommand())
    .addCommand(compareCommand())
    .addCommand(nodeCommand());
}

type VerifyOptions = EvidenceOptions & {
  readonly key: string;
  readonly fleet?: string;
  readonly evidence?: string;
  readonly challenge?: string;
  readonly at?: number;
  readonly json?: true;
};

function verifyCommand(): Command {
  return new Command("verify")
    .description("Check a certificate, or a proof for one node: signature, dates, every node, and what else is given")
    .argument("<file>", "what `ashlar certify` or `ashlar certificate node` has written")
    .requiredOption("--key <file>", "the public key of whoever is believed, in PEM")
    .option("--fleet <file>", "the fleet file: it must be the very one, and each of its nodes in the certificate")
    .option("--challenge <text>", "what the auditor has asked for")
    .option(
      "--evidence <place>",
      "the evidence, a directory or an archive: its digests and nonces are compared, and it is judged again",
    )
    .option("--ek-roots <place>", "with --evidence: makers that you trust yourself (default: the evidence's)")
    .option("--cloud-roots <place>", "the same of clouds")
    .option("--certify-ek <file>", "with --evidence: the list of EKs that was used")
    .option("--certify-key <pin>", "with --certify-ek: whose list it is")
    .option("--firmware-policy <file>", "with --evidence: the firmware policy that was used")
    .option("--at <time>", "whether it was valid then (default: now)", parseMoment)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Nothing is asked of any node or network. What does not hold is named, each with a code. What a certificate proves and what not is in
SECURITY.md.

Exit status: 0 it holds and says that all is proven; 1 it does not hold, or says that there is a mismatch; 2 it holds, and not all of
it is proven.

Examples:
  ashlar certificate verify cert.json --key certify.pub
  ashlar certificate verify cert.json --key certify.pub --fleet fleet.yaml --challenge "audit 2026-03" --evidence out/evidence
  ashlar certificate verify node-1.json --key certify.pub --json`,
    )
    .action(verify);
}

async function verify(path: string, options: VerifyOptions): Promise<void> {
  const { readCertificate, readPublicKey } = await import("../certificate/read-certificate.ts");
  const { checkCertificate } = await import("@ashlar/fleet");
  const { keyIdOf } = await import("@ashlar/statements");
  const publicKey = await readPublicKey(options.key);
  const certificate = await readCertificate(path);
  const { at = Date.now(), challenge } = options;
  const checked = checkCertificate(certificate, {
    publicKey,
    nowMs: at,
    challenge,
    fleet: await expectedFleet(options.fleet),
  });
  const refusals = [...checked.refusals, ...(await evidenceRefusals(certificate, checked, options))];
  const verdict = statedVerdict(certificate, checked);
  if (options.json === true) {
    const { predicate = null } = checked;
    printJson({ schema: "ashlar.certificate-check/v1", holds: refusals.length === 0, refusals, verdict, predicate });
  } else {
    if (checked.predicate !== undefined) printLines(predicateLines(checked.predicate));
    if (certificate.kind === "node") printLines(nodeLines(certificate));
    printLines(refusals.map(({ code, message }) => `refused: ${code}: ${message}`));
    printLine(refusals.length === 0 ? `holds, signed by ${keyIdOf(publicKey)}` : "does not hold");
  }
  process.exitCode = refusals.length > 0 ? REFUSED : VERDICT_STATUS[verdict];
}

/** What it says of the fleet, or of its one node. */
function statedVerdict(certificate: Certificate, { predicate }: Checked): FleetVerdict["verdict"] {
  if (certificate.kind === "fleet") return predicate?.verdict ?? "unknown";
  const { level, nextBoot } = certificate.node;
  if (level === "mismatch" || nextBoot === "mismatch") return "mismatch";
  return level === "proven" && nextBoot === "proven" ? "proven" : "unknown";
}

async function expectedFleet(path: string | undefined): Promise<CheckInput["fleet"]> {
  if (path === undefined) return undefined;
  const { readFleet } = await import("../fleet/read-fleet.ts");
  const { fleet, sha256 } = await readFleet(path);
  return { sha256, names: fleet.nodes.map(({ name }) => name), isWhole: fleet.clusters.length === 0 };
}

async function evidenceRefusals(
  certificate: Certificate,
  { predicate, refusals }: Checked,
  { evidence, ...options }: VerifyOptions,
): Promise<readonly Refusal[]> {
  // Of nodes that somebody has changed there is nothing to compare.
  if (evidence === undefined || predicate === undefined || refusals.length > 0) return [];
  const { checkEvidence } = await import("../certificate/check-evidence.ts");
  const { ekRoots, cloudRoots, certifyEk, certifyKey, firmwarePolicy } = options;
  return await checkEvidence(certificate, predicate, evidence, {
    ...(ekRoots && { ekRoots }),
    ...(cloudRoots && { cloudRoots }),
    ...(certifyEk && { certifyEk }),
    ...(certifyKey && { certifyKey }),
    ...(firmwarePolicy && { firmwarePolicy }),
  });
}

type ShowOptions = { readonly key?: string; readonly json?: true };

function showCommand(): Command {
  return new Command("show")
    .description("Print what a certificate says, node by node")
    .argument("<file>", "what `ashlar certify` or `ashlar certificate node` has written")
    .option("--key <file>", "the public key of whoever is believed: without it nobody knows who has signed")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `\nExamples:\n  ashlar certificate show cert.json --key certify.pub\n  ashlar certificate show cert.json --json`,
    )
    .action(async (path: string, { key, json }: ShowOptions) => {
      const { certificate, predicate } = await open(path, key);
      if (json !== true) {
        printLines([...predicateLines(predicate), ...nodeLines(certificate)]);
        return;
      }
      const records = certificate.kind === "fleet" ? certificate.nodes : [certificate.node];
      const nodes = records.map((node) => Object.assign({}, node, { running: certificate.running.get(node.runs) }));
      printJson({ schema: "ashlar.certificate-shown/v1", predicate, nodes });
    });
}

function compareCommand(): Command {
  return new Command("compare")
    .description("Say who has joined, left and changed between two certificates, and what")
    .argument("<before>", "a certificate of a fleet")
    .argument("<after>", "a later one")
    .option("--key <file>", "the public key of whoever is believed: without it nobody knows who has signed")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Exit status: 0 the nodes are the same; 1 they are not.

Examples:
  ashlar certificate compare monday.json tuesday.json --key certify.pub`,
    )
    .action(async (before: string, after: string, { key, json }: ShowOptions) => {
      const { compareCertificates } = await import("@ashlar/fleet");
      const [one, other] = [await openFleet(before, key), await openFleet(after, key)];
      const comparison = compareCertificates(one, other);
      if (json === true) printJson({ schema: "ashlar.certificate-comparison/v1", ...comparison });
      else printLines(comparisonLines(comparison));
      const { joined, left, changed } = comparison;
      process.exitCode = joined.length + left.length + changed.length === 0 ? 0 : 1;
    });
}

function nodeCommand(): Command {
  return new Command("node")
    .description("Take a proof for one node out of a certificate: it shows no other node")
    .argument("<file>", "a certificate of a fleet")
    .argument("<name>", "the node")
    .option("--out <file>", "where to write it (default: standard output)")
    .addHelpText(
      "after",
      `
The proof has the signed statement, which counts all nodes and their identities, the one node, and hashes of the others.
\`ashlar certificate verify\` checks it.

Examples:
  ashlar certificate node cert.json node-1 --out node-1.json`,
    )
    .action(async (path: string, name: string, { out }: { readonly out?: string }) => {
      const { makeNodeCertificate } = await import("@ashlar/fleet");
      const { writeFileAtomically } = await import("@ashlar/host");
      const text = makeNodeCertificate(await openFleet(path, undefined, "quietly"), name);
      if (out === undefined) printData(text);
      else await writeFileAtomically(out, text);
    });
}

async function openFleet(path: string, key: string | undefined, how?: "quietly"): Promise<FleetCertificate> {
  const { certificate } = await open(path, key, how);
  if (certificate.kind === "fleet") return certificate;
  throw new AshlarError("invalid", `${path}: expected a certificate of a fleet, found a proof for one node`);
}

/** One that has expired can still be looked at. @throws AshlarError `untrusted` when it does not hold */
async function open(
  path: string,
  key: string | undefined,
  how?: "quietly",
): Promise<{ readonly certificate: Certificate; readonly predicate: NonNullable<Checked["predicate"]> }> {
  const { readCertificate, readPublicKey } = await import("../certificate/read-certificate.ts");
  const { checkCertificate } = await import("@ashlar/fleet");
  const publicKey = key === undefined ? undefined : await readPublicKey(key);
  const certificate = await readCertificate(path);
  const { predicate, refusals } = checkCertificate(certificate, { publicKey, nowMs: Date.now() });
  const first = refusals.find(({ code }) => code !== "expired");
  if (first !== undefined || predicate === undefined) {
    throw new AshlarError("untrusted", `${path}: ${first?.code ?? "statement"}: ${first?.message ?? "none"}`);
  }
  if (publicKey === undefined && how === undefined)
    reportLine(`${path}: the signature was not checked: no --key was given`);
  return { certificate, predicate };
}
