/** Real evidence for tests: a swtpm with an EK certificate of its own authority, asked by tpm2-tools as on a node. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashSizeBytes, hexDigest, parseFirmwareLog, parsePublic, sha256 } from "@ashlar/formats";
import { PCR_BANKS, qualifyingData, nextBootQualifyingData, type NextBootReport, type PcrBank } from "@ashlar/protocol";
import { nameOfKey, type PinnedKeys } from "./check/check-keys.ts";
import { certificateSha256 } from "./check/ek-chain.ts";
import type { BankValues, Evidence, Keys, ReleaseManifest, NextBootAnswer } from "@ashlar/protocol/answers";
import { eventsByPcr } from "./check/check-logs.ts";
import { firmwareOf, type PinnedFirmware } from "./judge/judge-firmware.ts";
import {
  firmwareLogBytes,
  osReleaseOf,
  testDigest,
  TEST_MACHINE_ID,
  userspaceLogBytes,
  type TestLogs,
} from "@ashlar/protocol/test-fixtures";

const EK = "0x81010001";
const EK_CERTIFICATE = "0x01c00002";
const AK = "0x8100a510";
/** Where Azure has it. */
const CLOUD_AK = "0x81000003";
const SIXTEEN = "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15";
const START_TIMEOUT_MS = 5000;
/** tpm2_pcrextend takes any number; the kernel limits one argument list. */
const EXTENDS_AT_ONCE = 30;

/** A maker of TPMs: swtpm_localca makes its certificates with the first TPM. Gone when the process ends. */
export class TestAuthority {
  readonly directory: string = mkdtempSync(join(tmpdir(), "ashlar-authority-"));

  constructor() {
    process.once("exit", () => rmSync(this.directory, { recursive: true, force: true }));
    const inside = (name: string): string => join(this.directory, name);
    writeFileSync(inside("platform"), "--platform-manufacturer Ashlar\n--platform-version 1\n--platform-model test\n");
    writeFileSync(
      inside("authority"),
      `statedir = ${this.directory}\nsigningkey = ${inside("signkey.pem")}\n` +
        `issuercert = ${inside("issuercert.pem")}\ncertserial = ${inside("certserial")}\n`,
    );
    writeFileSync(
      inside("setup"),
      `create_certs_tool = swtpm_localca\ncreate_certs_tool_config = ${inside("authority")}\n` +
        `create_certs_tool_options = ${inside("platform")}\n`,
    );
  }

  /** PEM of the root and the issuer. */
  get roots(): string {
    return ["swtpm-localca-rootca-cert.pem", "issuercert.pem"]
      .map((name) => readFileSync(join(this.directory, name), "utf8"))
      .join("\n");
  }
}

/** One machine's TPM with its keys, until the process ends. `boot` resets it and measures as firmware and systemd do. */
export class TestNode {
  readonly directory: string = mkdtempSync(join(tmpdir(), "ashlar-node-"));
  #keys: Keys & { readonly ekCertificate: Uint8Array; readonly ekPublic: Uint8Array };
  /** What the agent asks tpm2_quote for on such a machine. */
  readonly selection: string;
  /** The banks into which the machine's firmware measures. */
  readonly measured: readonly PcrBank[];
  readonly #banks: readonly PcrBank[];
  #logs: TestLogs = { firmware: [], words: [] };
  /** The key that quotes, unless another one is asked for. */
  #quoting: { readonly handle: string; readonly ak: Uint8Array };

  /** @param banks that are on; a SHA-1 one is never measured into */
  constructor(authority: TestAuthority, banks: string = "sha256", measured?: readonly PcrBank[]) {
    this.#banks = PCR_BANKS.filter((bank) => banks.split(",").includes(bank));
    this.measured = measured ?? this.#banks;
    const asked = this.#banks.includes("sha384") ? PCR_BANKS : this.#banks;
    this.selection = asked.map((bank) => `${bank}:${SIXTEEN}`).join("+");
    const state = join(this.directory, "state");
    mkdirSync(state);
    this.#run(
      "swtpm_setup",
      [
        "--create-ek-cert",
        ["--tpm2", "--tpmstate", `dir://${state}`, "--pcr-banks", banks],
        ["--config", join(authority.directory, "setup"), "--vmid", "test"],
      ].flat(),
    );
    const socket = join(this.directory, "tpm");
    const swtpm = spawn(
      "swtpm",
      [
        ["socket", "--tpm2", "--tpmstate", `dir=${state}`, "--flags", "not-need-init,startup-clear"],
        ["--server", `type=unixio,path=${socket}`, "--ctrl", `type=unixio,path=${socket}.ctrl`],
      ].flat(),
      { stdio: "ignore" },
    );
    swtpm.unref();
    process.once("exit", () => {
      swtpm.kill("SIGKILL");
      rmSync(this.directory, { recursive: true, force: true });
    });
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!existsSync(socket) || !existsSync(`${socket}.ctrl`)) {
      if (performance.now() > deadline) throw new Error("swtpm made no socket");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
    const ak = ["-G", "ecc", "-g", "sha256", "-s", "ecdsa", "-f", "tss", "-u", "ak.pub"];
    this.tool("tpm2_createak", "-C", EK, "-c", "ak.context", ...ak);
    this.tool("tpm2_evictcontrol", "-C", "o", "-c", "ak.context", AK);
    this.tool("tpm2_readpublic", "-c", EK, "-f", "tss", "-o", "ek.pub");
    this.tool("tpm2_nvread", "-C", EK_CERTIFICATE, "-o", "ek-cert.der", EK_CERTIFICATE);
    this.#keys = { ak: this.read("ak.pub"), ekPublic: this.read("ek.pub"), ekCertificate: this.read("ek-cert.der") };
    this.#quoting = { handle: AK, ak: this.keys.ak };
  }

  get keys(): Keys & { readonly ekCertificate: Uint8Array; readonly ekPublic: Uint8Array } {
    return this.#keys;
  }

  /** Shows another certificate of its endorsement key from now on. */
  useEkCertificate(ekCertificate: Uint8Array): void {
    this.#keys = { ...this.#keys, ekCertificate };
  }

  /** Shows this certificate of the key that quotes, and nothing of an endorsement key. */
  useAkCertificate(akCertificate: Uint8Array): void {
    this.#keys = { ...this.#keys, ak: this.#quoting.ak, akCertificate };
  }

  /** Makes an attestation key as a cloud's TPMs have it, a primary key of a hierarchy: it quotes from now on. @returns TPM2B_PUBLIC */
  useCloudKey(hierarchy: "o" | "e", attributes: number): Uint8Array {
    const kind = ["-G", "rsa2048:rsassa-sha256:null", "-g", "sha256", "-a", `0x${attributes.toString(16)}`];
    this.tool("tpm2_createprimary", "-C", hierarchy, ...kind, "-c", "cloud.context", "-f", "tss", "-o", "cloud.pub");
    this.tool("tpm2_evictcontrol", "-C", "o", "-c", "cloud.context", CLOUD_AK);
    this.#quoting = { handle: CLOUD_AK, ak: this.read("cloud.pub") };
    return this.#quoting.ak;
  }

  /** What an enrolment of this node would pin now. */
  get pin(): PinnedKeys & { readonly firmware: PinnedFirmware } {
    const akName = nameOfKey(parsePublic(this.keys.ak));
    const firmwareLog = parseFirmwareLog(firmwareLogBytes(this.#logs.firmware, this.measured));
    const events = eventsByPcr(firmwareLog, { events: [] }, this.#banks);
    const firmware = firmwareOf({ pcrs: this.#readPcrs(), events });
    return { ekSha256: certificateSha256(this.keys.ekCertificate), akName, firmware };
  }

  /** Runs a TPM tool in the node's directory, then frees the TPM's few transient slots. */
  tool(program: string, ...args: readonly string[]): string {
    const output = this.#run(program, args);
    if (program !== "tpm2_startauthsession") this.#run("tpm2_flushcontext", ["--transient-object"]);
    return output;
  }

  read(file: string): Buffer {
    return readFileSync(join(this.directory, file));
  }

  get machineId(): string {
    return sha256(this.directory).slice(0, 32);
  }

  /** Starts anew with these logs, in which a machine ID of its own takes the place of the usual one. */
  boot(usual: TestLogs): void {
    const words = usual.words.map(({ pcr, word }) => ({ pcr, word: word.replace(TEST_MACHINE_ID, this.machineId) }));
    const logs = { ...usual, words };
    // Without it a reset counts as a failed password for the AK, and the third one locks it (Part 1, 19.8.6).
    this.#run("tpm2_shutdown", ["--clear"]);
    this.#run("swtpm_ioctl", ["--unix", join(this.directory, "tpm.ctrl"), "-i"]);
    this.#run("tpm2_startup", ["--clear"]);
    this.#logs = logs;
    this.extend([
      ...logs.firmware.map(
        (event) => `${event.pcr}:${this.measured.map((bank) => `${bank}=${testDigest(event, bank)}`).join(",")}`,
      ),
      ...logs.words.map(
        ({ pcr, word }) => `${pcr}:${this.#banks.map((bank) => `${bank}=${hexDigest(bank, word)}`).join(",")}`,
      ),
    ]);
  }

  /** Extends PCRs without a trace in the logs. */
  extend(extensions: readonly string[]): void {
    for (let start = 0; start < extensions.length; start += EXTENDS_AT_ONCE) {
      this.#run("tpm2_pcrextend", extensions.slice(start, start + EXTENDS_AT_ONCE));
    }
  }

  /** Everything as on a node that runs `release`; `pcrs` and `key` (whose public is `ak`) are what tpm2_quote is asked for. */
  evidence(
    release: ReleaseManifest,
    { nonce, tlsPublicKey }: { nonce: Uint8Array; tlsPublicKey: Uint8Array },
    {
      pcrs = this.selection,
      key = this.#quoting.handle,
      ak = this.#quoting.ak,
    }: { pcrs?: string; key?: string; ak?: Uint8Array } = {},
  ): Evidence & { readonly ekCertificate: Uint8Array } {
    const qualification = qualifyingData(nonce, tlsPublicKey).toString("hex");
    const files = ["-m", "msg", "-s", "sig", "-f", "tss"];
    this.#run("tpm2_quote", ["-c", key, "-l", pcrs, "-q", qualification, ...files]);
    return {
      quoteMessage: this.read("msg"),
      quoteSignature: this.read("sig"),
      pcrs: this.#readPcrs(),
      ak,
      ekCertificate: this.keys.ekCertificate,
      tlsPublicKey,
      firmwareLog: firmwareLogBytes(this.#logs.firmware, this.measured),
      userspaceLog: userspaceLogBytes(this.#logs.words, this.#banks),
      osRelease: osReleaseOf(release.version),
      commandLine: `${release.commandLine}\n`,
      verity: { device: "usr", status: "V", rootHash: release.usr.rootHash },
    };
  }

  /** As on a node whose software says this about its next boot. */
  nextBoot(
    report: NextBootReport,
    { nonce, tlsPublicKey }: { nonce: Uint8Array; tlsPublicKey: Uint8Array },
  ): NextBootAnswer {
    const reportText = JSON.stringify(report);
    const qualification = nextBootQualifyingData(nonce, tlsPublicKey, reportText).toString("hex");
    const what = ["-c", this.#quoting.handle, "-l", this.selection, "-q", qualification];
    this.#run("tpm2_quote", [...what, "-m", "msg", "-s", "sig", "-f", "tss"]);
    return { reportText, quoteMessage: this.read("msg"), quoteSignature: this.read("sig") };
  }

  /** TPM2_ActivateCredential as on a node: the policy of the EK needs the endorsement hierarchy's password. */
  activate(credentialBlob: Uint8Array, encryptedSecret: Uint8Array): Uint8Array {
    const header = Buffer.from("badcc0de00000001", "hex");
    writeFileSync(join(this.directory, "credential"), Buffer.concat([header, credentialBlob, encryptedSecret]));
    rmSync(join(this.directory, "secret"), { force: true });
    this.tool("tpm2_startauthsession", "--policy-session", "-S", "session");
    try {
      this.#run("tpm2_policysecret", ["-S", "session", "-c", "e"]);
      const files = ["-i", "credential", "-o", "secret"];
      this.#run("tpm2_activatecredential", ["-c", AK, "-C", EK, "-P", "session:session", ...files]);
    } finally {
      this.#run("tpm2_flushcontext", ["session"]);
    }
    return this.read("secret");
  }

  #readPcrs(): BankValues {
    return Object.fromEntries(
      this.#banks.map((bank) => {
        this.#run("tpm2_pcrread", ["-o", "pcrs", "--pcrs_format", "values", `${bank}:${SIXTEEN}`]);
        const [values, size] = [this.read("pcrs"), hashSizeBytes(bank)];
        const hex = (pcr: number): string => values.subarray(pcr * size, (pcr + 1) * size).toString("hex");
        return [bank, new Map(Array.from({ length: 16 }, (_, pcr) => [pcr, hex(pcr)]))];
      }),
    );
  }

  #run(program: string, args: readonly string[]): string {
    const TPM2TOOLS_TCTI = `swtpm:path=${join(this.directory, "tpm")}`;
    const env = { ...process.env, TPM2TOOLS_TCTI, TMPDIR: this.directory };
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: this.directory, env, encoding: "utf8" });
    if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}: ${stderr}`);
    return stdout;
  }
}
