/** The recipes in `recipes/`: each is whole, and its health check says yes and no where it has to. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { run, withTemporaryDirectory } from "@ashlar/host";
import { parseGoSums } from "./go-sums.ts";
import { loadRecipe } from "./load-recipe.ts";

const RECIPES = join(import.meta.dirname, "../../../../recipes");
const UNITS = "usr/lib/systemd/system";

for (const name of readdirSync(RECIPES)) {
  test(`recipe ${name}: everything that it names is there`, async () => {
    const { recipe, directory } = await loadRecipe(name);
    const { healthCheck, start, restart, reload } = recipe.behaviour;
    for (const unit of [...start, ...restart, ...reload]) {
      const isHere = existsSync(join(directory, "files", UNITS, unit));
      assert.ok(isHere || unit === "containerd.service", `${unit} is neither here nor in the base image`);
    }
    if (healthCheck !== null) {
      const path = join(directory, "files", healthCheck);
      assert.ok((statSync(path).mode & constants.S_IXUSR) !== 0, `${path} is not executable`);
      const { status, stderr } = spawnSync("bash", ["-n", path], { encoding: "utf8" });
      assert.equal(status, 0, stderr);
    }
    assert.ok(readFileSync(join(directory, "README.md"), "utf8").startsWith(`# ${name}\n`));
    if (recipe.version.type !== "fixed" || recipe.go === null) return;
    const { version } = recipe.version;
    const sums = join(directory, "go", `${version}.sum`);
    const [built] = parseGoSums(readFileSync(sums, "utf8"), sums);
    assert.deepEqual([built.path, built.version], [recipe.go.module, version]);
    for (const { url, sha256 } of recipe.downloads) assert.ok(sha256.has(version), url);
  });
}

test("health of kubernetes: the version, no kubelet where none is to run, its own word where one is", async () => {
  await withHealthCheck("kubernetes", 10248, async ({ check, setUnit, setAnswer }) => {
    setUnit("inactive");
    assert.match(await check(1), /expected Kubernetes v1\.2\.3, found Kubernetes v1\.2\.2/u);
    await check(0, "v1.2.2");
    setUnit("failed");
    assert.match(await check(1, "v1.2.2"), /kubelet\.service is failed/u);
    setUnit("active");
    setAnswer(200, "ok");
    await check(0, "v1.2.2");
    setAnswer(500, "[-]syncloop failed");
    assert.match(await check(1, "v1.2.2"), /is active; .*HTTP\/1\.1 500/u);
    setAnswer(null);
    assert.match(await check(1, "v1.2.2"), /is active; .*refused/u);
  });
});

test("joining anew: what a failed attempt has left goes, a node that has joined stays as it is", async () => {
  await withTemporaryDirectory(async (root) => {
    const etc = join(root, "etc/kubernetes");
    mkdirSync(join(etc, "pki"), { recursive: true });
    const script = join(root, "clear-failed-join");
    const text = readFileSync(join(RECIPES, "kubernetes/files/usr/lib/ashlar/kubernetes/clear-failed-join"), "utf8");
    writeFileSync(script, text.replaceAll("/etc/kubernetes", etc), { mode: 0o755 });
    writeFileSync(join(root, "systemctl"), `#!/bin/sh\necho "$@" >> ${root}/called\n`, { mode: 0o755 });
    const env = { PATH: `${root}:${process.env["PATH"] ?? ""}` };
    const left = (): string[] => readdirSync(etc, { recursive: true, encoding: "utf8" }).toSorted();
    for (const name of ["bootstrap-kubelet.conf", "kubelet.conf", "pki/ca.crt"]) writeFileSync(join(etc, name), "");
    await run(script, [], { env });
    assert.deepEqual(left(), ["bootstrap-kubelet.conf", "kubelet.conf", "pki", "pki/ca.crt"]);
    assert.ok(!existsSync(join(root, "called")));
    rmSync(join(etc, "kubelet.conf"));
    await run(script, [], { env });
    assert.deepEqual(left(), ["pki"]);
    assert.equal(readFileSync(join(root, "called"), "utf8"), "stop kubelet.service\n");
  });
});

test("health of node-exporter: metrics, not only an answer", async () => {
  await withHealthCheck("node-exporter", 9100, async ({ check, setUnit, setAnswer }) => {
    setUnit("active");
    setAnswer(200, "node_boot_time_seconds 1.76e+09\n");
    await check(0);
    setAnswer(200, "nothing\n");
    assert.match(await check(1), /is active; /u);
    setUnit("failed");
    assert.match(await check(1), /is failed; .*not asked/u);
  });
});

test("health of containerd: the server's version counts, not the client's", async () => {
  await withHealthCheck("containerd", null, async ({ check, setProgram }) => {
    const answer = (server: string): string => `echo 'Client:\n  Version:  v1.2.3\n\nServer:\n  Version:  ${server}\n'`;
    setProgram("ctr", answer("v1.2.3"));
    await check(0);
    setProgram("ctr", answer("1.7.24"));
    assert.match(await check(1), /expected a server v1\.2\.3/u);
    setProgram("ctr", "echo 'Client:\n  Version:  v1.2.3' >&2; exit 1");
    await check(1);
  });
});

type Health = {
  /** Runs the check, which must end with this status, as that of an extension of this version. */
  readonly check: (status: number, version?: string) => Promise<string>;
  readonly setUnit: (state: string) => void;
  /** Null: nobody listens. */
  readonly setAnswer: (status: number | null, body?: string) => void;
  readonly setProgram: (name: string, script: string) => void;
};

/** The check in a tree of its own, with a port of its own instead of the real one, and without its patience. */
async function withHealthCheck(
  name: string,
  port: number | null,
  work: (health: Health) => Promise<void>,
): Promise<void> {
  await withTemporaryDirectory(async (root) => {
    let answer: readonly [status: number, body: string] | null = null;
    const server = createServer((_request, response) => {
      const [status, body] = answer ?? [404, ""];
      response.writeHead(status).end(body);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    const open = typeof address === "object" && address !== null ? address.port : 0;
    const lib = join(root, "usr/lib");
    mkdirSync(join(lib, "ashlar/health.d"), { recursive: true });
    mkdirSync(join(lib, "extension-release.d"));
    const programs = join(root, "bin");
    mkdirSync(programs);
    const path = join(lib, "ashlar/health.d", name);
    cpSync(join(RECIPES, name, "files/usr/lib/ashlar/health.d", name), path);
    const script = readFileSync(path, "utf8")
      .replace(/SECONDS \+ \d+/u, "SECONDS + 1")
      .replace("sleep 1", "sleep 0.2");
    const setProgram = (program: string, text: string): void => {
      writeFileSync(join(programs, program), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    };
    setProgram("kubelet", "echo Kubernetes v1.2.2");
    try {
      await work({
        check: async (status, version = "v1.2.3") => {
          writeFileSync(join(lib, `extension-release.d/extension-release.${name}`), `IMAGE_VERSION=${version}\n`);
          // Port 1 is nobody's: connections are refused.
          writeFileSync(path, script.replaceAll(`${port ?? "no port"}`, `${answer === null ? 1 : open}`), {
            mode: 0o755,
          });
          const env = { PATH: `${programs}:${process.env["PATH"] ?? ""}` };
          const { status: found, stdout } = await run(path, [], { env, acceptStatus: [0, 1] });
          assert.equal(found, status, stdout.toString("utf8"));
          return stdout.toString("utf8");
        },
        setUnit: (state) => setProgram("systemctl", `echo ${state}; [ "$1" = show ] || [ ${state} = active ]`),
        setAnswer: (status, body = "") => (answer = status === null ? null : [status, body]),
        setProgram,
      });
    } finally {
      server.close();
    }
  });
}
