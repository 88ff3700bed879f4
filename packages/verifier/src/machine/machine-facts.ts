import { AshlarError } from "@ashlar/base";

/** What a machine said of itself; nothing of it is proved. Members are undefined where it said nothing. */
export type MachineFacts = {
  readonly isRoot: boolean;
  readonly isUefi: boolean;
  readonly kernel: string | undefined;
  readonly vendor: string | undefined;
  readonly product: string | undefined;
  readonly firmwareVendor: string | undefined;
  readonly firmwareVersion: string | undefined;
  readonly firmwareDate: string | undefined;
  /** Undefined where the variable cannot be read: no UEFI, or a firmware without Secure Boot. */
  readonly secureBoot: boolean | undefined;
  readonly setupMode: boolean | undefined;
  /** What systemd-boot says of itself; other loaders say nothing. */
  readonly bootLoader: string | undefined;
  /** "2" for a TPM 2.0; undefined without a TPM. */
  readonly tpmVersion: string | undefined;
  readonly canAskTpm: boolean;
  /** Banks that are switched on, with the values of PCRs 0 to 7 in lower-case hexadecimal. */
  readonly banks: ReadonlyMap<string, ReadonlyMap<number, string>>;
  readonly firmwareLog: Uint8Array | undefined;
  /** What the TPM's NV memory holds, by the last 16 bits of an index 0x01c0xxxx: EK certificates, from 0x0100 on intermediates. */
  readonly nv: ReadonlyMap<number, Uint8Array>;
  /** Certificates of attestation keys, by the last 16 bits of an index 0x01c1xxxx: where clouds have them. */
  readonly cloud: ReadonlyMap<number, Uint8Array>;
};

const HEADING = "ashlar-machine 1";
const MAX_CHARACTERS = 16 * 1024 * 1024;
const MAX_LINES = 1000;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/u;
const BYTES = "base64:";
/** An EFI variable's bytes in efivarfs begin with its attributes. */
const ATTRIBUTE_BYTES = 4;

/** Reads what ask-machine.sh prints. @throws AshlarError `malformed` */
export function parseMachineFacts(output: string): MachineFacts {
  if (output.length > MAX_CHARACTERS) fail(`expected at most ${MAX_CHARACTERS} characters`);
  // What a shell's start files print comes first.
  const start = output.indexOf(`${HEADING}\n`);
  if (start === -1) fail(`expected a line "${HEADING}", found none`);
  const lines = output.slice(start).split("\n");
  if (lines.length > MAX_LINES) fail(`expected at most ${MAX_LINES} lines, found ${lines.length}`);
  const values = new Map<string, string>();
  const banks = new Map<string, Map<number, string>>();
  for (const line of lines) {
    const [name = "", ...words] = line.split(" ");
    const value = words.join(" ").trim();
    if (name === "bank" && /^sha[0-9]{1,3}$/u.test(value)) banks.set(value, new Map());
    else values.set(name, value);
  }
  for (const [bank, pcrs] of banks) {
    for (let pcr = 0; pcr <= 7; pcr++) {
      const value = values.get(`pcr-${bank}-${pcr}`)?.toLowerCase();
      if (value !== undefined && /^[0-9a-f]{40,128}$/u.test(value)) pcrs.set(pcr, value);
    }
  }
  const text = (name: string): string | undefined => values.get(name) || undefined;
  const bytes = (name: string): Uint8Array | undefined => bytesOf(name, values.get(name));
  const flag = (name: string): boolean | undefined => {
    const value = bytes(name)?.at(ATTRIBUTE_BYTES);
    return value === undefined ? undefined : value === 1;
  };
  return {
    isRoot: values.get("user") === "0",
    isUefi: values.get("uefi") === "yes",
    kernel: text("kernel"),
    vendor: text("vendor"),
    product: text("product"),
    firmwareVendor: text("firmware-vendor"),
    firmwareVersion: text("firmware-version"),
    firmwareDate: text("firmware-date"),
    secureBoot: flag("secure-boot"),
    setupMode: flag("setup-mode"),
    bootLoader: loaderText(bytes("boot-loader")),
    tpmVersion: text("tpm-version"),
    canAskTpm: values.get("tpm-device") === "yes",
    banks,
    firmwareLog: bytes("firmware-log"),
    nv: readNv(values, "nv"),
    cloud: readNv(values, "cloud"),
  };
}

function readNv(values: ReadonlyMap<string, string>, kind: "nv" | "cloud"): Map<number, Uint8Array> {
  const nv = new Map<number, Uint8Array>();
  for (const [name, value] of values) {
    const { high, low, of } = /^(?<of>[a-z]+)-(?<high>[0-9]{1,3}):(?<low>[0-9]{1,3})$/u.exec(name)?.groups ?? {};
    if (of !== kind || high === undefined || low === undefined) continue;
    const bytes = bytesOf(name, value);
    if (bytes !== undefined && bytes.length > 0) nv.set(Number(high) * 256 + Number(low), bytes);
  }
  return nv;
}

function bytesOf(name: string, value: string | undefined): Uint8Array | undefined {
  if (value === undefined) return undefined;
  const encoded = value.slice(BYTES.length);
  if (!value.startsWith(BYTES) || !BASE64.test(encoded)) fail(`${name}: expected base64`);
  return Buffer.from(encoded, "base64");
}

function loaderText(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  return Buffer.from(bytes.subarray(ATTRIBUTE_BYTES)).toString("utf16le").replace(/\0.*$/su, "") || undefined;
}

function fail(message: string): never {
  throw new AshlarError("malformed", `answer of the machine: ${message}`, {
    hint: "does its shell start with sh, and does it have base64, od, dd and head?",
  });
}
