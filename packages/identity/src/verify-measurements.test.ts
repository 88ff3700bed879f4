import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@ashlar/formats";
import { configWord } from "@ashlar/protocol";
import { firmwareLogBytes, testLogs, userspaceLogBytes, type TestLogs } from "@ashlar/protocol/test-fixtures";
import { nodeIdentity } from "./expected/node-identity.ts";
import { firmwareToPin } from "./firmware-to-pin.ts";
import {
  assertRefused,
  CHALLENGE,
  event,
  EVIDENCE,
  EXPECTATIONS,
  INPUT,
  judge,
  judgeBoot,
  LOGS,
  node,
  RELEASE,
  withWords,
} from "./test-judged-node.ts";
import { verifyEvidence } from "./verify-evidence.ts";

const { classConfigSha256, nodeConfigSha256 } = EXPECTATIONS;

test("PCRs 8, 12 and 14 must be zero", () => {
  for (const pcr of [8, 12, 14]) {
    const verdict = judgeBoot({ ...LOGS, firmware: [...LOGS.firmware, event(pcr, sha256("a credential"))] });
    assertRefused(verdict, new RegExp(`^PCR ${pcr}: zeros.*1 event`, "u"));
  }
});

test("PCRs 1, 5, 6 and 9 need only replay; PCR 10 need not even that", () => {
  for (const pcr of [1, 5, 6, 9]) {
    const firmware = [...LOGS.firmware, event(pcr, sha256("a setting"))];
    assert.equal(judgeBoot({ ...LOGS, firmware }).level, "proven", `PCR ${pcr}`);
    const evidence = { ...node.evidence(RELEASE, CHALLENGE), firmwareLog: firmwareLogBytes(LOGS.firmware) };
    assertRefused(judge(evidence), new RegExp(`^PCR ${pcr}, replay of the event logs`, "u"));
  }
  node.boot({ ...LOGS, firmware: [...LOGS.firmware, event(10, sha256("what IMA has seen"))] });
  const evidence = { ...node.evidence(RELEASE, CHALLENGE), firmwareLog: firmwareLogBytes(LOGS.firmware) };
  assert.equal(judge(evidence).level, "proven");
});

test("boot phases: one missing, one too many, wrong order", () => {
  const missing = judgeBoot(withWords(LOGS.words.filter(({ word }) => word !== "sysinit")));
  assertRefused(missing, /^PCR 11, boot phase sysinit: "sysinit" \/ nothing$/u);
  assertRefused(
    judgeBoot(withWords([...LOGS.words, { pcr: 11, word: "shutdown" }])),
    /^PCR 11, unexpected word: nothing \/ "shutdown"$/u,
  );
  assertRefused(
    judgeBoot(withWords([...LOGS.words, { pcr: 11, word: "ready" }])),
    /^PCR 11, unexpected word: nothing \/ "ready"$/u,
  );
  const swapped = LOGS.words.with(6, LOGS.words[7]!).with(7, LOGS.words[6]!);
  assertRefused(judgeBoot(withWords(swapped)), /^PCR 11, order of each word: .*sysinit, .*ready \/ .*ready, sysinit$/u);
});

test("another class config is another identity; another node config is a mismatch of this node", () => {
  const other = sha256("another config");
  const otherClass = judgeBoot(testLogs(RELEASE, other, nodeConfigSha256));
  assert.equal(otherClass.level, "mismatch");
  assert.equal(otherClass.identity, nodeIdentity(RELEASE, other));
  assert.deepEqual(otherClass.differences, [
    {
      code: "class-config",
      subject: "class",
      what: "PCR 13, class config",
      expected: `sha256 ${classConfigSha256}`,
      found: `sha256 ${other}`,
    },
  ]);
  const otherNodeConfig = judgeBoot(testLogs(RELEASE, classConfigSha256, other));
  assert.equal(otherNodeConfig.nodeConfig, other);
  assert.deepEqual(
    otherNodeConfig.differences.map(({ what }) => what),
    ["PCR 13, node config"],
  );
});

test("PCR 13 holds the two words and nothing else", () => {
  const extra = [...LOGS.words, { pcr: 13, word: "sysext:rogue" }];
  assertRefused(judgeBoot(withWords(extra)), /^PCR 13, unexpected word: nothing \/ "sysext:rogue"$/u);
  const twice = [...LOGS.words, { pcr: 13, word: configWord("class", classConfigSha256) }];
  assertRefused(judgeBoot(withWords(twice)), /^PCR 13, unexpected word: nothing \/ sha256/u);
  const swapped = LOGS.words.with(1, LOGS.words[2]!).with(2, LOGS.words[1]!);
  assertRefused(
    judgeBoot(withWords(swapped)),
    /^PCR 13, order of each word: class config, node config \/ node config, class config$/u,
  );
  const byFirmware = { ...LOGS, firmware: [...LOGS.firmware, event(13, sha256("an initrd extension"))] };
  assertRefused(
    judgeBoot(byFirmware),
    /^PCR 13, unexpected word: nothing \/ an event in the firmware's log with digest/u,
  );
});

test("what the log says about a declared word does not matter, its digest does: the node keeps its identity", () => {
  const honest = Buffer.from(EVIDENCE.userspaceLog).toString("utf8");
  for (const text of [
    `ashlar-config-class:sha256:${classConfigSha256}`,
    `ashlar-config-node:sha256:${nodeConfigSha256}`,
  ]) {
    for (const other of [
      text.replace("config", "klass"),
      "",
      "sysext:rogue",
      text.replace(/.{64}$/u, "0".repeat(64)),
    ]) {
      const userspaceLog = Buffer.from(honest.replace(JSON.stringify(text), JSON.stringify(other)));
      assert.deepEqual(judge({ ...EVIDENCE, userspaceLog }), judge(EVIDENCE), other);
    }
  }
});

test("a word of PCR 13 in the firmware's log is none, although it replays", () => {
  const [classWord, nodeWord] = LOGS.words.filter(({ pcr }) => pcr === 13);
  for (const moved of [[classWord], [classWord, nodeWord]]) {
    const words = LOGS.words.filter((word) => !moved.includes(word));
    const firmware = [...LOGS.firmware, ...moved.map((each) => event(13, sha256(each?.word ?? "")))];
    const logs = { firmwareLog: firmwareLogBytes(firmware), userspaceLog: userspaceLogBytes(words) };
    const patterns = moved.map(
      () => /^PCR 13, (?:class|node) config: .* \/ an event in the firmware's log with digest/u,
    );
    assertRefused(judge({ ...EVIDENCE, ...logs }), ...patterns);
  }
});

test("PCR 15 holds only words that say which machine this is", () => {
  for (const word of ["cryptsetup:root", "machine-id:0123456789abcdef0123456789abcdef", "file-system:/home:ext4:"]) {
    assertRefused(judgeBoot(withWords([...LOGS.words, { pcr: 15, word }])), /^PCR 15, unexpected word/u);
  }
});

test("a driver loaded from the ESP: refused, no identity, and nothing to pin", () => {
  node.boot({ ...LOGS, firmware: [...LOGS.firmware, event(2, sha256("driver"))] });
  const evidence = node.evidence(RELEASE, CHALLENGE);
  // Also when the driver was there at enrolment.
  for (const pin of [INPUT.pin, node.pin]) {
    const { verdict, tpm, pinnable } = verifyEvidence(evidence, { ...INPUT, pin });
    assertRefused(verdict, new RegExp(`^PCR 2, a program was loaded .* / Authenticode ${sha256("driver")} `, "u"));
    assert.deepEqual([tpm?.akName, pinnable], [INPUT.pin.akName, false]);
  }
  assert.equal(verifyEvidence(EVIDENCE, INPUT).pinnable, true);
  // Some machines do so: an operator who knows this one has accepted exactly this driver.
  const accepted = firmwareToPin(evidence, [sha256("driver")]);
  const { verdict, pinnable } = verifyEvidence(evidence, { ...INPUT, pin: { ...INPUT.pin, firmware: accepted } });
  assert.deepEqual([verdict.level, pinnable], ["proven", true]);
  assert.deepEqual(verdict.notes, [`accepted after the firmware handed over: ${sha256("driver")}`]);
});

test("a program of the firmware's own before the boot loader: remembered at enrolment; another one is named", () => {
  const start = LOGS.firmware.findIndex(({ pcr }) => pcr === 4);
  const started = (name: string): TestLogs => ({
    ...LOGS,
    firmware: LOGS.firmware.toSpliced(start, 0, event(4, sha256(name))),
  });
  node.boot(started("services"));
  const evidence = node.evidence(RELEASE, CHALLENGE);
  const pin = { ...INPUT.pin, firmware: firmwareToPin(evidence) };
  const verdict = judge(evidence, { pin });
  assert.equal(verdict.level, "proven");
  assert.match(
    verdict.notes.join(),
    new RegExp(`the firmware starts a program of its own, .*${sha256("services")}`, "u"),
  );
  node.boot(started("SysPrep"));
  assertRefused(
    judge(node.evidence(RELEASE, CHALLENGE), { pin }),
    new RegExp(`^PCR 4, the firmware started a program that it did not .* / Authenticode ${sha256("SysPrep")}`, "u"),
  );
});

test("firmware that has changed since enrolment: refused until it is enrolled again", () => {
  const first = LOGS.firmware.findIndex(({ pcr }) => pcr === 2);
  // A driver that firmware itself loads, named by a Driver#### variable or by a card: before the separator.
  node.boot({ ...LOGS, firmware: LOGS.firmware.toSpliced(first, 0, event(2, sha256("driver"))) });
  const evidence = node.evidence(RELEASE, CHALLENGE);
  assertRefused(judge(evidence), /^PCR 2, firmware changed since enrolment: .*--enrol-again\)$/u);
  assert.equal(judge(evidence, { pin: node.pin }).level, "proven");
});

test("another program in the chain of PCR 4 is a mismatch", () => {
  const evil = sha256("evil");
  const first = LOGS.firmware.findIndex(({ digest }) => digest === RELEASE.bootLoader.authenticode);
  const inserted = { ...LOGS, firmware: LOGS.firmware.toSpliced(first, 0, event(4, evil)) };
  // An agent against theft that firmware starts after the separator would be one, too.
  assertRefused(
    judgeBoot(inserted),
    new RegExp(
      `^PCR 4, unexpected program: nothing / Authenticode ${evil} \\(if it is the firmware's own: .*accept`,
      "u",
    ),
  );
  const later = { ...LOGS, firmware: LOGS.firmware.toSpliced(first + 1, 0, event(4, evil)) };
  assertRefused(judgeBoot(later), new RegExp(`^PCR 4, unexpected program: nothing / Authenticode ${evil}$`, "u"));
  const replaced = { ...LOGS, firmware: LOGS.firmware.with(first, event(4, evil)) };
  assertRefused(judgeBoot(replaced), new RegExp(`^PCR 4, systemd-boot: .* / Authenticode ${evil}`, "u"));
  const separator = LOGS.firmware.filter(({ pcr, digest }) => pcr !== 4 || digest !== sha256(Buffer.alloc(4)));
  assertRefused(judgeBoot({ ...LOGS, firmware: separator }), /^PCR 4, separators before the boot loader: 1 \/ 0/u);
});

test("firmware may have tried other boot options in vain", () => {
  const first = LOGS.firmware.findIndex(({ digest }) => digest === RELEASE.bootLoader.authenticode);
  const steps = ["Returning from EFI Application from Boot Option", "Calling EFI Application from Boot Option"];
  const firmware = LOGS.firmware.toSpliced(first, 0, ...steps.map((step) => event(4, sha256(step))));
  assert.equal(judgeBoot({ ...LOGS, firmware }).level, "proven");
});
