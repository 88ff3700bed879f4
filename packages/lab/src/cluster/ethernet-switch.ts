import { createServer, type Server, type Socket } from "node:net";
import { messageOf } from "@ashlar/base";
import { HEADER_BYTES, PREFIX_BYTES, splitFrames } from "./frames.ts";
import { closeServer, listen, type Closable } from "@ashlar/host";

export type SwitchOptions = {
  readonly socketPath: string;
  /** Told why a machine was disconnected. */
  readonly onProblem?: ((message: string) => void) | undefined;
};

/** Of a lab's 16 machines each may be connected twice for a moment, when it restarts. */
const MAX_PORTS = 32;
/** A node's own address and those of what it bridges. Others are not learned: what goes to them goes to everybody. */
const MAX_ADDRESSES_OF_PORT = 64;
/** What waits for a machine that does not read. More is lost, as in any switch. */
const MAX_QUEUED_BYTES: number = 1024 * 1024;

const ADDRESS_BYTES = 6;
const DESTINATION_AT: number = PREFIX_BYTES;
const SOURCE_AT: number = PREFIX_BYTES + ADDRESS_BYTES;

/** One machine's connection. */
type Port = { readonly socket: Socket; readonly addresses: Set<string>; pending: Buffer };

/**
 * The network between the lab's machines: a switch that learns which address is behind which connection, on a unix socket
 * to which QEMU connects with `-netdev stream`. Nothing of it reaches this computer's own network.
 */
export async function startEthernetSwitch({ socketPath, onProblem }: SwitchOptions): Promise<Closable> {
  const ports = new Set<Port>();
  const portOf = new Map<string, Port>();
  const server: Server = createServer((socket) => {
    const port: Port = { socket, addresses: new Set(), pending: Buffer.alloc(0) };
    ports.add(port);
    socket.on("data", (chunk: Buffer) => {
      try {
        receive(port, chunk, ports, portOf);
      } catch (error) {
        onProblem?.(`disconnected a machine: ${messageOf(error)}`);
        socket.destroy();
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      ports.delete(port);
      for (const address of port.addresses) portOf.delete(address);
    });
  });
  server.maxConnections = MAX_PORTS;
  await listen(server, { path: socketPath });
  return {
    close: async () => {
      for (const { socket } of ports) socket.destroy();
      await closeServer(server);
    },
  };
}

function receive(port: Port, chunk: Buffer, ports: ReadonlySet<Port>, portOf: Map<string, Port>): void {
  const bytes = port.pending.length === 0 ? chunk : Buffer.concat([port.pending, chunk]);
  const { frames, rest } = splitFrames(bytes);
  port.pending = rest;
  for (const frame of frames) {
    if (frame.length < PREFIX_BYTES + HEADER_BYTES) continue;
    learn(port, addressAt(frame, SOURCE_AT), portOf);
    const destination = addressAt(frame, DESTINATION_AT);
    const known = isGroup(destination) ? undefined : portOf.get(destination);
    for (const receiver of known === undefined ? ports : [known]) {
      if (receiver !== port && receiver.socket.writableLength < MAX_QUEUED_BYTES) receiver.socket.write(frame);
    }
  }
}

/** Nobody sends from a group's address. An address that shows up at another port has moved there. */
function learn(port: Port, address: string, portOf: Map<string, Port>): void {
  if (isGroup(address) || portOf.get(address) === port) return;
  if (port.addresses.size >= MAX_ADDRESSES_OF_PORT) return;
  portOf.get(address)?.addresses.delete(address);
  port.addresses.add(address);
  portOf.set(address, port);
}

function addressAt(frame: Buffer, offset: number): string {
  return frame.toString("hex", offset, offset + ADDRESS_BYTES);
}

/** Broadcast and multicast: the lowest bit of the first byte (IEEE 802.3, clause 3.2.3). */
function isGroup(address: string): boolean {
  return (Number.parseInt(address.slice(0, 2), 16) & 1) === 1;
}
