import { HOST_ADDRESS } from "../cluster/addresses.ts";

/**
 * Makes a node ask the lab's name server, and no other: those that QEMU's user network announces lead to this computer's
 * own, and answer nothing where these do not. A drop-in of the image's own network file: a class with another is left alone.
 */
export function nameServerFile(port: number): { readonly path: string; readonly text: string } {
  return {
    path: "/etc/systemd/network/80-ashlar-dhcp.network.d/10-lab.conf",
    text: `[Network]
DNS=${HOST_ADDRESS}:${port}
[DHCPv4]
UseDNS=no
[DHCPv6]
UseDNS=no
[IPv6AcceptRA]
UseDNS=no
`,
  };
}
