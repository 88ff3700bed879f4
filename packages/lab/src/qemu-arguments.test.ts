import assert from "node:assert/strict";
import { test } from "node:test";
import { qemuArguments, type MachineOptions } from "./qemu-arguments.ts";
import { parseQemuVersion } from "./qemu-version.ts";

const MACHINE: MachineOptions = {
  name: "lab/node-1",
  uuid: "5f3a0c59-7b0e-4f0e-9d4c-0d7d1c1c2b3a",
  accelerator: "tcg",
  processors: 2,
  memoryMiB: 2048,
  firmwarePath: "/firmware/code.fd",
  secureBoot: false,
  firmwareVariablesPath: "/lab/node-1/variables.fd",
  diskPath: "/lab/node-1/disk.raw",
  tpmSocketPath: "/run/lab/node-1.tpm",
  monitorSocketPath: "/run/lab/node-1.monitor",
  consoleSocketPath: "/run/lab/node-1.console",
  consolePath: "/lab/node-1/console.log",
  provisioningPath: "/lab/node-1/provisioning.ign",
  clock: undefined,
  forwards: [
    { hostPort: 22_000, guestPort: 22 },
    { hostPort: 22_001, guestPort: 7443 },
  ],
};

test("ports are forwarded from this computer only", () => {
  const forwards = qemuArguments(MACHINE).filter((argument) => argument.includes("hostfwd"));
  assert.deepEqual(forwards, ["user,id=net,hostfwd=tcp:127.0.0.1:22000-:22,hostfwd=tcp:127.0.0.1:22001-:7443"]);
});

test("a card on the lab's network is always the same to the machine, and connects anew", () => {
  assert.ok(!qemuArguments(MACHINE).some((argument) => argument.includes("id=lab")));
  const labCard = { socketPath: "/run/lab/a,b", address: "52:54:00:5a:00:01", qemuVersion: [10, 0, 2] } as const;
  const args = qemuArguments({ ...MACHINE, labCard });
  assert.ok(args.includes("stream,id=lab,server=off,addr.type=unix,addr.path=/run/lab/a,,b,reconnect-ms=1000"));
  assert.ok(args.includes("virtio-net-pci,netdev=lab,romfile=,addr=0x10,mac=52:54:00:5a:00:01"));
  const older = qemuArguments({ ...MACHINE, labCard: { ...labCard, qemuVersion: [9, 1, 0] } });
  assert.ok(older.some((argument) => argument.endsWith(",reconnect=1")));
});

test("a machine without config has no configuration device", () => {
  assert.ok(qemuArguments(MACHINE).includes("name=opt/com.coreos/config,file=/lab/node-1/provisioning.ign"));
  assert.ok(!qemuArguments({ ...MACHINE, provisioningPath: undefined }).includes("-fw_cfg"));
});

test("only firmware with Secure Boot has system management mode, and the variables to itself", () => {
  const secure = "driver=cfi.pflash01,property=secure,value=on";
  const without = qemuArguments(MACHINE);
  assert.ok(without.includes("q35,smm=off") && !without.includes(secure));
  const args = qemuArguments({ ...MACHINE, secureBoot: true });
  assert.ok(args.includes("q35,smm=on"));
  assert.equal(args[args.indexOf("-global") + 1], secure);
});

test("a clock is set in UTC, to the second", () => {
  assert.ok(!qemuArguments(MACHINE).includes("-rtc"));
  const args = qemuArguments({ ...MACHINE, clock: new Date(Date.UTC(2036, 1, 29, 3, 4, 5, 678)) });
  assert.equal(args[args.indexOf("-rtc") + 1], "base=2036-02-29T03:04:05");
});

test("a comma in a path stays one", () => {
  const drive = qemuArguments({ ...MACHINE, diskPath: "/a,b/disk.raw" }).find((argument) =>
    argument.includes("id=disk"),
  );
  assert.match(drive ?? "", /,file=\/a,,b\/disk\.raw$/u);
});

test("KVM shows the host's processor, emulation the one that boots fastest", () => {
  const withKvm = qemuArguments({ ...MACHINE, accelerator: "kvm" });
  assert.equal(withKvm[withKvm.indexOf("-cpu") + 1], "host");
  assert.equal(withKvm[withKvm.indexOf("-accel") + 1], "kvm");
  assert.ok(qemuArguments(MACHINE).includes("tcg,thread=multi"));
  assert.ok(!qemuArguments(MACHINE).includes("-icount"));
});

test("a machine whose clock counts instructions does one at a time", () => {
  const counted = qemuArguments({ ...MACHINE, accelerator: "tcg-counted" });
  assert.equal(counted[counted.indexOf("-accel") + 1], "tcg,thread=single");
  assert.equal(counted[counted.indexOf("-icount") + 1], "shift=1");
});

test("QEMU's version is read from what it prints", () => {
  assert.deepEqual(parseQemuVersion("QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)"), [10, 0, 2]);
  assert.equal(parseQemuVersion("QEMU"), undefined);
});
