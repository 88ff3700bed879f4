import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import type { Bench, BenchResult } from "./bench.ts";
import { median } from "./evidence.ts";

const NODES = 200;
const REQUESTS_PER_NODE = 25;
const FILE_BYTES = 150_000_000;
/** As nodes ask: from two blocks to what several changed files in a row make. */
const RANGE_BYTES = [8 * 1024, 32 * 1024, 128 * 1024, 512 * 1024] as const;
const ROUNDS = 5;
const FILE = "releases/ashlar_1.1.0.usr.blocks";

export const bench: Bench = {
  name: `${NODES} nodes fetching ranges at once from one release serve`,
  against: "nginx serving the same ranges, same run",
  reach: { comparison: "at least", value: 0.5, unit: "times" },
  command: "npm run bench -- release-serve",
  run: async () => await withTemporaryDirectory(measure),
};

type Server = { readonly url: string; readonly end: () => Promise<void> };

async function measure(directory: string): Promise<BenchResult> {
  const content = randomFillSync(Buffer.alloc(FILE_BYTES));
  const repository = join(directory, "repository");
  await mkdir(join(repository, "releases"), { recursive: true });
  await writeFile(join(repository, FILE), content);
  const ours = await startOurs(repository);
  const nginx = await startNginx(repository, directory);
  try {
    const [own, peer]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      own.push(await fetchAtOnce(ours.url, content));
      peer.push(await fetchAtOnce(nginx.url, content));
    }
    const detail =
      `${median(own).toFixed(0)} MB/s, nginx ${median(peer).toFixed(0)} MB/s ` +
      `(medians of ${ROUNDS}, taking turns; ${NODES * REQUESTS_PER_NODE} ranges each, all as they should be)`;
    return { value: median(own) / median(peer), detail };
  } finally {
    await Promise.all([ours.end(), nginx.end()]);
  }
}

/** All nodes begin together, each with a connection of its own; gives megabytes per second. */
async function fetchAtOnce(url: string, content: Buffer): Promise<number> {
  const start = performance.now();
  const fetched = await Promise.all(
    Array.from({ length: NODES }, async (_, node) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      let bytes = 0;
      for (let request = 0; request < REQUESTS_PER_NODE; request++) {
        const length = RANGE_BYTES[(node + request) % RANGE_BYTES.length] ?? 0;
        // Spread over the file: 7919 is prime.
        const offset = ((node * REQUESTS_PER_NODE + request) * 7919 * 4096) % (FILE_BYTES - length);
        bytes += await fetchRange(url, agent, content.subarray(offset, offset + length), offset);
      }
      agent.destroy();
      return bytes;
    }),
  );
  const bytes = fetched.reduce((sum, each) => sum + each, 0);
  return bytes / 1e6 / ((performance.now() - start) / 1000);
}

async function fetchRange(url: string, agent: Agent, expected: Buffer, offset: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = { range: `bytes=${offset}-${offset + expected.length - 1}` };
  const outgoing = get(`${url}${FILE}`, { agent, headers }, (response) => {
    let received = 0;
    let isRight = response.statusCode === 206;
    response.on("data", (chunk: Buffer) => {
      isRight &&= chunk.equals(expected.subarray(received, received + chunk.length));
      received += chunk.length;
    });
    response.on("error", reject).on("end", () => {
      if (isRight && received === expected.length) resolve(received);
      else reject(new AshlarError("failed", `${url}: expected ${expected.length} bytes at ${offset}, found others`));
    });
  });
  outgoing.on("error", (error) => reject(new AshlarError("failed", `${url}: ${error.message}`, { cause: error })));
  return await promise;
}

async function startOurs(repository: string): Promise<Server> {
  const args = ["release", "serve", "--repo", repository, "--port", "0", "--json"];
  const child = spawn(join(import.meta.dirname, "../../ashlar"), args, { stdio: ["ignore", "pipe", "inherit"] });
  const [line]: [Buffer] = (await once(child.stdout, "data")) as [Buffer];
  const { url }: { url: string } = JSON.parse(line.toString("utf8"));
  return {
    url,
    end: async () => {
      child.kill("SIGINT");
      await once(child, "exit");
    },
  };
}

const NGINX_PORT = 18_473;

/** As the guide configures it, on one port of its own. */
async function startNginx(root: string, directory: string): Promise<Server> {
  const config = join(directory, "nginx.conf");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${directory}/nginx-${name};`)
    .join("\n");
  await writeFile(
    config,
    `user root; worker_processes auto; pid ${directory}/nginx.pid; error_log stderr warn; daemon off;
events { worker_connections 1024; }
http { ${temporary}
access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
server { listen 127.0.0.1:${NGINX_PORT}; root ${root}; } }
`,
  );
  const child = spawn("nginx", ["-p", directory, "-c", config], { stdio: ["ignore", "ignore", "inherit"] });
  let failure: string | undefined;
  child.once("error", () => (failure = "is not installed: run `./ashlar setup`"));
  child.once("exit", (code) => (failure ??= `ended with status ${code}`));
  const url = `http://127.0.0.1:${NGINX_PORT}/`;
  while (
    !(await fetch(`${url}${FILE}`, { method: "HEAD" }).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (failure !== undefined) throw new AshlarError("missing-tool", `nginx ${failure}`);
    await sleep(20);
  }
  return {
    url,
    end: async () => {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}
