import { quotedBanks, type MeasuredEvent, type Measurements } from "../check/check-logs.ts";
import { compareMeasured, type Expected, type Measured } from "./compare-measured.ts";
import type { Difference } from "../check/difference.ts";
import { shownDigest } from "../check/known-digests.ts";
import { BOOT_PHASES, wordDigest } from "@ashlar/formats";
import {
  CONFIG_PARTS,
  configWord,
  parseConfigWord,
  parseExtensionWord,
  type ConfigPart,
  type ExtensionWord,
} from "@ashlar/protocol";

/** The boot phases in PCR 11, each exactly once and in order: a phase that failed only fails its unit. */
export function judgePhases(events: readonly MeasuredEvent[]): Difference[] {
  const expected = BOOT_PHASES.map((phase): Expected => ({
    code: "boot-phase",
    subject: phase,
    label: `boot phase ${phase}`,
    digest: wordDigest(phase),
    shown: `"${phase}"`,
  }));
  const words = events.filter(({ source }) => source === "userspace");
  return compareMeasured(11, "boot-phase", "word", expected, words.map(describeEvent));
}

/** What nobody measures into on an Ashlar node, and what each would mean. */
const ZERO_PCRS: readonly (readonly [number, string])[] = [
  [8, "no boot loader's commands"],
  [12, "no command line, credential, addon or confext from outside the UKI"],
  [14, "no machine owner's keys"],
];

export function judgeZeroPcrs({ pcrs, events }: Measurements): Difference[] {
  return ZERO_PCRS.flatMap(([pcr, meaning]) => {
    const values = quotedBanks(pcrs).map((bank) => pcrs[bank]?.get(pcr) ?? "no value");
    const value = values.find((each) => !/^0+$/u.test(each));
    if (value === undefined) return [];
    return [
      {
        code: "pcr-not-zero",
        subject: String(pcr),
        what: `PCR ${pcr}`,
        expected: `zeros: ${meaning}`,
        found: `${value}: ${eventsOf(events.get(pcr) ?? [])}`,
      },
    ];
  });
}

function eventsOf(events: readonly MeasuredEvent[]): string {
  const first = events[0];
  const count = `${events.length} ${events.length === 1 ? "event" : "events"}`;
  return first === undefined ? count : `${count}, the first ${describeEvent(first).shown}`;
}

/** The configuration digests that a node has measured into PCR 13. */
export type MeasuredConfig = Readonly<Record<ConfigPart, string>>;

/** The first two words of PCR 13, when nothing but words about extensions follows them. */
export function measuredConfig(events: readonly MeasuredEvent[], declared: MeasuredConfig): MeasuredConfig | undefined {
  const [class_, node, ...more] = events;
  const first = class_ && configPartOf(class_, declared);
  const second = node && configPartOf(node, declared);
  if (first?.part !== "class" || second?.part !== "node" || more.some((event) => !extensionWordOf(event))) {
    return undefined;
  }
  return { class: first.sha256, node: second.sha256 };
}

/** What PCR 13 says about extensions, in order. Anything else there is left to {@link judgeConfig}. */
export function measuredExtensionWords(events: readonly MeasuredEvent[]): ExtensionWord[] {
  return events.flatMap((event) => extensionWordOf(event) ?? []);
}

/**
 * PCR 13: the digest of the class's configuration, then of the node's own, then only words about extensions: a node
 * knows which it has only once it is configured.
 */
export function judgeConfig(events: readonly MeasuredEvent[], declared: MeasuredConfig): Difference[] {
  const expected = CONFIG_PARTS.map((part): Expected => {
    const word = configWord(part, declared[part]);
    return {
      code: `${part}-config`,
      subject: part,
      label: `${part} config`,
      digest: wordDigest(word),
      shown: `sha256 ${declared[part]}`,
    };
  });
  const others = events.filter((event, index) => index < CONFIG_PARTS.length || !extensionWordOf(event));
  return compareMeasured(
    13,
    "config-word",
    "word",
    expected,
    others.map((event) => describeConfigEvent(event, declared)),
  );
}

function describeConfigEvent(event: MeasuredEvent, declared: MeasuredConfig): Measured {
  const config = configPartOf(event, declared);
  if (config !== undefined) {
    return { label: `${config.part} config`, digest: event.digest, shown: `sha256 ${config.sha256}` };
  }
  if (event.source === "userspace") return describeEvent(event);
  // A word that software measures is none when the firmware's log tells of it, whatever its digest is.
  const shown = `an event in the firmware's log with digest ${event.digest}`;
  return { label: undefined, digest: `firmware ${event.digest}`, shown };
}

/** A word that was declared is known by its digest, so that nothing depends on the text beside it in the log. */
function configPartOf({ word, digest, source }: MeasuredEvent, declared: MeasuredConfig): ConfigWord | undefined {
  if (source !== "userspace") return undefined;
  const part = CONFIG_PARTS.find((each) => digest === wordDigest(configWord(each, declared[each])));
  if (part !== undefined) return { part, sha256: declared[part] };
  return word === undefined ? undefined : parseConfigWord(word);
}

type ConfigWord = { readonly part: ConfigPart; readonly sha256: string };

function extensionWordOf({ word, source }: MeasuredEvent): ExtensionWord | undefined {
  return source === "userspace" && word !== undefined ? parseExtensionWord(word) : undefined;
}

/**
 * PCR 15 (systemd-machine-id-setup, systemd-pcrfs@.service(8)): which machine and which data partition. They differ
 * from node to node and are never compared; what matters is that nothing else hides among them.
 */
export function judgeMachineWords(events: readonly MeasuredEvent[]): Difference[] {
  const seen = new Set<string>();
  return events
    .flatMap((event): Difference[] => {
      const kind = event.word === undefined ? undefined : machineWordKind(event.word);
      if (event.source === "userspace" && kind !== undefined && !seen.has(kind)) {
        seen.add(kind);
        return [];
      }
      const { shown } = describeEvent(event);
      return [
        {
          code: "machine-word",
          what: "PCR 15, unexpected word",
          expected: "one machine-id, one file-system for each of / and /var",
          found: shown,
        },
      ];
    })
    .slice(0, MAX_DIFFERENCES);
}

/** The machine ID in PCR 15, when exactly one was measured. */
export function measuredMachineId(events: readonly MeasuredEvent[]): string | undefined {
  const ids = events.flatMap(({ source, word }) => {
    const id =
      source === "userspace" && word !== undefined ? /^machine-id:([0-9a-f]{32})$/u.exec(word)?.[1] : undefined;
    return id ?? [];
  });
  return ids.length === 1 ? ids[0] : undefined;
}

function machineWordKind(word: string): string | undefined {
  const match = /^(?:(?<id>machine-id):[0-9a-f]{32}|(?<mount>file-system:\/(?:var)?):[^\n]{0,1000})$/u.exec(word);
  return match?.groups?.["id"] ?? match?.groups?.["mount"];
}

const MAX_DIFFERENCES = 8;

function describeEvent({ word, digest }: MeasuredEvent): Measured {
  if (word === undefined) return { label: undefined, digest, shown: `an event with digest ${shownDigest(digest)}` };
  return {
    label: word.slice(0, MAX_SHOWN_CHARACTERS),
    digest,
    shown: JSON.stringify(word.slice(0, MAX_SHOWN_CHARACTERS)),
  };
}

const MAX_SHOWN_CHARACTERS = 200;
