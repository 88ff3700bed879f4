/** The program of a lab's servers. Its one argument is the lab's name. It works until it is ended. */
import { AshlarError } from "@ashlar/base";
import { readLimited } from "@ashlar/host";
import { reportLine } from "@ashlar/host/terminal";
import { labPaths } from "../lab-paths.ts";
import { readLabState } from "../lab-state.ts";
import { KUBELET_PORT, nodeAddress } from "./addresses.ts";
import { clusterPaths } from "./cluster-paths.ts";
import { clusterState } from "./cluster-state.ts";
import { startConnectProxy } from "./connect-proxy.ts";
import { startEthernetSwitch } from "./ethernet-switch.ts";
import { startImageServer } from "./image-server.ts";
import { keepLogsShort } from "./keep-logs-short.ts";

const MAX_STATE_BYTES = 256 * 1024;

const lab = labPaths(process.argv[2] ?? "");
const paths = clusterPaths(lab);
const { images, imagePort } = clusterState.parse(
  JSON.parse((await readLimited(paths.serversConfig, MAX_STATE_BYTES)).toString("utf8")),
);
await startImageServer({ images, port: imagePort });
await startEthernetSwitch({ socketPath: paths.switchSocket, onProblem: reportLine });
await startConnectProxy({ socketPath: paths.proxySocket, portOf: kubeletPortOf });
keepLogsShort(paths.logs, reportLine);

/** Asked of the lab's state each time: a machine that is powered on may get other ports. */
async function kubeletPortOf(address: string): Promise<number | undefined> {
  try {
    const { nodes } = await readLabState(lab);
    return nodes.find(({ name }) => address === `${nodeAddress(name)}:${KUBELET_PORT}`)?.kubeletPort;
  } catch (error) {
    // The lab is just being made, or taken down.
    if (error instanceof AshlarError) return undefined;
    throw error;
  }
}
