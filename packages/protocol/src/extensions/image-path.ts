import { EXTENSION_VERSION_PATTERN } from "../manifests/extension-manifest.ts";
import { EXTENSION_NAME_PATTERN } from "../words/extension-words.ts";

/** Where a node keeps extension images, each below a directory of its name. */
export const EXTENSION_STORE = "/opt/extensions";

/** Reads `NAME-VERSION-x86-64.raw`. A version has no hyphen, so there is one way to read it. */
export function parseExtensionFileName(
  fileName: string,
): { readonly name: string; readonly version: string } | undefined {
  const { name, version } = FILE_NAME.exec(fileName)?.groups ?? {};
  if (name === undefined || version === undefined) return undefined;
  return EXTENSION_NAME_PATTERN.test(name) && EXTENSION_VERSION_PATTERN.test(version) ? { name, version } : undefined;
}

const FILE_NAME = /^(?<name>[^/]{1,63})-(?<version>[^/-]{1,64})-x86-64\.raw$/u;

/** Reads `/opt/extensions/NAME/NAME-VERSION-x86-64.raw`. */
export function parseImagePath(path: string): ReturnType<typeof parseExtensionFileName> {
  const [directory, fileName, ...more] = path.startsWith(`${EXTENSION_STORE}/`)
    ? path.slice(EXTENSION_STORE.length + 1).split("/")
    : [];
  const image = fileName === undefined || more.length > 0 ? undefined : parseExtensionFileName(fileName);
  return image !== undefined && image.name === directory ? image : undefined;
}
