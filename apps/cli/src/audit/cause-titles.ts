import type { Cause } from "@ashlar/audit";

/** Causes, as people read them. */
export const CAUSE_TITLES: Readonly<Record<Cause, string>> = {
  packages: "other package versions",
  unowned: "files that no package owns",
  changed: "files changed against their package",
  metadata: "modes, owners, links",
  configuration: "configuration",
  state: "in effect, and users",
  unread: "could not be read, so not known to be alike",
};
