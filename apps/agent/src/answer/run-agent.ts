import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createApi } from "./api.ts";
import { loadKeys, type NodeKeys } from "./attestation-keys.ts";
import { quoteWithLogs, type QuoteWithLogs } from "./collect-evidence.ts";
import { activateCredential } from "./credential-activation.ts";
import { endWhenIdle } from "../shared/end-when-idle.ts";
import { createHttpsServer } from "./https-server.ts";
import { inheritedDescriptors, listeningSocket } from "../shared/inherited-descriptors.ts";
import { MeasurementLog } from "./measurement-log.ts";
import { nodePaths } from "../shared/node-paths.ts";
import { quote } from "./quote.ts";
import { SerialQueue } from "../shared/serial-queue.ts";
import { loadTlsIdentity } from "./tls-identity.ts";
import { TokenBucket } from "./token-bucket.ts";
import { tpmPrograms } from "./tpm-programs.ts";
import { createForwarding } from "./update-forwarding.ts";
import { askUpdater } from "../shared/updater-client.ts";
import { readVerityStatus } from "./verity-status.ts";

/** The names of the descriptors in ashlar-agent.service. */
const FIRMWARE_LOG = "firmware-log";
const USERSPACE_LOG = "userspace-log";

const DEFAULT_TCTI = "device:/dev/tpmrm0";
const DEFAULT_RUNTIME_DIRECTORY = "/run/ashlar-agent";
const DEFAULT_VERITY_STATUS_SOCKET = "/run/ashlar-verity-status.socket";

/** A hardware TPM takes 0.3 s for a quote: the last in a full queue waits some seconds. */
const MAX_QUEUED = 8;
const BURST_REQUESTS = 20;
const REFILL_MS = 500;
/** For a report on the next boot the disk is read. */
const BURST_REPORTS = 8;
const REPORT_REFILL_MS = 3000;

/** Serves until nobody asks any more. `environment`: as in `--help`, and what systemd sets: LISTEN_*, RUNTIME_DIRECTORY. */
export async function runAgent(
  options: { readonly idleTimeoutMs: number },
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const descriptors = inheritedDescriptors(environment, process.pid);
  const fd = listeningSocket(descriptors, { name: "https", unit: "ashlar-agent.socket" });
  const runtimeDirectory = environment["RUNTIME_DIRECTORY"] ?? DEFAULT_RUNTIME_DIRECTORY;
  const identity = await loadTlsIdentity(join(runtimeDirectory, "tls.pem"));
  const verityStatusSocket = environment["ASHLAR_VERITY_STATUS_SOCKET"] ?? DEFAULT_VERITY_STATUS_SOCKET;
  const tpm = tpmPrograms(environment["ASHLAR_TPM_TCTI"] ?? DEFAULT_TCTI);
  const firmwareLog = new MeasurementLog(FIRMWARE_LOG, descriptors.get(FIRMWARE_LOG));
  const userspaceLog = new MeasurementLog(USERSPACE_LOG, descriptors.get(USERSPACE_LOG));
  const updaterSocket = environment["ASHLAR_UPDATER_SOCKET"] ?? nodePaths().updaterAgentSocket;
  const limits = {
    queue: new SerialQueue(MAX_QUEUED),
    requests: new TokenBucket(BURST_REQUESTS, REFILL_MS, () => performance.now()),
  };
  const keys = async (): Promise<NodeKeys> => await loadKeys(tpm, join(runtimeDirectory, "keys.json"));
  const quoted = async (data: Buffer): Promise<QuoteWithLogs> => {
    const { attestationKey } = await keys();
    return await quoteWithLogs(async () => await quote(tpm, attestationKey, data), firmwareLog, userspaceLog);
  };
  const api = createApi(
    {
      tlsPublicKey: identity.publicKey,
      keys: async () => (await keys()).answer,
      activate: async (blob, secret) => await activateCredential(tpm, await keys(), blob, secret),
      quoteWithLogs: quoted,
      verityStatus: async () => await readVerityStatus(verityStatusSocket),
      osRelease: async () => await readFile("/etc/os-release", "utf8"),
      commandLine: async () => await readFile("/proc/cmdline", "utf8"),
    },
    limits,
  );
  const forwarding = createForwarding({
    askUpdater: async (request) => await askUpdater(updaterSocket, request),
    tlsPublicKey: identity.publicKey,
    quote: async (data) => (await quoted(data)).quote,
    tpm: limits,
    requests: new TokenBucket(BURST_REQUESTS, REFILL_MS, () => performance.now()),
    reports: new TokenBucket(BURST_REPORTS, REPORT_REFILL_MS, () => performance.now()),
  });
  const server = createHttpsServer(identity, new Map([...api, ...forwarding]));
  server.listen({ fd });
  await once(server, "listening");
  endWhenIdle([server], options.idleTimeoutMs);
}
