import { LAB_CARD_SLOT } from "./cluster/addresses.ts";
import { isAtLeast, type QemuVersion } from "./qemu-version.ts";

/**
 * "tcg-counted" is emulation in which the machine's clock counts instructions, 2 ns each: what it measures of itself does
 * not depend on how busy this computer is. It is several times slower, and its processors take turns.
 */
export type Accelerator = "kvm" | "tcg" | "tcg-counted";

export const ACCELERATORS: readonly Accelerator[] = ["kvm", "tcg", "tcg-counted"];

export type MachineOptions = {
  readonly name: string;
  readonly uuid: string;
  readonly accelerator: Accelerator;
  readonly processors: number;
  readonly memoryMiB: number;
  readonly firmwarePath: string;
  /** The firmware keeps its variables to itself: only code in system management mode writes them (SMM). */
  readonly secureBoot: boolean;
  readonly firmwareVariablesPath: string;
  readonly diskPath: string;
  readonly tpmSocketPath: string;
  readonly monitorSocketPath: string;
  readonly consoleSocketPath: string;
  readonly consolePath: string;
  /** The Ignition config. Without one the machine finds no source that answers. */
  readonly provisioningPath: string | undefined;
  /** What its clock says when it is powered on. Undefined: the time. */
  readonly clock: Date | undefined;
  /** The machine's second card, on the network between the lab's machines. */
  readonly labCard?: LabCard | undefined;
  readonly forwards: readonly { readonly hostPort: number; readonly guestPort: number }[];
};

export type LabCard = {
  /** The lab's switch. */
  readonly socketPath: string;
  /** Its Ethernet address. */
  readonly address: string;
  readonly qemuVersion: QemuVersion;
};

/** The arguments of qemu-system-x86_64 for one machine of a lab. */
export function qemuArguments(machine: MachineOptions): string[] {
  const options: (readonly [string, string])[] = [
    ["-name", `guest=${value(machine.name)}`],
    ["-uuid", machine.uuid],
    ["-smp", String(machine.processors)],
    ["-m", String(machine.memoryMiB)],
    // Losing the last writes when the host loses power is fine here: a lab is made anew in minutes.
    ["-drive", `if=none,id=disk,format=raw,cache=unsafe,discard=unmap,file=${value(machine.diskPath)}`],
    ["-device", "virtio-blk-pci,drive=disk,bootindex=0"],
    ["-netdev", `user,id=net${machine.forwards.map(forward).join("")}`],
    // Without its ROM the card cannot be booted from: a lab machine boots from its disk or not at all.
    ["-device", "virtio-net-pci,netdev=net,romfile="],
    ...(machine.labCard === undefined ? [] : labCardOptions(machine.labCard)),
    ["-device", "virtio-rng-pci"],
    // Restarts a machine whose kernel hangs.
    ["-device", "i6300esb"],
    ["-action", "watchdog=reset"],
    ["-chardev", `socket,id=tpm,path=${value(machine.tpmSocketPath)}`],
    ["-tpmdev", "emulator,id=tpm,chardev=tpm"],
    ["-device", "tpm-crb,tpmdev=tpm"],
    ["-chardev", `${socket("console", machine.consoleSocketPath)},logfile=${value(machine.consolePath)}`],
    ["-serial", "chardev:console"],
    ["-chardev", socket("monitor", machine.monitorSocketPath)],
    ["-mon", "chardev=monitor,mode=control"],
  ];
  if (machine.provisioningPath !== undefined) {
    options.push(["-fw_cfg", `name=opt/com.coreos/config,file=${value(machine.provisioningPath)}`]);
  }
  if (machine.clock !== undefined) options.push(["-rtc", `base=${machine.clock.toISOString().slice(0, 19)}`]);
  return [
    ...platformArguments(machine.accelerator, machine.secureBoot),
    ...firmwareArguments(machine.firmwarePath, machine.firmwareVariablesPath),
    ...(machine.secureBoot ? ["-global", "driver=cfi.pflash01,property=secure,value=on"] : []),
    ...options.flat(),
  ];
}

/** What every machine has, also the one that tries whether KVM works. */
export function platformArguments(accelerator: Accelerator, secureBoot = false): string[] {
  // Nothing may come from the user's own QEMU configuration: the machine is part of what is measured.
  const bare = [
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    "-machine",
    `q35,smm=${secureBoot ? "on" : "off"}`,
  ];
  return [...bare, ...ACCELERATOR_ARGUMENTS[accelerator]];
}

/**
 * What a processor offers can cost time when it is emulated. Measured as QEMU's processor time from power-on to
 * multi-user.target, on two cores with some other work, without the instructions for SHA: 54 s with this, 59 s with those
 * for AES and SHA besides, 63 s with no vectors beyond SSE3, 70 and 86 s with `max`, 85 s with Nehalem, since Linux works
 * around the faults of Intel's processors. Those for SHA alone make no difference to a boot (52 s both on a quiet machine)
 * and hash twice as fast (141 against 64 MB/s).
 */
const EMULATED_PROCESSOR = "qemu64,+cx16,+popcnt,+ssse3,+sse4.1,+sse4.2,+sha-ni";

const ACCELERATOR_ARGUMENTS: Record<Accelerator, readonly string[]> = {
  kvm: ["-accel", "kvm", "-cpu", "host"],
  tcg: ["-accel", "tcg,thread=multi", "-cpu", EMULATED_PROCESSOR],
  // An instruction takes 2 to the power of the shift, in nanoseconds.
  "tcg-counted": ["-accel", "tcg,thread=single", "-icount", "shift=1", "-cpu", EMULATED_PROCESSOR],
};

export function firmwareArguments(codePath: string, variablesPath: string): string[] {
  return [
    "-drive",
    `if=pflash,unit=0,format=raw,readonly=on,file=${value(codePath)}`,
    "-drive",
    `if=pflash,unit=1,format=raw,file=${value(variablesPath)}`,
  ];
}

/** Connects anew when the lab's switch was started anew. */
function labCardOptions({ socketPath, address, qemuVersion }: LabCard): (readonly [string, string])[] {
  const again = isAtLeast(qemuVersion, RECONNECT_IN_MS) ? "reconnect-ms=1000" : "reconnect=1";
  return [
    ["-netdev", `stream,id=lab,server=off,addr.type=unix,addr.path=${value(socketPath)},${again}`],
    ["-device", `virtio-net-pci,netdev=lab,romfile=,addr=${LAB_CARD_SLOT},mac=${address}`],
  ];
}

/** The version that has the option's new name, under which alone later ones know it. */
const RECONNECT_IN_MS = [9, 2] as const;

function socket(id: string, path: string): string {
  return `socket,id=${id},server=on,wait=off,path=${value(path)}`;
}

function forward(ports: { readonly hostPort: number; readonly guestPort: number }): string {
  return `,hostfwd=tcp:127.0.0.1:${ports.hostPort}-:${ports.guestPort}`;
}

/** In QEMU's option lists a comma is written twice. */
function value(text: string): string {
  return text.replaceAll(",", ",,");
}
