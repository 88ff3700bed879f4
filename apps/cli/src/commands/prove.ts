import { existsSync } from "node:fs";
import { AshlarError } from "@ashlar/base";
import { printJson, printLine, printLines, reportLine } from "@ashlar/host/terminal";
import type { KnownRelease } from "@ashlar/protocol/answers";
import type { KnownFirmware, VouchedEks } from "@ashlar/identity";
import type { FleetProof, StoredAnswer } from "@ashlar/verifier";
import { Command } from "commander";
import { filesDirOption, readClassConfig } from "../class-config.ts";
import { withInterruption } from "../interruption.ts";
import type { DeclaredNodes, Known } from "@ashlar/verifier/declared";
import { nodesOfLab } from "../prove/nodes-of-lab.ts";
import { parseAcceptedFirmware } from "../prove/accept-firmware.ts";
import { firmwareTable } from "../prove/firmware-table.ts";
import { fleetTable } from "../prove/fleet-table.ts";

type ProveOptions = {
  readonly lab?: string;
  readonly nodes?: string;
  readonly from?: string;
  readonly image?: string;
  readonly knownImage?: readonly string[];
  readonly releases?: string;
  readonly releaseRoot?: string;
  readonly extension?: readonly string[];
  readonly config?: string;
  readonly filesDir?: string;
  readonly nodeConfigs?: string;
  readonly ekRoots?: string;
  readonly cloudRoots?: string;
  readonly acceptExpiredEk?: true;
  readonly fetchIntermediates?: true;
  readonly pins?: string;
  readonly enrolAgain?: readonly string[];
  readonly acceptFirmware?: readonly string[];
  readonly showFirmware?: string;
  readonly certifyEk?: string;
  readonly certifyKey?: string;
  readonly firmwarePolicy?: string;
  readonly learnFirmware?: string;
  readonly maxAge: number;
  readonly evidence?: string;
  readonly json?: true;
};

const NO_CONFIG = new Uint8Array();

type Proof = Pick<FleetProof, "fleet" | "agesMs">;

const EXIT_STATUS = { proven: 0, mismatch: 1, unknown: 2 } as const;
const SECONDS_PER_DAY = 86_400;

export function proveCommand(): Command {
  return new Command("prove")
    .description("Prove from TPM quotes that nodes run exactly what was declared")
    .option("--lab <name>", "the nodes of a lab")
    .option("--nodes <urls>", "https URLs of nodes' agents, separated by commas")
    .option("--from <dir>", "evidence kept by --evidence, judged again without asking any node")
    .option(
      "--image <dir>",
      "the release that all nodes should run (default: what `ashlar update` has recorded, the lab's, or the evidence's)",
    )
    .option("--known-image <dir...>", "other releases that nodes may boot next, or run instead")
    .option(
      "--releases <place>",
      "a repository, directory or http(s) URL, whose releases and extensions are known (default: the lab's)",
    )
    .option("--release-root <file>", "release-root.json: whose releases are trusted (default: the lab's)")
    .option("--extension <place...>", "manifests of published extensions, or directories of them")
    .option("--config <file>", "the class config: Butane, or Ignition when it ends in .ign (default: the lab's)")
    .addOption(filesDirOption())
    .option("--node-configs <dir>", "with --nodes: each node's own Ignition config as NAME.ign")
    .option(
      "--ek-roots <place>",
      "trusted TPM makers: a file or directory of certificates (default: the lab's, the evidence's, or `ashlar trust list`)",
    )
    .option(
      "--cloud-roots <place>",
      "the same of clouds, for virtual TPMs (default: the evidence's, or `ashlar trust list`)",
    )
    .option("--fetch-intermediates", "at enrolment, ask the URLs in TPMs' certificates for those of their issuers")
    .option("--accept-expired-ek", "accept makers' certificates that have expired; each is named in the verdict")
    .option("--pins <file>", "the TPMs that were enrolled (default: the lab's, the user's, or the evidence's)")
    .option("--enrol-again <node...>", "nodes whose TPM or firmware you have changed: pin what they have now")
    .option(
      "--accept-firmware <node-digests...>",
      "a node, then digests that its own firmware measures where others may not: accept exactly these",
    )
    .option("--certify-ek <file>", "EKs of TPMs without a certificate that you vouch for: a list of ashlar trust vouch")
    .option("--certify-key <pin>", "with --certify-ek: whose list it is, sha256:... as ashlar operator-key prints it")
    .option(
      "--firmware-policy <file>",
      "firmware that is known to be good, by model and version, beside what is pinned",
    )
    .option("--learn-firmware <node>", "add the firmware of this node, once it is proven, to the --firmware-policy")
    .option("--show-firmware <node>", "explain the node's firmware log, event by event, in place of the table")
    .option("--max-age <seconds>", "older evidence leaves a node unknown", parseSeconds, SECONDS_PER_DAY)
    .option("--evidence <dir>", "keep each node's raw evidence, in files that other programs can check")
    .option("--json", "print JSON (schema: docs/reference/schemas/fleet-verdict-v1.json)")
    .addHelpText(
      "after",
      `
Levels: proven (a trusted TPM signed it), reported (its TPM has no
certificate, or no --ek-roots or --cloud-roots was given, so that the TPM is not trusted), mismatch,
unknown (no answer, or an old one). A node's TPM and firmware are enrolled at the first contact and pinned.

Exit status: 0 all proven, 1 a mismatch, 2 anything that is not known. Failures of the command itself have others, from 64 on: a
wrong option never looks like a node that was tampered with.

Firmware: what the machine's own firmware measures is pinned. Some machines load drivers of their own after it has handed over,
which looks like one on the disk: such a node is refused until --accept-firmware names exactly these digests. Before firmware is
updated on many machines, update one that you trust, enrol it again and --learn-firmware: the others may have it, too.

The next boot is judged as well: a node that would not boot a known, undamaged release next is a mismatch, whatever it
runs now.
While a node is being updated, both its old and its new release are accepted for it, and for no other node.

Extensions: each that is merged must be declared in the configs, published and not withdrawn, and each that is declared
must be merged. What \`ashlar debug\` has allowed on a node is listed, and accepted until its time is over.

Exit status: 0 all proven; 1 a mismatch; 2 no mismatch, but not all proven.

Examples:
  ashlar prove --lab lab
  ashlar prove --lab lab --evidence out/evidence --json
  ashlar prove --from out/evidence
  ashlar prove --lab lab --enrol-again node-1
  ashlar prove --lab lab --show-firmware node-1
  ashlar prove --nodes https://worker-1:7443,https://worker-2:7443 \\
    --image out/image --config worker.bu --node-configs nodes --ek-roots makers.pem`,
    )
    .action(async (options: ProveOptions) => {
      refuseContradictions(options);
      const explained = new AnswerOf(options.showFirmware);
      const learnt = new AnswerOf(options.learnFirmware);
      const onAnswer: OnAnswer = (name, answer) => {
        explained.take(name, answer);
        learnt.take(name, answer);
      };
      const proof = await (options.from === undefined
        ? proveLive(options, onAnswer)
        : proveFrom(options.from, options, onAnswer));
      if ((options.certifyEk === undefined) !== (options.certifyKey === undefined)) {
        throw new AshlarError("usage", "expected --certify-ek and --certify-key together, found one of them");
      }
      if (options.learnFirmware !== undefined)
        await learn(proof, options.learnFirmware, learnt.answer, options.firmwarePolicy ?? "");
      if (options.showFirmware === undefined) await print(proof, options.json === true);
      else await explain(options.showFirmware, explained.answer, options.json === true);
      process.exitCode = EXIT_STATUS[proof.fleet.verdict];
    });
}

function refuseContradictions(options: ProveOptions): void {
  const { lab, nodes, from, evidence, nodeConfigs, enrolAgain, acceptFirmware, releases, releaseRoot } = options;
  if ([lab, nodes, from].filter((source) => source !== undefined).length !== 1) {
    throw new AshlarError("usage", "expected exactly one of --lab, --nodes and --from", {
      hint: "for example: ashlar prove --lab lab",
    });
  }
  if (from !== undefined && evidence !== undefined) {
    throw new AshlarError("usage", "expected --evidence only where nodes are asked, found it with --from");
  }
  if (from !== undefined && enrolAgain !== undefined) {
    throw new AshlarError("usage", "expected --enrol-again only where nodes are asked, found it with --from");
  }
  if (options.learnFirmware !== undefined && (from !== undefined || options.firmwarePolicy === undefined)) {
    throw new AshlarError("usage", "expected --learn-firmware with --firmware-policy FILE, where nodes are asked");
  }
  if (from !== undefined && acceptFirmware !== undefined) {
    throw new AshlarError("usage", "expected --accept-firmware only where nodes are asked, found it with --from");
  }
  if (releases === undefined && releaseRoot !== undefined) {
    throw new AshlarError("usage", "expected --release-root only with --releases");
  }
  if (nodes === undefined && nodeConfigs !== undefined) {
    throw new AshlarError("usage", "expected --node-configs only with --nodes");
  }
}

async function proveLive(options: ProveOptions, onAnswer: OnAnswer): Promise<Proof> {
  const { expectationsOf } = await import("@ashlar/identity");
  const { parseKnownRelease } = await import("@ashlar/protocol/answers");
  const { proveNodes, writeStoredFleet } = await import("@ashlar/verifier");
  const declarations = await import("@ashlar/verifier/declared");
  const { readUpdateRecord, rightReleases, updateRecordPath } = declarations;
  const declared = await findNodes(options, await readConfig(options));
  const pinsPath = options.pins ?? declared.pinsPath;
  const recordPath = updateRecordPath(pinsPath);
  const record = await readUpdateRecord(recordPath);
  const extensionRecord = await declarations.readExtensionRecord(declarations.extensionRecordPath(pinsPath));
  const readRelease = async (path: string | undefined): Promise<KnownRelease | undefined> =>
    path === undefined ? undefined : parseKnownRelease(await declarations.readManifestText(path));
  const given = await readRelease(options.image);
  const made = await readRelease(declared.manifestPath);
  const known = await readKnown(options, recordPath, declared.repository, [given, made]);
  const { pemOf, readTrust } = await import("@ashlar/verifier");
  const { ekRoots, cloudRoots } = await readTrust({
    ekRoots: options.ekRoots,
    cloudRoots: options.cloudRoots,
    labRoots: declared.ekRootsPath,
    acceptExpired: options.acceptExpiredEk,
  });
  const targets = declared.nodes.map(({ classConfig, nodeConfig, ...node }) =>
    Object.assign(node, {
      expectations: expectationsOf({
        ...rightReleases(node.name, record, known.releases, { given, made }),
        classConfig,
        nodeConfig,
        extensions: { known: known.extensions, ...declarations.rightOfNode(extensionRecord, node.name) },
      }),
    }),
  );
  const enrolAgain = new Set(options.enrolAgain);
  const acceptFirmware = parseAcceptedFirmware(options.acceptFirmware ?? []);
  refuseStrangers("--enrol-again", enrolAgain, targets);
  refuseStrangers("--accept-firmware", acceptFirmware.keys(), targets);
  if (options.learnFirmware !== undefined) refuseStrangers("--learn-firmware", [options.learnFirmware], targets);
  if (options.showFirmware !== undefined) refuseStrangers("--show-firmware", [options.showFirmware], targets);
  if (options.evidence !== undefined) {
    const nodes = targets.map(({ name }) => name);
    const manifest = JSON.stringify(given ?? made ?? targets[0]?.expectations.release);
    await writeStoredFleet(options.evidence, {
      nodes,
      manifest,
      ekRoots: ekRoots === undefined ? undefined : pemOf(ekRoots.certificates),
      cloudRoots: cloudRoots === undefined ? undefined : pemOf(cloudRoots.certificates),
      known: known.releases,
      extensions: known.extensions,
    });
  }
  return await withInterruption(async (signal) =>
    proveNodes(targets, {
      ekRoots,
      cloudRoots,
      candidates: known.releases,
      maxAgeMs: options.maxAge * 1000,
      pinsPath,
      enrolAgain,
      fetchIntermediates: options.fetchIntermediates === true,
      acceptFirmware,
      onAnswer,
      knownFirmware: await readKnownFirmware(options),
      vouchedEks: await readVouchedEks(options),
      ...(options.evidence === undefined ? {} : { evidenceDirectory: options.evidence }),
      onProgress: (line) => reportLine(line),
      signal,
    }),
  );
}

function refuseStrangers(option: string, names: Iterable<string>, targets: readonly { readonly name: string }[]): void {
  const stranger = [...names].find((name) => !targets.some((target) => target.name === name));
  if (stranger === undefined) return;
  throw new AshlarError("usage", `expected names of asked nodes after ${option}, found ${stranger}`);
}

/** The lab's repository is only a help: its nodes can be proven when it is broken. */
async function readKnown(
  { knownImage = [], releases, releaseRoot, extension }: ProveOptions,
  recordPath: string,
  labs: DeclaredNodes["repository"],
  given: readonly (KnownRelease | undefined)[],
): Promise<Known> {
  const { readKnown: read } = await import("@ashlar/verifier/declared");
  const isGiven = releases !== undefined;
  return await withInterruption(async (signal) =>
    read({
      given: given.filter((release) => release !== undefined),
      images: knownImage,
      extensions: extension,
      recordPath,
      repository: isGiven ? { releases, releaseRoot } : labs,
      onUnreadable: isGiven ? undefined : (message) => reportLine(`the lab's repository is left out: ${message}`),
      signal,
    }),
  );
}

async function findNodes(options: ProveOptions, classConfig: Uint8Array | undefined): Promise<DeclaredNodes> {
  if (options.lab !== undefined) return await nodesOfLab(options.lab, classConfig);
  const { nodesAtUrls } = await import("@ashlar/verifier/declared");
  return await nodesAtUrls(options.nodes ?? "", classConfig, options.nodeConfigs);
}

async function proveFrom(directory: string, options: ProveOptions, onAnswer: OnAnswer): Promise<Proof> {
  const { expectationsOf, parseEkRoots } = await import("@ashlar/identity");
  const { parseKnownRelease } = await import("@ashlar/protocol/answers");
  const classOf = (release: KnownRelease, classConfig: Uint8Array) => {
    const { classConfigSha256: sha256, extensions } = expectationsOf({ release, classConfig, nodeConfig: NO_CONFIG });
    return { sha256, extensions: extensions.declared };
  };
  const { proveStored, readPins, readStoredFleet } = await import("@ashlar/verifier");
  const stored = await readStoredFleet(directory);
  const release = parseKnownRelease(stored.manifest);
  const { readKnown: read, readManifestText } = await import("@ashlar/verifier/declared");
  const releaseInstead =
    options.image === undefined ? undefined : parseKnownRelease(await readManifestText(options.image));
  const { releases, releaseRoot, extension } = options;
  const repository = releases === undefined ? undefined : { releases, releaseRoot };
  const more = await read({ images: options.knownImage ?? [], extensions: extension, repository });
  const { readEkRoots } = await import("@ashlar/verifier");
  const trust = { acceptExpired: options.acceptExpiredEk === true };
  const kept = stored.ekRoots === undefined ? undefined : parseEkRoots(stored.ekRoots, trust);
  const ekRoots = options.ekRoots === undefined ? kept : await readEkRoots(options.ekRoots, trust);
  const keptClouds = stored.cloudRoots === undefined ? undefined : parseEkRoots(stored.cloudRoots);
  const cloudRoots = options.cloudRoots === undefined ? keptClouds : await readEkRoots(options.cloudRoots);
  const classConfig = await readConfig(options);
  return await proveStored(directory, stored.nodes, {
    release,
    strangers: stored.strangers,
    ...(releaseInstead === undefined ? {} : { releaseInstead }),
    ekRoots,
    cloudRoots,
    candidates: [...stored.known, ...more.releases],
    extensions: [...more.extensions, ...stored.extensions],
    maxAgeMs: options.maxAge * 1000,
    onAnswer,
    knownFirmware: await readKnownFirmware(options),
    vouchedEks: await readVouchedEks(options),
    ...(options.pins === undefined ? {} : { pins: await readPins(options.pins) }),
    ...(classConfig === undefined ? {} : { classInstead: classOf(release, classConfig) }),
  });
}

type OnAnswer = (name: string, answer: StoredAnswer) => void;

/** Keeps one node's answer. */
class AnswerOf {
  readonly #name: string | undefined;
  answer: StoredAnswer | undefined;

  constructor(name: string | undefined) {
    this.#name = name;
  }

  take(name: string, answer: StoredAnswer): void {
    if (name === this.#name) this.answer = answer;
  }
}

async function explain(name: string, answer: StoredAnswer | undefined, asJson: boolean): Promise<void> {
  if (answer === undefined)
    throw new AshlarError("unavailable", `expected an answer of ${name}, found none to explain`);
  const { explainFirmware } = await import("@ashlar/identity");
  const events = explainFirmware(answer.evidence.firmwareLog, answer.pin.firmware);
  if (asJson) printJson({ schema: "ashlar.firmware/v1", node: name, events });
  else printLines(firmwareTable(events));
}

async function readKnownFirmware({ firmwarePolicy, learnFirmware }: ProveOptions): Promise<readonly KnownFirmware[]> {
  if (firmwarePolicy === undefined) return [];
  // The first one that is learnt makes the file.
  if (learnFirmware !== undefined && !existsSync(firmwarePolicy)) return [];
  const { readFirmwarePolicy } = await import("@ashlar/verifier");
  return await readFirmwarePolicy(firmwarePolicy);
}

async function readVouchedEks({ certifyEk, certifyKey }: ProveOptions): Promise<VouchedEks | undefined> {
  if (certifyEk === undefined || certifyKey === undefined) return undefined;
  const { openVouchedEks } = await import("@ashlar/verifier");
  const { readText } = await import("@ashlar/host");
  return openVouchedEks(await readText(certifyEk, "endorsement keys that are vouched for"), certifyKey, certifyEk);
}

async function learn(
  { fleet }: Proof,
  nodeName: string,
  answer: StoredAnswer | undefined,
  policyPath: string,
): Promise<void> {
  const node = fleet.nodes.find(({ name }) => name === nodeName);
  if (node?.level !== "proven" || answer === undefined) {
    throw new AshlarError("untrusted", `expected ${nodeName} to be proven, found ${node?.level ?? "no answer"}`, {
      hint: "nothing was learnt: values of a machine that is something else would be let in everywhere",
    });
  }
  const { addKnownFirmware } = await import("@ashlar/verifier");
  const { firmwareToPin } = await import("@ashlar/identity");
  const name = `as on ${node.name}, ${new Date(answer.challengedAtMs).toISOString().slice(0, 10)}`;
  await addKnownFirmware(policyPath, { name, firmware: firmwareToPin(answer.evidence, answer.pin.firmware.accepted) });
  reportLine(`${policyPath}: firmware ${name}`);
}

async function readConfig({ config, filesDir }: ProveOptions): Promise<Uint8Array | undefined> {
  return config === undefined ? undefined : await readClassConfig(config, filesDir);
}

async function print({ fleet, agesMs }: Proof, asJson: boolean): Promise<void> {
  if (asJson) {
    printJson(fleet);
    return;
  }
  const { summaryOf } = await import("@ashlar/identity");
  printLines(fleetTable(fleet.nodes, agesMs));
  printLine(summaryOf(fleet));
}

function parseSeconds(text: string): number {
  if (!/^[0-9]{1,9}$/u.test(text)) {
    throw new AshlarError("usage", `expected a number of seconds after --max-age, found ${text}`);
  }
  return Number(text);
}
