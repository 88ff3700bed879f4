/**
 * A check before or after a restart by somebody else's programs, as FLUO has it: a label on the Node says that the check runs, a
 * DaemonSet that selects nodes by it does its work there and sets its annotation to `true`. It decides when something goes on, and nothing
 * else: a kubelet can write these annotations on its own Node.
 */
export type Hook = {
  /** Is `true` while the check runs. */
  readonly label: string;
  /** All have to be `true`. They are removed when the check begins and when it is over. */
  readonly annotations: readonly string[];
};

export type Hooks = { readonly beforeReboot?: Hook; readonly afterReboot?: Hook };

/** Labels that stay on a Node: the first when it is cordoned, the second when it is uncordoned; as Kured has them. */
export type RebootLabels = {
  readonly beforeReboot: Readonly<Record<string, string>>;
  readonly afterReboot: Readonly<Record<string, string>>;
};

export const NO_LABELS: RebootLabels = { beforeReboot: {}, afterReboot: {} };

/** What stands on a Node of a check. */
export type HookMarks = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

/** What is to be changed on a Node: null removes. */
export type HookChange = {
  readonly labels: Readonly<Record<string, string | null>>;
  readonly annotations: Readonly<Record<string, null>>;
};

const TRUE = "true";

/** How a check begins: what an earlier one has left counts for nothing. Undefined when it has begun. */
export function beginHook({ label, annotations }: Hook, { labels }: HookMarks): HookChange | undefined {
  if (labels[label] === TRUE) return undefined;
  return { labels: { [label]: TRUE }, annotations: nulls(annotations) };
}

/** Undefined when nothing of it is left. */
export function endHook({ label, annotations }: Hook, marks: HookMarks): HookChange | undefined {
  const isGone =
    !Object.hasOwn(marks.labels, label) && annotations.every((each) => !Object.hasOwn(marks.annotations, each));
  return isGone ? undefined : { labels: { [label]: null }, annotations: nulls(annotations) };
}

/** The annotations that keep a check which has begun. */
export function missingOf({ annotations }: Hook, marks: HookMarks): readonly string[] {
  return annotations.filter((each) => !Object.hasOwn(marks.annotations, each) || marks.annotations[each] !== TRUE);
}

/** For example `example.org/ceph is not "true" yet`. */
export function describeMissing(missing: readonly string[]): string {
  return `${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} not "true" yet`;
}

function nulls(names: readonly string[]): Readonly<Record<string, null>> {
  return Object.fromEntries(names.map((name) => [name, null]));
}
