import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { readOptional, stateDirectory } from "@ashlar/host";
import type { RepositoryPlace } from "./release-repository.ts";
import { refuseNodeName } from "../node-name.ts";
import type { TrustSources } from "../ek-roots-files.ts";

/** Which release a node was declared to run: an image (its directory or manifest), a published version, or a channel's. */
export type DeclaredRelease = { readonly image: string } | { readonly version: string } | { readonly channel: string };

/** A node to challenge, with the exact bytes of what it was declared to be. */
export type DeclaredNode = {
  readonly name: string;
  readonly url: string;
  readonly classConfig: Uint8Array;
  readonly nodeConfig: Uint8Array;
  readonly explainSilence?: () => Promise<string | undefined>;
  /** Where that is said of this node: it counts instead of what holds for all. */
  readonly release?: DeclaredRelease;
  readonly trust?: TrustSources;
  /** Why it is not known what it was declared to be: then it cannot be proven, and gets no orders. */
  readonly fault?: string;
};

/** Nodes, and what is taken for granted about them unless the command line says otherwise. */
export type DeclaredNodes = {
  readonly nodes: readonly DeclaredNode[];
  readonly pinsPath: string;
  /** The image that the nodes were made from, when that is known. */
  readonly manifestPath?: string;
  readonly ekRootsPath?: string;
  /** The repository that the nodes' releases come from, when that is known. */
  readonly repository?: RepositoryPlace;
};

/** Nodes given by their URLs. Each one's own config is NAME.ign in `nodeConfigs`; without that file it must have none. */
export async function nodesAtUrls(
  list: string,
  classConfig: Uint8Array | undefined,
  nodeConfigs: string | undefined,
): Promise<DeclaredNodes> {
  const urls = list
    .split(",")
    .map((url) => url.trim())
    .filter((url) => url !== "");
  const nodes = await Promise.all(
    urls.map(async (url) => {
      const name = nameOfUrl(url);
      const nodeConfig = nodeConfigs === undefined ? undefined : await readNodeConfig(nodeConfigs, name);
      return { name, url, classConfig: classConfig ?? new Uint8Array(), nodeConfig: nodeConfig ?? new Uint8Array() };
    }),
  );
  if (nodes.length === 0 || new Set(nodes.map(({ name }) => name)).size < nodes.length) {
    throw new AshlarError("usage", `expected different https URLs, found ${list === "" ? "none" : list}`);
  }
  return { nodes, pinsPath: userPinsPath() };
}

/** Of nodes outside a lab. */
export function userPinsPath(): string {
  return join(stateDirectory(), "pins.json");
}

/** More than firmware and the node's parser take. */
const MAX_CONFIG_BYTES = 16 * 1024 * 1024;

/** A node's own config, NAME.ign; undefined when it has none. */
export async function readNodeConfig(directory: string, name: string): Promise<Uint8Array | undefined> {
  return await readOptional(join(directory, `${name}.ign`), MAX_CONFIG_BYTES, { links: "follow" });
}

/** Host and port, without the agent's usual port; an IPv6 address alone without brackets. */
function nameOfUrl(url: string): string {
  if (!URL.canParse(url)) throw new AshlarError("usage", `expected an https URL, found ${url}`);
  const name = new URL(url).host.replace(/:7443$/u, "").replace(/^\[(.*)\]$/u, "$1");
  refuseNodeName(name);
  return name;
}
