import { AshlarError, membersOf, type ErrorCode } from "@ashlar/base";

/** What the API server says about a request that it has not carried out: a `Status` (meta/v1). */
export type ApiStatus = {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  /** The reasons of the causes in its details. */
  readonly causes: readonly { readonly reason: string; readonly message: string }[];
  /** From the header Retry-After. */
  readonly retryAfterMs: number | undefined;
};

const MAX_MESSAGE_CHARACTERS = 1000;
const MAX_CAUSES = 32;

export function readStatus(code: number, body: string, retryAfter: string | undefined): ApiStatus {
  const status = membersOf(parseOrNothing(body));
  const { causes } = membersOf(status["details"]);
  return {
    code,
    reason: textOf(status["reason"]),
    message: textOf(status["message"]) || body.trim().slice(0, MAX_MESSAGE_CHARACTERS) || `HTTP status ${code}`,
    causes: (Array.isArray(causes) ? causes.slice(0, MAX_CAUSES) : []).map((cause: unknown) => {
      const { reason, message } = membersOf(cause);
      return { reason: textOf(reason), message: textOf(message) };
    }),
    retryAfterMs: /^[0-9]{1,5}$/u.test(retryAfter ?? "") ? Number(retryAfter) * 1000 : undefined,
  };
}

function parseOrNothing(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.slice(0, MAX_MESSAGE_CHARACTERS) : "";
}

/** The API server has refused. What that means depends on the request: see `status`. */
export class ApiError extends AshlarError {
  readonly status: ApiStatus;
  /** It does not know yet who asks, or what they may do. */
  readonly isTooEarly: boolean;

  /** @param isStarting it has answered nobody a short while ago */
  constructor(what: string, status: ApiStatus, isStarting: boolean) {
    const isTooEarly = isStarting && (status.code === 401 || status.code === 403);
    const message = `${what}: the API server answers ${status.code}: ${status.message}`;
    super(isTooEarly ? "unavailable" : codeOf(status.code), message, hintFor(status));
    this.status = status;
    this.isTooEarly = isTooEarly;
  }
}

function codeOf(code: number): ErrorCode {
  if (code === 401 || code === 403) return "privilege";
  if (code === 404) return "not-found";
  if (code === 409) return "conflict";
  // 410: what was asked for is older than what the server remembers, and has to be asked for anew.
  if (code === 408 || code === 410 || code === 429 || code >= 500) return "unavailable";
  return "failed";
}

function hintFor({ code, reason }: ApiStatus): { readonly hint?: string } {
  if (code === 401) return { hint: "log in anew: the kubeconfig's credentials are not, or no longer, taken" };
  if (code === 403)
    return { hint: "the user of the kubeconfig may not do that: docs/guides/kubernetes.md has the rights" };
  // Of an object that is not there, the reason is NotFound; of a kind that nobody has defined there is no Status at all.
  if (code === 404 && reason === "")
    return { hint: "the API server does not know this kind: `kubectl apply -k deploy` makes those of Ashlar" };
  return {};
}
