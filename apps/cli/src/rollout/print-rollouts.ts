import { printData, printJson, printLine, printLines } from "@ashlar/host/terminal";
import { ROLLOUTS_SCHEMA, type RolloutsView, type RolloutView } from "@ashlar/views";
import { safeYaml } from "../proof/safe-yaml.ts";
import { formOf, type StatusOptions } from "./rollout-options.ts";
import { headOf, RolloutTable, rowsOfAll, rowsOfOne, whatKeeps, type Row } from "./rollout-table.ts";

export type RolloutPrinter = {
  readonly begin: (view: RolloutsView, nowMs: number) => void;
  /** What has changed since. */
  readonly more: (view: RolloutsView, nowMs: number) => void;
};

export function resourceName({ name }: { readonly name: string }): string {
  return `rollout.ashlar.dev/${name}`;
}

export function printDocument(form: "json" | "yaml", value: object, isWatched = false): void {
  if (form === "yaml") printData(isWatched ? `---\n${safeYaml(value)}` : safeYaml(value));
  else printJson(value, { lines: isWatched ? "one" : "several" });
}

/** @param of whether one Rollout was named: then its nodes are shown */
export function printerOf(of: "all" | "one", options: StatusOptions): RolloutPrinter {
  const form = formOf(options);
  if (form === "json" || form === "yaml") return documentPrinter(form, options.watch === true);
  return form === "name" ? namePrinter() : tablePrinter(of, form === "wide");
}

function namePrinter(): RolloutPrinter {
  const changed = changesOf<RolloutView>((rollout) => [rollout.name, JSON.stringify(rollout)]);
  const print = ({ rollouts }: RolloutsView): void => printLines(changed(rollouts).map(resourceName));
  return { begin: print, more: print };
}

/** All in one document; while they are watched, a document for each that has changed. */
function documentPrinter(form: "json" | "yaml", isWatched: boolean): RolloutPrinter {
  const changed = changesOf<RolloutView>((rollout) => [rollout.name, JSON.stringify(rollout)]);
  const each = ({ at, rollouts }: RolloutsView): void => {
    for (const rollout of changed(rollouts))
      printDocument(form, { schema: ROLLOUTS_SCHEMA, at, problem: null, rollouts: [rollout] }, true);
  };
  return { begin: isWatched ? each : (view) => printDocument(form, view), more: each };
}

function tablePrinter(of: "all" | "one", isWide: boolean): RolloutPrinter {
  const table = new RolloutTable(of, isWide);
  const changed = changesOf<Row>(({ key, gist }) => [key, gist]);
  let head = "";
  const rowsOf = ({ rollouts }: RolloutsView, nowMs: number): readonly Row[] =>
    of === "all"
      ? rowsOfAll(rollouts, isWide, nowMs)
      : rollouts.flatMap((rollout) => rowsOfOne(rollout, isWide, nowMs));
  const tellHead = ({ rollouts: [rollout] }: RolloutsView): void => {
    if (of === "all" || rollout === undefined) return;
    const keeps = whatKeeps(rollout);
    const next = keeps === undefined ? headOf(rollout) : `${headOf(rollout)}: ${keeps}`;
    if (next !== head) printLine(next);
    head = next;
  };
  return {
    begin: (view, nowMs) => {
      tellHead(view);
      printLines(table.begin(changed(rowsOf(view, nowMs))));
    },
    more: (view, nowMs) => {
      tellHead(view);
      printLines(table.more(changed(rowsOf(view, nowMs))));
    },
  };
}

/** Gives those that are not as they were when it was asked last. */
function changesOf<Item>(
  of: (item: Item) => readonly [key: string, gist: string],
): (items: readonly Item[]) => readonly Item[] {
  let known: ReadonlyMap<string, string> = new Map();
  return (items) => {
    const before = known;
    known = new Map(items.map(of));
    return items.filter((item) => {
      const [key, gist] = of(item);
      return before.get(key) !== gist;
    });
  };
}
