/**
 * Which cluster the measured configuration names: the address of its API server and digests of its CA's key. From
 * /etc/ashlar/cluster.yaml, or else from the `kubeadm join` line of a unit.
 */
import { type Report, formatProblem, hasErrors } from "@ashlar/base";
import { readYaml } from "../yaml-document.ts";
import { type JoinLine, joinLinesOf } from "./join-lines.ts";

export type DeclaredCluster = {
  /** HOST:PORT of the API server. */
  readonly server: string;
  /** Of each CA that may sign for it: `sha256:` and the SHA-256 of its SubjectPublicKeyInfo, in lower-case hexadecimal. */
  readonly caHashes: readonly string[];
  /** The file that says so. */
  readonly path: string;
};

export type ConfigFile = { readonly path: string; readonly text: string };

export type ClusterDeclaration = {
  /** Undefined when no file names one, or what they say cannot be used. */
  readonly cluster: DeclaredCluster | undefined;
  /** Why it cannot be used, each for people. */
  readonly problems: readonly string[];
};

export const CLUSTER_FILE = "/etc/ashlar/cluster.yaml";
const MAX_CHARACTERS = 16 * 1024;
const MAX_HASHES = 8;
const SERVER =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?|\[[0-9a-fA-F:.]{2,45}\]):(?<port>[1-9][0-9]{0,4})$/u;
const CA_HASH = /^sha256:[0-9a-f]{64}$/u;

/** @param units the unit files and their drop-ins; @param clusterFile the text of cluster.yaml */
export function declaredCluster(units: readonly ConfigFile[], clusterFile: string | undefined): ClusterDeclaration {
  return clusterFile === undefined ? fromUnits(units) : fromFile(clusterFile);
}

function fromFile(text: string): ClusterDeclaration {
  const limits = { maxCharacters: MAX_CHARACTERS, hint: "see docs/guides/kubernetes.md" };
  const { value, report } = readYaml(text, limits, (reader, root) =>
    root === null
      ? {}
      : reader.map<Omit<DeclaredCluster, "path">>(root, "$", {
          server: (node, path) => reader.text(node, path, isServer, "HOST:PORT"),
          caHashes: (node, path) =>
            reader.list(node, path, MAX_HASHES, (item, at) =>
              reader.text(item, at, (hash) => CA_HASH.test(hash), "sha256: and 64 hexadecimal digits"),
            ),
        }),
  );
  const { server, caHashes = [] } = value ?? {};
  const missing: Report =
    hasErrors(report) || (server !== undefined && caHashes.length > 0)
      ? []
      : [{ severity: "error", message: "expected server and caHashes, found not both" }];
  const problems = [...report, ...missing].map((each) => formatProblem(each, { name: CLUSTER_FILE, text }));
  if (problems.length > 0 || server === undefined) return { cluster: undefined, problems };
  return { cluster: { server, caHashes, path: CLUSTER_FILE }, problems };
}

function fromUnits(units: readonly ConfigFile[]): ClusterDeclaration {
  const found = units.flatMap(({ path, text }) => joinLinesOf(text).map((line) => fromLine(path, line)));
  const problems = found.flatMap((each) => each.problems);
  const clusters = found.flatMap(({ cluster }) => cluster ?? []);
  const [cluster, ...others] = clusters;
  const another = others.find((each) => describe(each) !== (cluster === undefined ? "" : describe(cluster)));
  if (cluster !== undefined && another !== undefined) {
    const both = `${cluster.path} joins ${describe(cluster)}, ${another.path} ${describe(another)}`;
    return { cluster: undefined, problems: [...problems, `expected one cluster: ${both}`] };
  }
  return { cluster, problems };
}

function describe({ server, caHashes }: DeclaredCluster): string {
  return `${server} with ${caHashes.toSorted().join(", ")}`;
}

function fromLine(path: string, { server, caHashes, configFile }: JoinLine): ClusterDeclaration {
  const instead = `write server and caHashes into ${CLUSTER_FILE}`;
  const refuse = (message: string, hint: string): ClusterDeclaration => ({
    cluster: undefined,
    problems: [`${path}: ${message}\nhint: ${hint}`],
  });
  if (configFile !== undefined && server === undefined) {
    return refuse(`expected kubeadm join HOST:PORT, found --config ${configFile}, which is not read`, instead);
  }
  if (server === undefined || !isServer(server)) {
    return refuse(`expected kubeadm join HOST:PORT, found ${server ?? "no address"}`, instead);
  }
  const wrong = caHashes.find((hash) => !CA_HASH.test(hash.toLowerCase()));
  if (wrong !== undefined) {
    return refuse(`expected sha256: and 64 hexadecimal digits as digest of the CA's key, found ${wrong}`, instead);
  }
  if (caHashes.length === 0) {
    return refuse(
      "expected --discovery-token-ca-cert-hash in the line that joins, found none: nothing measured says which CA is right",
      `add it, or ${instead}`,
    );
  }
  return { cluster: { server, caHashes: caHashes.map((hash) => hash.toLowerCase()), path }, problems: [] };
}

function isServer(text: string): boolean {
  const port = SERVER.exec(text)?.groups?.["port"];
  return port !== undefined && Number(port) <= 65_535;
}
