import type { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { AshlarError } from "@ashlar/base";
import type { VerifyOptions } from "@ashlar/publisher";

export type ReadFlags = {
  readonly repo?: string;
  readonly url?: string;
  readonly keys?: string;
  readonly root?: string;
  readonly keyring?: string;
  readonly certificate?: string;
  readonly json?: true;
};

/** Where a repository is, and what is trusted of it. */
export async function readingOptions(
  flags: ReadFlags,
): Promise<Pick<VerifyOptions, "url" | "trustedRoot" | "keyring" | "certificate" | "nowMs">> {
  const { EXTENSION_CERTIFICATE_FILE, KEYRING_FILE, ROOT_FILE } = await import("@ashlar/keys");
  const { readNamedFile } = await import("@ashlar/host");
  const { repo, url, keys } = flags;
  if ((repo === undefined) === (url === undefined)) {
    throw new AshlarError("usage", "expected either --repo or --url");
  }
  const rootPath = flags.root ?? (keys === undefined ? undefined : join(keys, ROOT_FILE));
  if (rootPath === undefined) {
    throw new AshlarError("usage", "expected --root or --keys: a repository must not vouch for itself", {
      hint: `give the ${ROOT_FILE} that \`ashlar release init\` has put beside the keys`,
    });
  }
  const keyringPath = flags.keyring ?? (keys === undefined ? undefined : join(keys, KEYRING_FILE));
  return {
    url: url ?? pathToFileURL(resolve(repo ?? "")).href,
    trustedRoot: await readNamedFile(rootPath, "release-root.json"),
    keyring: keyringPath === undefined ? undefined : await readNamedFile(keyringPath, "a keyring"),
    certificate: await readCertificate(flags.certificate, keys && join(keys, EXTENSION_CERTIFICATE_FILE)),
    nowMs: Date.now(),
  };
}

/** @param usual may be missing: a key directory that is older than extensions has none */
async function readCertificate(
  given: string | undefined,
  usual: string | undefined,
): Promise<X509Certificate | undefined> {
  const path = given ?? usual;
  if (path === undefined || (given === undefined && !existsSync(path))) return undefined;
  const { readNamedFile } = await import("@ashlar/host");
  const crypto = await import("node:crypto");
  const bytes = await readNamedFile(path, "a certificate");
  try {
    return new crypto.X509Certificate(bytes);
  } catch (error) {
    throw new AshlarError("malformed", `${path}: expected a certificate`, { cause: error });
  }
}
