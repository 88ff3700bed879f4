import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseFirmwareLog, replayPcrs, sha256 } from "@ashlar/formats";
import { parseEkRoots, prepareEnrolment } from "@ashlar/identity";
import {
  akExtensions,
  authorityExtensions,
  ekExtensions,
  TestAuthority,
  testCertificate,
  TestNode,
} from "@ashlar/identity/test-fixtures";
import { firmwareLogBytes, testLogs, testRelease, type TestLogs } from "@ashlar/protocol/test-fixtures";
import fc from "fast-check";
import { askMachine } from "./ask-machine.ts";
import { judgeMachine } from "./judge-machine.ts";
import { parseMachineFacts } from "./machine-facts.ts";
import { saveMachine } from "./save-machine.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-machine-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const { firmware } = testLogs(testRelease("1.0.0"), sha256("class"), sha256("node"));
const authority = new TestAuthority();
const tpm = new TestNode(authority);
const { ekCertificate } = tpm.keys;
const ekRoots = parseEkRoots(authority.roots);
const now = new Date();
const base64 = (bytes: Uint8Array): string => `base64:${Buffer.from(bytes).toString("base64")}`;
const late = { pcr: 2, type: 0x8000_0004, digest: sha256("driver"), data: Buffer.from("driver") };

/** What a machine says that measured these events. */
function answerWith(events: TestLogs["firmware"], ...changes: readonly (readonly [RegExp, string])[]): string {
  const log = firmwareLogBytes(events);
  const values = replayPcrs(parseFirmwareLog(log), { events: [] }, "sha256");
  const lines = [
    "Welcome to server-1",
    "ashlar-machine 1",
    "user 0",
    "kernel 6.12.0",
    "uefi yes",
    "vendor Example Inc.",
    "product Server 1",
    "firmware-version 1.2",
    `secure-boot ${base64(Uint8Array.of(6, 0, 0, 0, 1))}`,
    `boot-loader ${base64(Buffer.concat([Buffer.alloc(4), Buffer.from("systemd-boot 257\0", "utf16le")]))}`,
    "tpm-version 2",
    "bank sha1",
    "bank sha256",
    ...[0, 1, 2, 3, 4, 5, 6, 7].map(
      (pcr) =>
        `pcr-sha256-${pcr} ${Buffer.from(values.get(pcr) ?? [])
          .toString("hex")
          .toUpperCase()}`,
    ),
    `firmware-log ${base64(log)}`,
    "tpm-device yes",
    `nv-0:2 ${base64(ekCertificate)}`,
    "",
  ];
  return changes.reduce((text, [from, to]) => text.replace(from, to), lines.join("\n"));
}

const judge = (...args: Parameters<typeof answerWith>) =>
  judgeMachine(parseMachineFacts(answerWith(...args)), ekRoots, now);
const problems = (...args: Parameters<typeof answerWith>): string =>
  judge(...args)
    .checks.filter(({ state }) => state === "problem")
    .map(({ found, advice = "" }) => `${found} (${advice})`)
    .join("\n");

test("a machine with all that it takes could be proven", () => {
  const { provable, checks, events } = judge(firmware);
  assert.equal(provable, true);
  assert.equal(events.length, firmware.length);
  const text = checks.map(({ found }) => found).join("\n");
  assert.match(text, /Example Inc\. Server 1, 1\.2, booted by UEFI/u);
  assert.match(text, /the log leads to the TPM's values/u);
  assert.match(text, /EK certificate at 0x01c00002, issued by .*swtpm/u);
  assert.match(text, /Secure Boot is on; boot loader systemd-boot 257/u);
});

test("each thing that is missing is named, with what to do", () => {
  assert.match(problems(firmware, [/^tpm-version 2$/mu, "tpm-version 1"]), /a TPM 1\.x; 2\.0 is needed/u);
  assert.match(problems(firmware, [/^tpm-version 2\n/mu, ""]), /no TPM .*switch it on/u);
  assert.match(problems(firmware, [/^uefi yes\n/mu, ""]), /not booted by UEFI \(.*CSM/u);
  assert.match(problems(firmware, [/^bank sha256\n/mu, ""]), /PCR banks sha1; SHA-256 or SHA-384 is needed \(switch/u);
  assert.match(problems(firmware, [/^pcr-sha256-0 .*$/mu, `pcr-sha256-0 ${"0".repeat(64)}`]), /value of PCR 0/u);
  assert.match(problems(firmware, [/^nv-.*\n/mu, ""]), /no EK certificate/u);
  assert.match(problems(firmware, [/^firmware-log .*\n/mu, ""]), /no event log/u);
  assert.match(problems(firmware, [/^firmware-log .*$/mu, "firmware-log base64:"]), /an empty log/u);
  assert.equal(judge(firmware, [/^nv-.*\n/mu, ""]).provable, false);
});

test("whose TPM it is: without trusted makers only noted, another maker's is a problem, an intermediate may come from the TPM", () => {
  const facts = parseMachineFacts(answerWith(firmware));
  const ekOf = (...args: Parameters<typeof judgeMachine>) => judgeMachine(...args).checks.find(({ id }) => id === "ek");
  assert.equal(ekOf(facts, undefined, now)?.state, "note");
  const other = new TestAuthority();
  // Its first TPM makes an authority's certificates.
  assert.ok(new TestNode(other).keys.ak.length > 0);
  const others = parseEkRoots(other.roots);
  assert.match(ekOf(facts, others, now)?.found ?? "", /no trusted issuer/u);
  const [root = "", issuer = ""] = authority.roots.split(/(?=-----BEGIN)/u);
  const rootOnly = parseEkRoots(root);
  assert.equal(ekOf(facts, rootOnly, now)?.state, "problem");
  const der = Buffer.from(issuer.replaceAll(/-----[^-]*-----|\s/gu, ""), "base64");
  // Over the border of two indices, and with zeros behind.
  const nv = new Map([
    ...facts.nv,
    [0x0100, der.subarray(0, 100)],
    [0x0101, Buffer.concat([der.subarray(100), Buffer.alloc(9)])],
  ]);
  assert.equal(ekOf({ ...facts, nv }, rootOnly, now)?.state, "ok");
});

const trusted = (state: string | undefined): boolean => state === "ok";

test("an intermediate that cannot be read leads nowhere, and does not hide those after it, as in an enrolment", () => {
  const root = testCertificate({ commonName: "Maker Root", extensions: authorityExtensions() });
  const between = testCertificate({ commonName: "Between", issuer: root, extensions: authorityExtensions() });
  const ek = testCertificate({ issuer: between, extensions: ekExtensions() });
  // OpenSSL reads it; RFC 5280, 4.2 forbids the same extension twice.
  const doubled = testCertificate({ extensions: [...authorityExtensions(), ...authorityExtensions()] });
  const nv = new Map([
    [0x0002, ek.der],
    [0x0100, doubled.der],
    [0x0101, between.der],
  ]);
  const facts = { ...parseMachineFacts(answerWith(firmware)), nv };
  const roots = parseEkRoots(root.pem);
  const { checks } = judgeMachine(facts, roots, now);
  assert.deepEqual(checks.find(({ id }) => id === "ek")?.state, "ok");
  const keys = { ak: tpm.keys.ak, ekPublic: tpm.keys.ekPublic, ekCertificate: ek.der };
  const ekIntermediates = [doubled.der, between.der];
  // The EK is another one, which is found out only after the chain has held.
  assert.throws(
    () => prepareEnrolment({ ...keys, ekIntermediates }, { ekRoots: roots }, now, (size) => new Uint8Array(size)),
    { message: /expected the EK of the certificate, found another EK/u },
  );
});

test("a place for an EK certificate that has only filling in it is passed over", () => {
  const facts = parseMachineFacts(answerWith(firmware));
  const [certificate] = facts.nv.values();
  assert.ok(certificate);
  const filling = Buffer.alloc(1600, 0xff);
  const before = new Map([
    [0x0002, filling],
    [0x000a, Buffer.concat([certificate, filling])],
  ]);
  const { provable, checks } = judgeMachine({ ...facts, nv: before }, ekRoots, now);
  assert.equal(provable, true);
  assert.equal(checks.filter(({ id }) => id === "ek").length, 1);
  const empty = judgeMachine({ ...facts, nv: new Map([[0x0002, filling]]) }, ekRoots, now);
  assert.match(empty.checks.find(({ id }) => id === "ek")?.found ?? "", /no EK certificate/u);
});

test("a cloud's certificate for an attestation key counts where there is no EK certificate, and the cloud is trusted", () => {
  const root = testCertificate({ commonName: "Cloud Root", extensions: authorityExtensions() });
  const vm = (extensions: Buffer[]): Uint8Array =>
    Buffer.concat([testCertificate({ commonName: "vm", issuer: root, extensions }).der, Buffer.alloc(99)]);
  const base = answerWith(
    firmware,
    [/^nv-.*\n/mu, ""],
    [/^tpm-device yes$/mu, `tpm-device yes\ncloud-1:208 ${base64(vm(akExtensions("2.23.133.8.3")))}`],
  );
  const facts = parseMachineFacts(base);
  assert.deepEqual([...facts.cloud.keys()], [0x01d0]);
  const roots = parseEkRoots(root.pem);
  const ekOf = (...args: Parameters<typeof judgeMachine>) => judgeMachine(...args).checks.find(({ id }) => id === "ek");
  const note = ekOf(facts, ekRoots, now);
  assert.equal(note?.state, "note");
  assert.match(note.found, /^attestation key's certificate at 0x01c101d0, issued by CN=Cloud Root/u);
  assert.match(note.advice ?? "", /--cloud-roots/u);
  assert.equal(judgeMachine(facts, undefined, now, roots).provable, true);
  assert.ok(trusted(ekOf(facts, undefined, now, roots)?.state));
  assert.match(ekOf(facts, undefined, now, ekRoots)?.found ?? "", /no trusted issuer named CN=Cloud Root/u);
  // Google's for an EK names no manufacturer.
  const google = { ...facts, nv: new Map([[2, vm(akExtensions(undefined, 0x20))]]) };
  assert.ok(trusted(ekOf(google, ekRoots, now, roots)?.state));
  assert.match(ekOf(google, ekRoots, now)?.found ?? "", /names no TPM manufacturer/u);
});

test("an EK certificate for a kind of key that nodes do not use is named", () => {
  const found = problems(firmware, [/^nv-0:2 /mu, "nv-0:26 "]);
  assert.match(found, /0x01c0001a: for an SM2 key, which is not supported \(.*P-521/u);
  assert.match(problems(firmware, [/^nv-0:2 /mu, "nv-0:30 "]), /0x01c0001e: for an RSA-4096 key/u);
});

test("what nobody may look at is not known; a driver after the hand-over and own programs are named", () => {
  const hidden = judge(
    firmware,
    [/^user 0$/mu, "user 1000"],
    [/^firmware-log .*\n/mu, ""],
    [/^tpm-device yes\n/mu, ""],
  );
  assert.equal(hidden.provable, undefined);
  assert.match(hidden.checks.map(({ advice = "" }) => advice).join(), /run it as root/u);
  const first = firmware.findIndex(({ pcr }) => pcr === 4);
  const own = { pcr: 4, type: 0x8000_0003, digest: sha256("services"), data: Buffer.from("device path") };
  const { provable, checks } = judge([...firmware.toSpliced(first, 0, own), late]);
  assert.equal(provable, true, "an operator may accept it");
  const text = checks.map(({ found, advice = "" }) => `${found} ${advice}`).join("\n");
  assert.match(text, new RegExp(`PCR 2 .*${sha256("driver")}.*--accept-firmware`, "u"));
  assert.match(text, new RegExp(`remembered at enrolment: .*${sha256("services")}`, "u"));
});

test("this machine is asked by the same script", async () => {
  const { checks } = judgeMachine(await askMachine(undefined), ekRoots, now);
  assert.ok(checks.length >= 4);
});

test("what is saved names no machine", async () => {
  const facts = parseMachineFacts(answerWith(firmware));
  const files = await saveMachine(join(directory, "saved"), facts, judgeMachine(facts, ekRoots, now));
  assert.deepEqual(readdirSync(join(directory, "saved")).toSorted(), files.toSorted());
  const text = files.map((name) => readFileSync(join(directory, "saved", name), "latin1")).join("");
  assert.doesNotMatch(text, /B\0o\0o\0t\0|issued by/u);
  assert.match(text, /Example Inc\./u);
});

test("an answer that is none is refused, and anything else is judged", () => {
  assert.throws(
    () => parseMachineFacts("sh: not found"),
    /expected a line "ashlar-machine 1", found none \(|expected a line/u,
  );
  assert.throws(() => parseMachineFacts(answerWith(firmware, [/^nv-.*$/mu, "nv-0:2 base64:???"])), /expected base64/u);
  const lines = answerWith(firmware).split("\n").slice(1);
  fc.assert(
    fc.property(fc.subarray(lines.slice(1)), fc.array(fc.string(), { maxLength: 5 }), (some, noise) => {
      const facts = parseMachineFacts(
        [lines[0], ...some, ...noise.map((text) => `x${text.replaceAll("\n", "")}`)].join("\n") + "\n",
      );
      judgeMachine(facts, ekRoots, now);
    }),
    { numRuns: 60 },
  );
});
