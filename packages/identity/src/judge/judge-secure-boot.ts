import { KEY_VARIABLES } from "@ashlar/formats";
import type { KnownRelease, SecureBootKeyDigests } from "@ashlar/protocol/answers";
import type { Difference } from "../check/difference.ts";
import { shownDigest } from "../check/known-digests.ts";
import type { SecureBootState } from "./secure-boot-state.ts";

/**
 * Secure Boot, judged by what the firmware has measured of it: whether it is on, and whether its keys are those by which the release
 * was signed, and no others. A class that requires it makes what is not so a difference; otherwise it is said in a note, where the
 * release has keys at all or Secure Boot is on.
 */
export function judgeSecureBoot(
  state: SecureBootState,
  { version, secureBoot }: Pick<KnownRelease, "version" | "secureBoot">,
  isRequired: boolean,
): { readonly differences: readonly Difference[]; readonly notes: readonly string[] } {
  if (secureBoot === undefined) {
    if (isRequired) return { differences: [unsigned(version)], notes: [] };
    const note = "Secure Boot is on, with keys that are not judged: the release names none";
    return { differences: [], notes: state.isOn === true ? [note] : [] };
  }
  const differences = state.isOn === true ? judgeKeys(state, secureBoot) : [notOn(state)];
  if (differences.length === 0) {
    const db = shownDigest(secureBoot.db.certificateSha256);
    return { differences, notes: [`Secure Boot is on, with the owner's keys alone: db ${db}`] };
  }
  return isRequired ? { differences, notes: [] } : { differences: [], notes: differences.map(noteOf) };
}

function unsigned(version: string): Difference {
  return {
    code: "secure-boot",
    what: "Secure Boot",
    expected: "a release that is signed for it, as the class requires",
    found: `${version}, which names no keys (ashlar image build --secure-boot-keys)`,
  };
}

function notOn({ isOn }: SecureBootState): Difference {
  return {
    code: "secure-boot",
    subject: "7",
    what: "PCR 7, Secure Boot",
    expected: "on",
    found: isOn === false ? "off: firmware starts whatever is on the disk" : "nothing that says whether it is on",
  };
}

/** A certificate more would let other programs start, one less would not let the release. */
function judgeKeys({ keys }: SecureBootState, secureBoot: SecureBootKeyDigests): Difference[] {
  return KEY_VARIABLES.flatMap((name): Difference[] => {
    const expected = secureBoot[name].certificateSha256;
    const found = keys[name];
    if (found?.length === 1 && found[0] === expected) return [];
    const shown = found === undefined ? "nothing that can be read" : listOf(found);
    return [
      {
        code: "secure-boot-keys",
        subject: name,
        what: `PCR 7, keys of Secure Boot in ${name}`,
        expected: `the owner's alone, certificate ${shownDigest(expected)}`,
        found: shown,
      },
    ];
  });
}

function listOf(entries: readonly string[]): string {
  if (entries.length === 0) return "none";
  const shown = entries.slice(0, MAX_SHOWN).join(", ");
  return entries.length > MAX_SHOWN ? `${shown} and ${entries.length - MAX_SHOWN} more` : shown;
}

const MAX_SHOWN = 4;

function noteOf({ what, expected, found }: Difference): string {
  return `${what.replace(/^PCR 7, /u, "")}: expected ${expected}, found ${found}`;
}
