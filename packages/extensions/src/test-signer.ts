/** What tests build extensions from: keys, trees, and the host's own mkfs.erofs in place of the node's. */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { signingCertificatePem } from "@ashlar/formats";
import type { ExtensionSigner } from "./image/write-ddi.ts";

export function testDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "ashlar-extension-"));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

export type TestSigner = ExtensionSigner & { readonly certificate: X509Certificate };

export function testSigner(): TestSigner {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const certificatePem = signingCertificatePem(privateKey, "test", Uint8Array.of(1));
  return { privateKey, certificatePem, certificate: new X509Certificate(certificatePem) };
}

/** Writes files; a content that begins with "-> " makes a link. */
export function writeTree(tree: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(tree, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    if (content.startsWith("-> ")) symlinkSync(content.slice(3), join(tree, path));
    else writeFileSync(join(tree, path), content);
  }
}

/** Runs the host's own programs with the paths that they would have in the tools' tree. */
export const HOST_TOOLS = {
  run: async (
    program: string,
    args: readonly string[],
    { binds = {} }: { readonly binds?: Readonly<Record<string, string>> } = {},
  ): Promise<string> => {
    const paths = Object.entries(binds);
    // Debian 12's mkfs.erofs has no such option: there, -T is for all files.
    const known = args.filter((arg) => arg !== "--all-time");
    const onHost = known.map((arg) => paths.reduce((text, [inside, outside]) => text.replace(inside, outside), arg));
    return execFileSync(program, onHost, { encoding: "utf8", stdio: "pipe" });
  },
};
