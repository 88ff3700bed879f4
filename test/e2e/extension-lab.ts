/** One node with extensions, the repository that it has them from, and what it is declared to have. */
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { NamedVerdict } from "@ashlar/identity";
import type { ExtensionsStatus } from "@ashlar/protocol";
import { type Lab, openLab } from "@ashlar/lab";
import { ashlar, OUT, prove } from "./world.ts";

const NODE = "node-1";
const HEALTH_CHECK = "/usr/lib/ashlar/health.d/kubernetes";

export type ExtensionTree = {
  readonly kind?: "sysext" | "confext";
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
  readonly options?: readonly string[];
};

/** A Butane file that declares extensions: each a line such as `{name: site, version: v*, tier: opt-in}`; then more YAML. */
export function declaring(extensions: readonly string[], more = ""): string {
  return `variant: flatcar
version: 1.0.0
storage:
  files:
    - path: /etc/ashlar/extensions.yaml
      contents:
        inline: |
          extensions:
${extensions.map((each) => `            - ${each}\n`).join("")}${more}`;
}

/** Programs that say which version they are, in place of Kubernetes' own. */
export function kubernetes(version: string, health = "exit 0"): ExtensionTree {
  const program = `#!/bin/sh\necho Kubernetes ${version}\n`;
  return {
    name: "kubernetes",
    version,
    files: {
      "usr/bin/kubelet": `#!/bin/sh\n[ "$1" = --version ] && exec echo Kubernetes ${version}\nexec sleep infinity\n`,
      "usr/bin/kubeadm": program,
      "usr/lib/systemd/system/kubelet.service": "[Service]\nExecStart=/usr/bin/kubelet\n",
      [HEALTH_CHECK.slice(1)]: `#!/bin/sh\n[ "$(kubelet --version)" = "Kubernetes ${version}" ] || exit 2\n${health}\n`,
    },
    options: ["--tier", "community", "--restart", "kubelet.service", "--start", "kubelet.service"].concat([
      "--health-check",
      HEALTH_CHECK,
    ]),
  };
}

/** Keys, a repository, and a place for images. */
export class ExtensionWorld {
  readonly directory: string;

  constructor(name: string) {
    this.directory = join(OUT, name);
  }

  get repository(): string {
    return join(this.directory, "repository");
  }

  get keys(): string {
    return join(this.directory, "keys");
  }

  get image(): string {
    return join(this.directory, "image");
  }

  async make(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
    await mkdir(this.directory, { recursive: true });
    await ashlar("release", "init", "--repo", this.repository, "--keys", this.keys);
    const source = ["--release-url", "http://repository.invalid/", "--release-keys", this.keys];
    await ashlar("image", "build", "--version", "1.0.0", "--out", this.image, ...source);
  }

  /** Builds a signed image, and gives its path. */
  async build(
    { kind = "sysext", name, version, files, options = [] }: ExtensionTree,
    keys: string = this.keys,
  ): Promise<string> {
    const tree = join(this.directory, "trees", `${name}-${version}`);
    await rm(tree, { recursive: true, force: true });
    for (const [path, content] of Object.entries(files)) {
      const target = join(tree, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
      await chmod(target, /\/bin\/|health\.d/u.test(path) ? 0o755 : 0o644);
    }
    const out = join(this.directory, "images");
    const what = ["--kind", kind, "--name", name, "--version", version, "--from", tree];
    await ashlar("extension", "build", ...what, "--keys", keys, "--out", out, ...options);
    return join(out, `${name}-${version}-x86-64.raw`);
  }

  /** Builds a recipe's image and publishes it; `recipe` is its name, with the options of `extension build` that it needs. */
  async publishRecipe(...recipe: readonly string[]): Promise<void> {
    const out = join(this.directory, "images");
    const common = ["--release", this.image, "--keys", this.keys, "--out", out, "--json"];
    const { image }: { image: string } = JSON.parse(
      await ashlar("extension", "build", "--recipe", ...recipe, ...common),
    );
    await ashlar("extension", "publish", "--repo", this.repository, "--keys", this.keys, image);
  }

  async publish(...trees: readonly ExtensionTree[]): Promise<void> {
    for (const tree of trees) {
      const image = await this.build(tree);
      await ashlar("extension", "publish", "--repo", this.repository, "--keys", this.keys, image);
    }
  }
}

export class ExtensionLab {
  readonly lab: Lab;

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  static async up(
    name: string,
    world: ExtensionWorld,
    config: string,
    options: readonly string[] = [],
  ): Promise<ExtensionLab> {
    const path = join(world.directory, `${name}.bu`);
    await writeFile(path, config);
    await ashlar("lab", "down", "--name", name);
    const repository = ["--repo", world.repository, "--keys", world.keys];
    const node = ["--nodes", "1", "--image", world.image, "--config", path];
    await ashlar("lab", "up", "--name", name, ...node, ...repository, ...options);
    return new ExtensionLab(await openLab(name));
  }

  async down(): Promise<void> {
    await ashlar("lab", "down", "--name", this.lab.name);
  }

  async restart(): Promise<void> {
    await ashlar("lab", "restart", NODE, "--name", this.lab.name);
  }

  /** Runs a shell script on the node as root. */
  async root(script: string): Promise<{ readonly status: number; readonly output: string }> {
    return await this.lab.root(NODE, script);
  }

  /** The same, for a script that must succeed. */
  async mustRun(script: string): Promise<string> {
    const { status, output } = await this.root(script);
    if (status === 0) return output;
    throw new Error(`${script}: status ${status}: ${output}`);
  }

  /** Puts a file onto the node. */
  async put(bytes: Uint8Array, path: string): Promise<void> {
    const text = Buffer.from(bytes).toString("base64");
    await this.mustRun(`mkdir -p "$(dirname ${path})" && base64 -d >${path} <<'END'\n${text}\nEND`);
  }

  async status(): Promise<ExtensionsStatus> {
    return JSON.parse(await this.mustRun("ashlar agent extensions status --json"));
  }

  /** What is merged, as `NAME VERSION`. */
  async merged(): Promise<string[]> {
    return (await this.status()).merged.map(({ name, version }) => `${name} ${version}`);
  }

  async prove(): Promise<{ readonly status: number; readonly node: NamedVerdict }> {
    const { status, fleet } = await prove("--lab", this.lab.name);
    const [node] = fleet.nodes;
    if (node === undefined) throw new Error(`${this.lab.name}: no node was proved`);
    return { status, node };
  }
}
