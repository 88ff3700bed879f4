import { join } from "node:path";
import { stateDirectory } from "@ashlar/host/directories";

/** Each lab has a directory of its name here. */
export function labsDirectory(): string {
  return join(stateDirectory(), "labs");
}

/** In a lab's directory: what it consists of. */
export const STATE_FILE = "lab.json";
