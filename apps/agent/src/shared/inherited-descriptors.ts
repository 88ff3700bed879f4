import { AshlarError } from "@ashlar/base";

/** sd_listen_fds(3): the first inherited descriptor. */
const FIRST_DESCRIPTOR = 3;
const MAX_DESCRIPTORS = 16;

/**
 * The descriptors that systemd passed to this process (sd_listen_fds_with_names(3)), by their names: `FileDescriptorName=`
 * of a socket, or the name in `OpenFile=`.
 *
 * @throws AshlarError `usage` when none were passed to this process.
 */
export function inheritedDescriptors(environment: NodeJS.ProcessEnv, processId: number): ReadonlyMap<string, number> {
  const count = Number(environment["LISTEN_FDS"] ?? "0");
  // A variable inherited by accident from a parent that was started by systemd is not meant for us.
  if (environment["LISTEN_PID"] !== String(processId) || !Number.isInteger(count) || count < 1) {
    throw new AshlarError("usage", "expected a listening socket from systemd (LISTEN_FDS), found none", {
      hint: "start it with `systemctl start ashlar-agent.socket`",
    });
  }
  if (count > MAX_DESCRIPTORS) {
    throw new AshlarError("limit", `LISTEN_FDS: expected at most ${MAX_DESCRIPTORS} descriptors, found ${count}`);
  }
  const names = (environment["LISTEN_FDNAMES"] ?? "").split(":");
  return new Map(Array.from({ length: count }, (_, index) => [names[index] ?? "", FIRST_DESCRIPTOR + index]));
}

/**
 * The descriptor of a listening socket, by its `FileDescriptorName=`.
 *
 * @throws AshlarError `usage` when systemd has passed none of this name
 */
export function listeningSocket(
  descriptors: ReadonlyMap<string, number>,
  { name, unit }: { readonly name: string; readonly unit: string },
): number {
  const fd = descriptors.get(name);
  if (fd !== undefined) return fd;
  const found = [...descriptors.keys()].join(", ");
  throw new AshlarError("usage", `expected a socket named ${name} from systemd, found ${found}`, {
    hint: `start it with \`systemctl start ${unit}\``,
  });
}
