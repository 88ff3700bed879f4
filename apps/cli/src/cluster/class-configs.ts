import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { readClassConfig } from "../class-config.ts";

/** What nodes of a class were declared to be. `undefined`: an empty config. */
export type ClassConfigs = (className: string | undefined) => Promise<Uint8Array | undefined>;

/** As Kubernetes wants values of labels, so that none leads out of the directory. */
const CLASS_NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/u;

/** One node's class is not known; that says nothing about other nodes. */
export class ClassNotFound extends AshlarError {
  constructor(message: string) {
    super("not-found", message);
  }
}

/**
 * With a file all nodes have its config; in a directory that of the class NAME is NAME.bu or NAME.ign. Each is read once.
 *
 * @throws ClassNotFound for a class without a file; what `readClassConfig` throws
 */
export function classConfigsIn(path: string | undefined, filesDir: string | undefined): ClassConfigs {
  if (path === undefined || statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    let only: Promise<Uint8Array> | undefined;
    return async () => (path === undefined ? undefined : await (only ??= readClassConfig(path, filesDir)));
  }
  const read = new Map<string, Promise<Uint8Array>>();
  return async (className) => {
    if (className === undefined) {
      throw new ClassNotFound("expected its label ashlar.node-restriction.kubernetes.io/class, found none");
    }
    const file = [`${className}.bu`, `${className}.ign`]
      .filter(() => CLASS_NAME.test(className))
      .map((name) => join(path, name))
      .find((each) => existsSync(each));
    if (file === undefined) {
      throw new ClassNotFound(`expected ${className}.bu or ${className}.ign, of its class, in ${path}, found none`);
    }
    const config = read.get(file) ?? readClassConfig(file, filesDir);
    read.set(file, config);
    return await config;
  };
}
