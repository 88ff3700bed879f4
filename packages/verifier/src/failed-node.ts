import { AshlarError, messageOf } from "@ashlar/base";

/**
 * Whether an error is about the command and not about the one node that was looked at: the user has stopped it or
 * mistyped something, or this machine's own disk fails. Network errors have become AshlarErrors before.
 */
export function endsTheCommand(error: unknown): boolean {
  if (error instanceof AshlarError) return error.code === "interrupted" || error.code === "usage";
  return error instanceof Error && "syscall" in error;
}

/** An expected failure speaks for itself. For any other it helps to know that the fault may be ours. */
export function failureText(error: unknown): string {
  if (error instanceof AshlarError) return error.message;
  return `something that this program cannot read (please report it): ${messageOf(error)}`;
}
