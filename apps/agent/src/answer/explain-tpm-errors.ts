import { AshlarError } from "@ashlar/base";
import { reportText } from "@ashlar/host/terminal";
import { Refusal } from "../shared/refusal.ts";
import type { TpmPrograms } from "./tpm-programs.ts";

type Explanation = { readonly pattern: RegExp; readonly message: string; readonly hint: string };

/** Response codes (TPM 2.0 Library Part 2, 6.6.3) that a machine's owner can do something about. */
const EXPLANATIONS: readonly Explanation[] = [
  {
    // TPM_RC_BAD_AUTH and TPM_RC_AUTH_FAIL of a session: evictcontrol asks for the owner's password, createek for both.
    pattern: /0x9(?:a2|8e)\b/iu,
    message: "the TPM's owner has a password, as a system that was on this machine before may have set",
    hint: "clear the TPM in the firmware's set-up: that takes the password, and all keys of the old system, away",
  },
  {
    // TPM_RC_NV_SPACE.
    pattern: /0x14b\b/iu,
    message: "the TPM has no room for another key",
    hint: "clear the TPM in the firmware's set-up, or remove keys with `tpm2_evictcontrol`",
  },
  {
    // TPM_RC_HIERARCHY of either handle, TPM_RC_DISABLED.
    pattern: /0x(?:185|120|285)\b/iu,
    message: "a part of the TPM is switched off (its owner's or endorsement hierarchy)",
    hint: "switch storage and endorsement hierarchy on in the firmware's set-up",
  },
];

/** The same programs, whose failure is a sentence where it is known what it means. The journal has all of it. */
export function explaining(tpm: TpmPrograms): TpmPrograms {
  return async (name, args) => {
    try {
      return await tpm(name, args);
    } catch (error) {
      const found = error instanceof AshlarError ? explanationOf(error.message) : undefined;
      if (found === undefined) throw error;
      reportText(`tpm2_${name}: ${String(error)}`);
      throw new Refusal(500, "failed", found.message, { hint: found.hint });
    }
  };
}

function explanationOf(text: string): Explanation | undefined {
  return EXPLANATIONS.find(({ pattern }) => pattern.test(text));
}
