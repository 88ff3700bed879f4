import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { vector } from "../tpm/test-vectors.ts";
import { describeFirmwareEvent } from "./describe-event.ts";
import { FIRMWARE_EVENT_TYPES as TYPES, firmwareEventTypeName } from "./event-types.ts";
import { parseFirmwareLog } from "./firmware-log.ts";

const LOG = parseFirmwareLog(vector("firmware-log-secure-boot/binary_bios_measurements"));

function describe(type: number, data: Uint8Array | string): string {
  return describeFirmwareEvent({ type, data: typeof data === "string" ? Buffer.from(data) : data });
}

test("what OVMF and systemd-boot measured is said in words", () => {
  const said = LOG.events.map((event) => `${firmwareEventTypeName(event.type)}: ${describeFirmwareEvent(event)}`);
  const all = said.join("\n");
  assert.match(
    all,
    /EV_EFI_VARIABLE_DRIVER_CONFIG: variable SecureBoot \(8be4df61-93ca-11d2-aa0d-00e098032b8c\), 1 bytes/u,
  );
  assert.match(all, /EV_EFI_VARIABLE_AUTHORITY: variable db \(d719b2cb-3d3a-4596-a3bc-dad00e67656f\), [0-9]+ bytes/u);
  assert.match(all, /EV_SEPARATOR: separator: the firmware hands over/u);
  assert.match(all, /EV_EFI_ACTION: Calling EFI Application from Boot Option/u);
  assert.match(all, /EV_EFI_BOOT_SERVICES_APPLICATION: .*\.efi/iu);
  assert.doesNotMatch(all, /another form/u);
});

test("separators of an error, firmware with a name, a program in a firmware volume", () => {
  assert.match(describe(TYPES.EV_SEPARATOR, Uint8Array.of(1, 0, 0, 0)), /reports an error/u);
  const named = Buffer.concat([Buffer.from([4]), Buffer.from("BIOS"), Buffer.alloc(16)]);
  assert.equal(describe(TYPES.EV_EFI_PLATFORM_FIRMWARE_BLOB2, named), 'firmware "BIOS"');
  const node = (type: number, subtype: number, data: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from([type, subtype, data.length + 4, 0]), data]);
  const path = Buffer.concat([
    node(4, 7, Buffer.alloc(16, 1)),
    node(4, 6, Buffer.alloc(16, 2)),
    node(0x7f, 0xff, Buffer.of()),
  ]);
  const head = Buffer.alloc(32);
  head.writeBigUInt64LE(BigInt(path.length), 24);
  assert.equal(
    describe(TYPES.EV_EFI_BOOT_SERVICES_APPLICATION, Buffer.concat([head, path])),
    "Fv(01010101-0101-0101-0101-010101010101)/FvFile(02020202-0202-0202-0202-020202020202)",
  );
});

test("anything is described in one short line", () => {
  const types = [...Object.values(TYPES), 0x8401];
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 200 }), (type, data) => {
      const text = describeFirmwareEvent({ type, data });
      assert.ok(text.length > 0 && text.length <= 160);
      assert.doesNotMatch(text, /[\p{Cc}\p{Bidi_Control}]/u);
    }),
    { numRuns: 2000 },
  );
});
