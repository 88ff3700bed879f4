/** A kubeconfig as kubectl reads it: which server, whose certificate, and who asks (`v1`, "Organizing Cluster Access"). */
import { dirname, resolve } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import { parse } from "yaml";
import { z } from "zod";
import { execSchema, type ExecPlugin } from "./exec-schema.ts";

/** Everything that a connection needs, with all paths absolute. */
export type ClusterAccess = {
  /** As the kubeconfig calls it, for messages. */
  readonly context: string;
  readonly server: URL;
  readonly tlsServerName: string | undefined;
  /** Undefined: whom this computer trusts anyway. */
  readonly authority: Source | undefined;
  readonly login: Login;
};

/** Bytes as they stand in the file, or a file that has them and may be renewed. */
export type Source = { readonly bytes: Uint8Array } | { readonly path: string };

export type Login =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "token-file"; readonly path: string }
  | { readonly kind: "certificate"; readonly certificate: Source; readonly key: Source }
  | { readonly kind: "program"; readonly program: ExecPlugin; readonly directory: string };

const name: z.ZodType<string> = z.string().min(1).max(1000);
const MAX_ENTRIES = 1000;

/** Members that say something else, and preferences, are left alone: kubectl does the same. */
const clusterSchema = z.object({
  server: z.string().optional(),
  "tls-server-name": z.string().optional(),
  "insecure-skip-tls-verify": z.boolean().optional(),
  "certificate-authority": z.string().optional(),
  "certificate-authority-data": z.string().optional(),
  "proxy-url": z.string().optional(),
});
const userSchema = z.object({
  "client-certificate": z.string().optional(),
  "client-certificate-data": z.string().optional(),
  "client-key": z.string().optional(),
  "client-key-data": z.string().optional(),
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  username: z.string().optional(),
  as: z.string().optional(),
  exec: execSchema.optional(),
  "auth-provider": z.unknown().optional(),
});
const contextSchema = z.object({ cluster: name, user: name.or(z.literal("")).optional() });

const kubeconfigSchema = z.object({
  apiVersion: z.literal("v1").optional(),
  kind: z.literal("Config").optional(),
  "current-context": z.string().nullish(),
  clusters: z
    .array(z.object({ name, cluster: clusterSchema }))
    .max(MAX_ENTRIES)
    .nullish(),
  users: z
    .array(z.object({ name, user: userSchema.nullish() }))
    .max(MAX_ENTRIES)
    .nullish(),
  contexts: z
    .array(z.object({ name, context: contextSchema }))
    .max(MAX_ENTRIES)
    .nullish(),
});

type Cluster = z.infer<typeof clusterSchema>;
type User = z.infer<typeof userSchema>;

/** A file that has been read. */
export type KubeconfigFile = { readonly path: string; readonly text: string };

/**
 * What one context means. Of several files the first that has a name counts, as with kubectl.
 *
 * @throws AshlarError `malformed` for a file that is none, `not-found` for names that nothing is called, `invalid` for what
 * this program will not do
 */
export function readAccess(files: readonly KubeconfigFile[], contextName: string | undefined): ClusterAccess {
  const read = files.map((file) => ({ ...file, config: parseKubeconfig(file) }));
  const paths = files.map(({ path }) => path).join(", ");
  const context = contextName ?? read.map(({ config }) => config["current-context"]).find((each) => Boolean(each));
  if (context === undefined || context === null) {
    throw new AshlarError("not-found", `${paths}: expected a current-context, found none`, {
      hint: "choose one with --context",
    });
  }
  const find = <Entry extends { readonly name: string }>(
    kind: string,
    wanted: string,
    of: (config: z.infer<typeof kubeconfigSchema>) => readonly Entry[] | null | undefined,
  ): { readonly entry: Entry; readonly path: string } => {
    for (const { config, path } of read) {
      const entry = of(config)?.find((each) => each.name === wanted);
      if (entry !== undefined) return { entry, path };
    }
    const known = read.flatMap(({ config }) => (of(config) ?? []).map((each) => each.name));
    const there = known.length === 0 ? "none" : known.slice(0, 20).join(", ");
    throw new AshlarError("not-found", `${paths}: expected a ${kind} named ${wanted}, found ${there}`);
  };
  const { cluster: clusterName, user: userName } = find("context", context, ({ contexts }) => contexts).entry.context;
  const cluster = find("cluster", clusterName, ({ clusters }) => clusters);
  const user = userName === undefined || userName === "" ? undefined : find("user", userName, ({ users }) => users);
  return {
    context,
    ...serverOf(cluster.entry.cluster, cluster.path),
    login: user === undefined ? { kind: "none" } : loginOf(user.entry.user ?? {}, user.path),
  };
}

function parseKubeconfig({ path, text }: KubeconfigFile): z.infer<typeof kubeconfigSchema> {
  let value: unknown;
  try {
    // Aliases could make a small file large.
    value = parse(text, { maxAliasCount: 0, merge: false });
  } catch (error) {
    // What is wrong with the file may be shown; what stands there may be a password.
    throw new AshlarError(
      "malformed",
      `${path}: expected a kubeconfig, found no YAML (${firstLine(messageOf(error))})`,
    );
  }
  const found = kubeconfigSchema.safeParse(value);
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  throw new AshlarError("malformed", `${path}: expected a kubeconfig: ${issue?.path.join(".")}: ${issue?.message}`);
}

function firstLine(text: string): string {
  return (text.split("\n", 1)[0] ?? "").slice(0, 200);
}

function serverOf(cluster: Cluster, path: string): Pick<ClusterAccess, "server" | "tlsServerName" | "authority"> {
  const text = cluster.server ?? "";
  const server = URL.canParse(text) ? new URL(text) : undefined;
  if (server?.protocol !== "https:" || server.username !== "" || server.search !== "") {
    throw new AshlarError(
      "invalid",
      `${path}: expected the https URL of an API server, found ${JSON.stringify(text)}`,
      {
        hint: "what it answers decides which nodes restart: it has to be the real one",
      },
    );
  }
  if (cluster["insecure-skip-tls-verify"] === true) {
    throw new AshlarError("invalid", `${path}: expected certificate-authority, found insecure-skip-tls-verify`, {
      hint: "name the certificate of the cluster's CA: what the API server answers decides which nodes restart",
    });
  }
  if (cluster["proxy-url"] !== undefined) {
    throw new AshlarError("invalid", `${path}: expected no proxy-url, found one: it is not supported here`, {
      hint: "run the command where the API server can be reached",
    });
  }
  return {
    server,
    tlsServerName: cluster["tls-server-name"],
    authority: sourceOf(cluster, "certificate-authority", path),
  };
}

function loginOf(user: User, path: string): Login {
  if (user.username !== undefined || user["auth-provider"] !== undefined || user.as !== undefined) {
    throw new AshlarError("invalid", `${path}: expected a token, a certificate or exec, found another way to log in`, {
      hint: "passwords and auth-provider are gone from Kubernetes; impersonation is not supported here",
    });
  }
  const certificate = sourceOf(user, "client-certificate", path);
  const key = sourceOf(user, "client-key", path);
  // In kubectl's order.
  if (user.token !== undefined && user.token !== "") return { kind: "token", token: user.token };
  if (user.tokenFile !== undefined) return { kind: "token-file", path: resolve(dirname(path), user.tokenFile) };
  if (certificate !== undefined && key !== undefined) return { kind: "certificate", certificate, key };
  if ((certificate === undefined) !== (key === undefined)) {
    throw new AshlarError("invalid", `${path}: expected client-certificate and client-key, found only one of them`);
  }
  if (user.exec !== undefined) return { kind: "program", program: user.exec, directory: dirname(path) };
  return { kind: "none" };
}

type Named<Name extends string> = { readonly [Key in Name | `${Name}-data`]?: string | undefined };

/** The data in the file wins over a path to it. Paths are relative to the file. */
function sourceOf<Name extends string>(from: Named<Name>, member: Name, path: string): Source | undefined {
  const data = from[`${member}-data`];
  if (data !== undefined && data !== "") return { bytes: Buffer.from(data, "base64") };
  const file = from[member];
  return file === undefined || file === "" ? undefined : { path: resolve(dirname(path), file) };
}
