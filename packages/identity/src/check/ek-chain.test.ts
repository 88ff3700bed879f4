import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import type { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findEkChainProblem, parseCertificate, parseEkRoots } from "./ek-chain.ts";

const VECTORS = new URL("../../../../test/vectors/tpm/quotes/", import.meta.url);
const read = (name: string): Buffer => readFileSync(new URL(name, VECTORS));
const ROOTS = parseEkRoots(["swtpm-localca-rootca-cert.pem", "issuercert.pem"].map((name) => read(name)).join("\n"));
const NOW = new Date("2026-12-01T00:00:00Z");
const DAY_MS = 86_400_000;

const directory = mkdtempSync(join(tmpdir(), "ashlar-chain-"));
after(() => rmSync(directory, { recursive: true }));

const openssl = (...args: readonly string[]): unknown =>
  execFileSync("openssl", args, { cwd: directory, stdio: ["ignore", "ignore", "ignore"] });

const EXTENSIONS = `
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[leaf]
basicConstraints = critical, CA:FALSE
[ek]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = 2.23.133.8.1
subjectAltName = critical, dirName:tpm
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = critical, dirName:tpm
[tpm]
# OpenSSL drops what stands before the first point.
0.2.23.133.2.1 = id:00001014
`;
writeFileSync(join(directory, "extensions"), EXTENSIONS);

/** Makes NAME.key and NAME.pem, signed by the issuer's key, or by its own. */
function issue(name: string, extensions: string, days: number, issuer?: string): void {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", `${name}.key`];
  openssl("req", "-new", ...key, "-subj", `/CN=${name}`, "-out", `${name}.csr`);
  const signer =
    issuer === undefined
      ? ["-signkey", `${name}.key`]
      : ["-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`, "-CAcreateserial"];
  const how = ["-days", String(days), "-extfile", "extensions", "-extensions", extensions];
  openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.pem`, ...signer, ...how);
}

const pem = (name: string): string => readFileSync(join(directory, `${name}.pem`), "utf8");
const certificate = (name: string): X509Certificate => parseCertificate(pem(name), name);

issue("root", "authority", 30);
issue("maker", "authority", 10, "root");
issue("no-authority", "leaf", 30, "root");
issue("tpm", "ek", 5, "maker");
issue("tpm-of-no-authority", "ek", 30, "no-authority");
issue("server", "server", 30, "maker");
issue("no-tpm", "leaf", 30, "maker");
const OWN = parseEkRoots([pem("root"), pem("maker"), pem("no-authority")].join("\n"));

test("swtpm's certificates lead to their root, RSA and ECC", () => {
  for (const name of ["ek_rsa_cert.der", "ek_ecc_cert.der"]) {
    assert.equal(findEkChainProblem(parseCertificate(read(name), name), ROOTS, NOW), undefined);
  }
});

test("a chain to another authority, or without its intermediate, is refused", () => {
  const ek = parseCertificate(read("ek_rsa_cert.der"), "EK");
  assert.match(findEkChainProblem(ek, OWN, NOW) ?? "", /no trusted issuer named CN=swtpm-localca/u);
  assert.match(findEkChainProblem(certificate("tpm"), ROOTS, new Date()) ?? "", /no trusted issuer/u);
  const rootOnly = parseEkRoots(pem("root"));
  assert.match(findEkChainProblem(certificate("tpm"), rootOnly, new Date()) ?? "", /no trusted issuer named CN=maker/u);
});

test("an issuer of the same name with another key is another issuer", () => {
  issue("evil", "authority", 30);
  openssl("req", "-new", "-key", "evil.key", "-subj", "/CN=maker", "-out", "evil.csr");
  const how = ["-days", "30", "-extfile", "extensions", "-extensions", "authority"];
  openssl("x509", "-req", "-in", "evil.csr", "-out", "evil-maker.pem", "-signkey", "evil.key", ...how);
  assert.match(
    findEkChainProblem(certificate("tpm"), parseEkRoots(pem("evil-maker")), new Date()) ?? "",
    /no trusted/u,
  );
});

test("expired and future certificates are refused, the EK's, the maker's and the root's", () => {
  const at = (days: number): Date => new Date(Date.now() + days * DAY_MS);
  assert.equal(findEkChainProblem(certificate("tpm"), OWN, at(1)), undefined);
  assert.match(findEkChainProblem(certificate("tpm"), OWN, at(6)) ?? "", /expired certificate \(CN=tpm/u);
  assert.match(findEkChainProblem(certificate("tpm-of-no-authority"), OWN, at(-2)) ?? "", /not valid yet/u);
  issue("long-lived", "ek", 100, "maker");
  assert.match(findEkChainProblem(certificate("long-lived"), OWN, at(11)) ?? "", /expired certificate \(CN=maker/u);
});

test("an issuer that is no certificate authority is refused", () => {
  const problem = findEkChainProblem(certificate("tpm-of-no-authority"), OWN, new Date());
  assert.match(problem ?? "", /no certificate authority \(CN=no-authority\)/u);
});

test("certificates that are no EK's are refused", () => {
  assert.match(findEkChainProblem(certificate("server"), OWN, new Date()) ?? "", /other uses/u);
  assert.match(findEkChainProblem(certificate("no-tpm"), OWN, new Date()) ?? "", /names no TPM manufacturer/u);
  assert.match(findEkChainProblem(certificate("maker"), OWN, new Date()) ?? "", /authority's certificate/u);
});

test("bundles and certificates that cannot be read", () => {
  assert.throws(() => parseEkRoots(""), { code: "invalid" });
  assert.throws(() => parseEkRoots(pem("tpm")), { code: "invalid", message: /authority/u });
  assert.throws(() => parseEkRoots("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), {
    code: "malformed",
  });
  assert.throws(() => parseEkRoots("x".repeat(5 * 1024 * 1024)), { code: "limit" });
  const der = read("ek_rsa_cert.der");
  assert.throws(() => parseCertificate(Buffer.concat([der, Buffer.from([0])]), "EK"), { code: "malformed" });
  assert.throws(() => parseCertificate(der.subarray(1), "EK"), { code: "malformed" });
});
