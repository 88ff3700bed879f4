import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseFirmwareLog, sha256 } from "@ashlar/formats";
import type { KnownRelease } from "@ashlar/protocol/answers";
import { eventsByPcr, type MeasuredEvent } from "../check/check-logs.ts";
import { judgeSecureBoot } from "./judge-secure-boot.ts";
import { secureBootState, type SecureBootState } from "./secure-boot-state.ts";

const VECTORS = new URL("../../../../test/vectors/tpm/", import.meta.url);

function pcr7(kind: string): readonly MeasuredEvent[] {
  const log = parseFirmwareLog(readFileSync(new URL(`firmware-log-${kind}/binary_bios_measurements`, VECTORS)));
  return eventsByPcr(log, { events: [] }).get(7) ?? [];
}

const ON = secureBootState(pcr7("secure-boot"));
const OFF = secureBootState(pcr7("no-secure-boot"));
const [PK = "", KEK = "", DB = ""] = [ON.keys.PK, ON.keys.KEK, ON.keys.db].map((entries) => entries?.[0]);

function releaseOf(db = DB): Pick<KnownRelease, "version" | "secureBoot"> {
  const key = (certificateSha256: string) => ({ certificateSha256, variableSha256: sha256("auth") });
  return { version: "1.0.0", secureBoot: { PK: key(PK), KEK: key(KEK), db: key(db) } };
}
const UNSIGNED = { version: "1.0.0" };

test("the state and the keys of Secure Boot are read from what real firmware has measured", () => {
  assert.deepEqual(ON, { isOn: true, keys: { PK: [PK], KEK: [KEK], db: [DB] } });
  assert.match(PK, /^[0-9a-f]{64}$/u);
  assert.deepEqual(OFF, { isOn: false, keys: { PK: [], KEK: [], db: [] } });
});

test("data that was not measured, or comes after the hand-over, says nothing", () => {
  const events = pcr7("secure-boot");
  const unproved = events.map((event, index) => (index === 0 ? { ...event, data: undefined } : event));
  assert.equal(secureBootState(unproved).isOn, undefined);
  const separator = events.find(({ data }) => data?.length === 4);
  assert.ok(separator !== undefined);
  assert.deepEqual(secureBootState([separator, ...events]), {
    isOn: undefined,
    keys: { PK: undefined, KEK: undefined, db: undefined },
  });
  assert.equal(secureBootState(events.filter((event) => event !== separator)).isOn, undefined);
  assert.equal(secureBootState([]).isOn, undefined);
});

const UNTOLD: SecureBootState = { isOn: undefined, keys: { PK: undefined, KEK: undefined, db: undefined } };
const FOREIGN: SecureBootState = { ...ON, keys: { ...ON.keys, db: [DB, sha256("another")] } };
const HASHES: SecureBootState = { ...ON, keys: { ...ON.keys, db: ["type c1c41626-504c-4092-aca9-41f936934328"] } };

for (const [title, state, release, required, optional] of [
  ["on, with the owner's keys", ON, releaseOf(), "", "Secure Boot is on, with the owner's keys alone: db "],
  ["off", OFF, releaseOf(), "secure-boot: off: ", "Secure Boot: expected on, found off: firmware starts"],
  ["not measured", UNTOLD, releaseOf(), "secure-boot: nothing that says", "Secure Boot: expected on, found nothing"],
  [
    "another db",
    ON,
    releaseOf(sha256("x")),
    `secure-boot-keys: ${DB}`,
    "keys of Secure Boot in db: expected the owner's",
  ],
  ["one key more", FOREIGN, releaseOf(), `secure-boot-keys: ${DB}, `, "keys of Secure Boot in db: "],
  ["a program's digest in db", HASHES, releaseOf(), "secure-boot-keys: type c1c4", "keys of Secure Boot in db: "],
  [
    "on, and a release without keys",
    ON,
    UNSIGNED,
    "secure-boot: 1.0.0, which names no keys",
    "Secure Boot is on, with keys that",
  ],
  ["off, and a release without keys", OFF, UNSIGNED, "secure-boot: 1.0.0, which names no keys", undefined],
] as const) {
  test(`Secure Boot ${title}`, () => {
    const strict = judgeSecureBoot(state, release, true);
    const found = strict.differences.map(({ code, found: each }) => `${code}: ${each}`).join("; ");
    if (required === "") assert.equal(found, "");
    else assert.ok(found.startsWith(required), found);
    const lenient = judgeSecureBoot(state, release, false);
    assert.deepEqual(lenient.differences, []);
    if (optional === undefined) assert.deepEqual(lenient.notes, []);
    else assert.ok(lenient.notes[0]?.startsWith(optional), lenient.notes.join());
  });
}
