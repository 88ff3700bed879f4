import { mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { writeFileAtomically } from "@ashlar/host";
import {
  MAX_CERTIFICATE_BYTES,
  MAX_TPM_STRUCTURE_BYTES,
  parseDocument,
  parseKnownRelease,
  type Evidence,
  type KnownRelease,
  type NextBootAnswer,
} from "@ashlar/protocol/answers";
import { MAX_LOG_BYTES, MAX_NEXT_BOOT_BYTES, nextBootQualifyingData, qualifyingData } from "@ashlar/protocol";
import type { ExtensionExpectations } from "@ashlar/identity";
import { MAX_EXTENSIONS } from "@ashlar/protocol";
import type { KnownExtension } from "@ashlar/identity";
import { z } from "zod";
import {
  debugExceptionSchema,
  knownExtensionSchema,
  MAX_EXCEPTIONS,
  measuredExtensionSchema,
  rightExtensionSchema,
} from "./extension-schemas.ts";
import type { NextBootReply } from "./judge-answer.ts";
import { pinSchema, type Pin } from "./pin-store.ts";

/** One node's answer with everything that is needed to judge it again, later and elsewhere. */
export type StoredAnswer = {
  readonly evidence: Evidence;
  readonly nonce: Uint8Array;
  /** The key of the TLS peer, SubjectPublicKeyInfo as DER. */
  readonly tlsPublicKey: Uint8Array;
  readonly challengedAtMs: number;
  readonly pin: Pin;
  /** What was declared for this node then. */
  readonly expected: {
    readonly classConfigSha256: string;
    readonly nodeConfigSha256: string;
    /** SHA-256 of the UKIs of the releases that were right, the declared one first; older evidence does not say it. */
    readonly releases?: readonly string[];
    /** Undefined in evidence from before nodes had any. */
    readonly extensions?: StoredExtensions;
  };
  /** The answer to the same challenge about the next boot; undefined in evidence from before that was asked. */
  readonly nextBoot?: NextBootReply | undefined;
};

/** What was right about a node's extensions; what was known of published ones is the same for all nodes. */
export type StoredExtensions = Omit<ExtensionExpectations, "known">;

/** What holds for all nodes of a directory of evidence. */
export type StoredFleet = {
  /** Names of all nodes that were asked, those that did not answer too. */
  readonly nodes: readonly string[];
  /** The text of the release's manifest. */
  readonly manifest: string;
  /** PEM of the trusted makers, when there were any. */
  readonly ekRoots: string | undefined;
  /** All releases that were known. */
  readonly known: readonly KnownRelease[];
  /** All published extensions that were known. */
  readonly extensions: readonly KnownExtension[];
};

const FLEET = "fleet.json";
const MANIFEST = "manifest.json";
const EK_ROOTS = "ek-roots.pem";
const RELEASES = "releases";
const EXTENSIONS = "extensions.json";
const SHARED_FILES: ReadonlySet<string> = new Set([FLEET, MANIFEST, EK_ROOTS, RELEASES, EXTENSIONS]);
const ANSWER = "answer.json";
const ANSWER_SCHEMA = "ashlar.stored-evidence/v2";

/** Files that other programs can check, for example `tpm2_checkquote` and `tpm2_eventlog`. */
const FILES = {
  ak: "ak.pub",
  quoteMessage: "quote.msg",
  quoteSignature: "quote.sig",
  ekCertificate: "ek-cert.der",
  firmwareLog: "firmware-log.bin",
  userspaceLog: "userspace-log.cel",
} as const;
/** The bytes in the quote's extraData. They follow from nonce and TLS key, and are not read back. */
const QUALIFYING_DATA = "qualifying-data";

/** The answer about the next boot, when there is one: the report is the exact text that the quote is over. */
const NEXT_BOOT_FILES = {
  report: "next-boot.json",
  quoteMessage: "next-boot-quote.msg",
  quoteSignature: "next-boot-quote.sig",
  qualifyingData: "next-boot-qualifying-data",
} as const;

const digest = z.string().regex(/^[0-9a-f]{64}$/u);

/** The rest of a node's answer. */
const answerSchema = z.strictObject({
  schema: z.literal(
    ANSWER_SCHEMA,
    `expected ${ANSWER_SCHEMA}: version 1 has no firmware in its pin; ask the node again`,
  ),
  nonce: z.string().regex(/^(?:[0-9a-f]{2}){16,64}$/u),
  tlsPublicKey: z.string().regex(/^(?:[0-9a-f]{2}){1,4096}$/u),
  /** What the node itself said its TLS key is. */
  claimedTlsPublicKey: z.string().regex(/^(?:[0-9a-f]{2}){0,4096}$/u),
  challengedAt: z.iso.datetime(),
  pcrs: z.record(z.string().regex(/^(?:[0-9]|1[0-5])$/u), digest),
  osRelease: z.string(),
  commandLine: z.string(),
  verity: z.strictObject({ device: z.literal("usr"), status: z.string(), rootHash: digest.exactOptional() }),
  pin: pinSchema,
  expected: z.strictObject({
    classConfigSha256: digest,
    nodeConfigSha256: digest,
    releases: z.array(digest).min(1).max(2).exactOptional(),
    extensions: z
      .strictObject({
        declared: z.array(rightExtensionSchema).max(MAX_EXTENSIONS),
        exceptions: z.array(debugExceptionSchema).max(MAX_EXCEPTIONS),
        alsoAllowed: z.array(measuredExtensionSchema).max(MAX_EXTENSIONS),
      })
      .exactOptional(),
  }),
  /** Why there is no answer about the next boot, when it was asked for. */
  noNextBoot: z.strictObject({ level: z.enum(["mismatch", "unknown"]), found: z.string() }).exactOptional(),
});

/** Nodes' names are names of directories: host names, addresses, ports. */
const nodeName = z
  .string()
  .regex(/^[A-Za-z0-9:][A-Za-z0-9_:-]*(?:\.[A-Za-z0-9_:-]+)*$/u)
  .max(128);

const fleetSchema = z.strictObject({
  schema: z.literal("ashlar.evidence-directory/v1"),
  nodes: z.array(nodeName).max(100_000),
});

const MAX_ANSWER_CHARACTERS = 256 * 1024;
const MAX_FLEET_CHARACTERS = 16 * 1024 * 1024;
/** Both are parsed with limits of their own. */
const MAX_SHARED_FILE_BYTES = 64 * 1024 * 1024;

/** @throws AshlarError `usage` for a node whose name cannot be a directory's */
export async function writeStoredFleet(
  directory: string,
  { nodes, manifest, ekRoots, known, extensions }: StoredFleet,
): Promise<void> {
  const wrong = nodes.find((name) => !nodeName.safeParse(name).success || SHARED_FILES.has(name));
  if (wrong !== undefined) throw new AshlarError("usage", `expected a node's name, found ${JSON.stringify(wrong)}`);
  const fleet = { schema: "ashlar.evidence-directory/v1", nodes: [...nodes] };
  await mkdir(directory, { recursive: true });
  await writeFileAtomically(join(directory, MANIFEST), manifest);
  if (ekRoots === undefined) await rm(join(directory, EK_ROOTS), { force: true });
  else await writeFileAtomically(join(directory, EK_ROOTS), ekRoots);
  await writeReleases(join(directory, RELEASES), known);
  await writeFileAtomically(
    join(directory, EXTENSIONS),
    `${JSON.stringify(extensions.map(withoutMore), undefined, 2)}\n`,
  );
  await writeFileAtomically(join(directory, FLEET), `${JSON.stringify(fleet, undefined, 2)}\n`);
}

/** @throws AshlarError `not-found` when the directory holds no evidence, `malformed` or `limit` when it cannot be read */
export async function readStoredFleet(directory: string): Promise<StoredFleet> {
  const text = await readOptional(join(directory, FLEET), MAX_FLEET_CHARACTERS);
  if (text === undefined) {
    throw new AshlarError("not-found", `expected evidence in ${directory}, found no ${FLEET}`, {
      hint: "`ashlar prove --evidence DIR` writes it",
    });
  }
  const { nodes } = parseDocument(text.toString("utf8"), fleetSchema, join(directory, FLEET), MAX_FLEET_CHARACTERS);
  const manifest = await readOptional(join(directory, MANIFEST), MAX_SHARED_FILE_BYTES);
  if (manifest === undefined) throw new AshlarError("not-found", `expected ${join(directory, MANIFEST)}`);
  const ekRoots = await readOptional(join(directory, EK_ROOTS), MAX_SHARED_FILE_BYTES);
  const known = await readReleases(join(directory, RELEASES));
  const extensions = await readExtensions(join(directory, EXTENSIONS));
  return { nodes, manifest: manifest.toString("utf8"), ekRoots: ekRoots?.toString("utf8"), known, extensions };
}

async function writeReleases(directory: string, known: readonly KnownRelease[]): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory);
  for (const release of known) {
    await writeFile(join(directory, `${release.uki.sha256}.json`), `${JSON.stringify(release)}\n`);
  }
}

/** None in a directory from before there were any. */
async function readReleases(directory: string): Promise<KnownRelease[]> {
  const known: KnownRelease[] = [];
  for (const name of await readdirOptional(directory)) {
    const bytes = await readOptional(join(directory, name), MAX_SHARED_FILE_BYTES);
    if (bytes !== undefined) known.push(parseKnownRelease(bytes.toString("utf8")));
  }
  return known;
}

/** What comes out of a repository's index has more members. */
function withoutMore({ kind, name, version, tier, rootHash, withdrawn }: KnownExtension): KnownExtension {
  const reason = withdrawn === undefined ? {} : { withdrawn: { reason: withdrawn.reason } };
  return { kind, name, version, tier, rootHash, ...reason };
}

/** None in a directory from before there were any. */
async function readExtensions(path: string): Promise<KnownExtension[]> {
  const bytes = await readOptional(path, MAX_FLEET_CHARACTERS);
  if (bytes === undefined) return [];
  return parseDocument(bytes.toString("utf8"), z.array(knownExtensionSchema), path, MAX_FLEET_CHARACTERS);
}

async function readdirOptional(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith(".json")).toSorted();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** Replaces what the directory holds of this node. */
export async function writeStoredAnswer(directory: string, name: string, answer: StoredAnswer): Promise<void> {
  const { evidence, nonce, tlsPublicKey, nextBoot } = answer;
  const temporary = join(directory, `.${name}.${process.pid}.new`);
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  for (const member of MEMBERS) await writeFile(join(temporary, FILES[member]), evidence[member]);
  await writeFile(join(temporary, QUALIFYING_DATA), qualifyingData(nonce, tlsPublicKey));
  if (nextBoot !== undefined && "answer" in nextBoot) {
    const { reportText, quoteMessage, quoteSignature } = nextBoot.answer;
    const extraData = nextBootQualifyingData(nonce, tlsPublicKey, reportText);
    await writeFile(join(temporary, NEXT_BOOT_FILES.report), reportText);
    await writeFile(join(temporary, NEXT_BOOT_FILES.quoteMessage), quoteMessage);
    await writeFile(join(temporary, NEXT_BOOT_FILES.quoteSignature), quoteSignature);
    await writeFile(join(temporary, NEXT_BOOT_FILES.qualifyingData), extraData);
  }
  await writeFile(join(temporary, ANSWER), `${JSON.stringify(toDocument(answer), undefined, 2)}\n`);
  await rm(join(directory, name), { recursive: true, force: true });
  await rename(temporary, join(directory, name));
}

// Object.keys forgets which names these are.
const MEMBERS = ["ak", "quoteMessage", "quoteSignature", "ekCertificate", "firmwareLog", "userspaceLog"] as const;

function toDocument({ evidence, nonce, tlsPublicKey, challengedAtMs, pin, expected, nextBoot }: StoredAnswer): object {
  const { tlsPublicKey: claimed, pcrs, osRelease, commandLine, verity } = evidence;
  return {
    schema: ANSWER_SCHEMA,
    nonce: hex(nonce),
    tlsPublicKey: hex(tlsPublicKey),
    claimedTlsPublicKey: hex(claimed),
    challengedAt: new Date(challengedAtMs).toISOString(),
    pcrs: Object.fromEntries(pcrs),
    osRelease,
    commandLine,
    verity,
    pin,
    expected: {
      classConfigSha256: expected.classConfigSha256,
      nodeConfigSha256: expected.nodeConfigSha256,
      ...(expected.releases === undefined ? {} : { releases: expected.releases }),
      ...(expected.extensions === undefined ? {} : { extensions: toStored(expected.extensions) }),
    },
    ...(nextBoot === undefined || "answer" in nextBoot ? {} : { noNextBoot: nextBoot }),
  };
}

function toStored({ declared, exceptions, alsoAllowed }: StoredExtensions): StoredExtensions {
  const right = declared.map(({ kind, name, pattern, tier, source: { type } }) => {
    return { kind, name, pattern, tier, source: { type } };
  });
  return { declared: right, exceptions, alsoAllowed };
}

/** The node's stored answer, or undefined when there is none. */
export async function readStoredAnswer(directory: string, name: string): Promise<StoredAnswer | undefined> {
  const inside = (file: string): string => join(directory, name, file);
  const text = await readOptional(inside(ANSWER), MAX_ANSWER_CHARACTERS);
  if (text === undefined) return undefined;
  const rest = parseDocument(text.toString("utf8"), answerSchema, inside(ANSWER), MAX_ANSWER_CHARACTERS);
  const bytes = async (member: (typeof MEMBERS)[number], maxBytes: number): Promise<Uint8Array> => {
    const found = await readOptional(inside(FILES[member]), maxBytes);
    if (found === undefined) throw new AshlarError("not-found", `expected ${inside(FILES[member])}`);
    return found;
  };
  return {
    evidence: {
      ak: await bytes("ak", MAX_TPM_STRUCTURE_BYTES),
      quoteMessage: await bytes("quoteMessage", MAX_TPM_STRUCTURE_BYTES),
      quoteSignature: await bytes("quoteSignature", MAX_TPM_STRUCTURE_BYTES),
      ekCertificate: await bytes("ekCertificate", MAX_CERTIFICATE_BYTES),
      firmwareLog: await bytes("firmwareLog", MAX_LOG_BYTES),
      userspaceLog: await bytes("userspaceLog", MAX_LOG_BYTES),
      pcrs: new Map(Object.entries(rest.pcrs).map(([pcr, value]) => [Number(pcr), value])),
      tlsPublicKey: Buffer.from(rest.claimedTlsPublicKey, "hex"),
      osRelease: rest.osRelease,
      commandLine: rest.commandLine,
      verity: rest.verity,
    },
    nonce: Buffer.from(rest.nonce, "hex"),
    tlsPublicKey: Buffer.from(rest.tlsPublicKey, "hex"),
    challengedAtMs: Date.parse(rest.challengedAt),
    pin: rest.pin,
    expected: rest.expected,
    nextBoot: rest.noNextBoot ?? (await readNextBoot(inside)),
  };
}

/** Undefined when nothing of it is there; a missing part is as good as an empty one, which no quote is. */
async function readNextBoot(inside: (file: string) => string): Promise<{ answer: NextBootAnswer } | undefined> {
  const { report, quoteMessage, quoteSignature } = NEXT_BOOT_FILES;
  const text = await readOptional(inside(report), MAX_NEXT_BOOT_BYTES);
  if (text === undefined) return undefined;
  const bytes = async (file: string): Promise<Uint8Array> =>
    (await readOptional(inside(file), MAX_TPM_STRUCTURE_BYTES)) ?? new Uint8Array();
  return {
    answer: {
      reportText: text.toString("utf8"),
      quoteMessage: await bytes(quoteMessage),
      quoteSignature: await bytes(quoteSignature),
    },
  };
}

/** A file of limited size, or undefined when there is none. */
async function readOptional(path: string, maxBytes: number): Promise<Buffer | undefined> {
  let file;
  try {
    file = await open(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw new AshlarError("limit", `${path}: expected at most ${maxBytes} bytes, found ${size}`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
