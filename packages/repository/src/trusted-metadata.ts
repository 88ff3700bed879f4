import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import { writeFileAtomically } from "@ashlar/host";
import type { Root } from "@tufjs/models";
import { BadVersionError, EqualVersionError, ExpiredMetadataError } from "tuf-js/dist/error.js";
import { TrustedMetadataStore } from "tuf-js/dist/store.js";
import { MAX_TARGETS_BYTES, MAX_ROOT_BYTES, MAX_ROOTS, type SignedTargets } from "@ashlar/repository-index";
import { readDocument } from "./read-document.ts";
import type { Transport } from "./transport/transport.ts";

export type MetadataOptions = {
  readonly transport: Transport;
  /** The root role that this machine trusts from the beginning. */
  readonly trustedRoot: Uint8Array;
  /** What was accepted is kept here, so that older metadata is noticed. Nothing in it is trusted without a signature. */
  readonly stateDirectory: string;
  readonly nowMs: number;
  readonly signal?: AbortSignal | undefined;
};

const MAX_BYTES = { root: MAX_ROOT_BYTES, timestamp: 16 * 1024, snapshot: 64 * 1024, targets: MAX_TARGETS_BYTES };

/**
 * Follows a repository's metadata from the trusted root to the targets role (The Update Framework specification 1.0.31,
 * section 5, "Detailed client workflow"). What is checked is tuf-js' part; what is read and kept is done here, because its
 * own updater takes the machine's clock and writes files so that a power cut can leave halves of them.
 *
 * @throws AshlarError `untrusted` (signatures, older metadata, mixed metadata), `invalid` (expired), `malformed`, `limit`,
 *   `unavailable`, `not-found`
 */
export async function readTrustedTargets(options: MetadataOptions): Promise<TrustedTargets> {
  const reader = new MetadataReader(options);
  await reader.readRoots();
  await reader.readTimestamp();
  await reader.readSnapshot();
  const signed = await reader.readTargets();
  return { signed, expiresMs: reader.expiresMs };
}

export type TrustedTargets = {
  readonly signed: SignedTargets;
  /** When the first of the four roles expires, milliseconds since 1970: from then on nothing of it is trusted. */
  readonly expiresMs: number;
};

/**
 * The newest root role of a repository: which keys are good now. Whether it has expired is not looked at.
 *
 * @throws AshlarError as {@link readTrustedTargets}
 */
export async function readTrustedRoot(options: MetadataOptions): Promise<Root> {
  return await new MetadataReader(options).readRoots();
}

/**
 * All root roles from the trusted one to the newest: which keys were good at some time.
 *
 * @throws AshlarError as {@link readTrustedTargets}
 */
export async function readTrustedRoots(options: MetadataOptions): Promise<readonly Root[]> {
  const reader = new MetadataReader(options);
  await reader.readRoots();
  return reader.roots;
}

class MetadataReader {
  readonly #options: MetadataOptions;
  readonly #store: TrustedMetadataStore;
  readonly #now: Date;
  /** As far as they were read, the oldest first. */
  readonly roots: Root[] = [];

  constructor(options: MetadataOptions) {
    this.#options = options;
    this.#now = new Date(options.nowMs);
    this.#store = this.#judge(
      "the trusted root",
      options.trustedRoot,
      () => new TrustedMetadataStore(toBuffer(options.trustedRoot)),
    );
    // The store takes the machine's clock and has no argument for another: a test fails should this stop to work.
    Object.assign(this.#store, { referenceTime: this.#now });
  }

  /**
   * Section 5.3. Roots that were seen before come first: a repository that hides them is not believed. They are kept as a
   * chain and not as the last link, because only a chain from `trustedRoot` proves that nobody has put them there.
   */
  async readRoots(): Promise<Root> {
    for (let count = 0; count < MAX_ROOTS; count++) {
      const previous = this.#store.root.signed;
      this.roots.push(previous);
      const name = `${previous.version + 1}.root.json`;
      if (await this.#useKept(name, MAX_BYTES.root, (bytes) => this.#store.updateRoot(bytes))) continue;
      let bytes: Buffer;
      try {
        bytes = await this.#fetch(name, MAX_BYTES.root);
      } catch (error) {
        if (error instanceof AshlarError && error.code === "not-found") return previous;
        throw error;
      }
      const { signed: next } = this.#judge(name, bytes, () => this.#store.updateRoot(bytes));
      // Before the root is kept: once it is, nobody comes here again.
      if (ONLINE_ROLES.some((role) => hasLostKey(previous, next, role))) await this.#forgetVersions();
      await this.#keep(name, bytes);
    }
    throw new AshlarError("limit", `${this.#where}: expected at most ${MAX_ROOTS} new root roles, found more`);
  }

  /**
   * Section 5.3.11: whoever had a stolen key of timestamp or snapshot may have signed a version so high that the
   * repository's own would be older for ever.
   */
  async #forgetVersions(): Promise<void> {
    for (const name of ["timestamp.json", "snapshot.json"])
      await rm(join(this.#options.stateDirectory, name), { force: true });
  }

  /** Section 5.4. */
  async readTimestamp(): Promise<void> {
    await this.#useKept("timestamp.json", MAX_BYTES.timestamp, (bytes) => this.#store.updateTimestamp(bytes));
    const bytes = await this.#fetch("timestamp.json", MAX_BYTES.timestamp);
    this.#judge("timestamp.json", bytes, () => {
      try {
        this.#store.updateTimestamp(bytes);
      } catch (error) {
        if (!(error instanceof EqualVersionError)) throw error;
      }
    });
    await this.#keep("timestamp.json", bytes);
  }

  /** Section 5.5. */
  async readSnapshot(): Promise<void> {
    // Also one that is not current any more: the new one must not have older targets than it.
    if (await this.#useKept("snapshot.json", MAX_BYTES.snapshot, (bytes) => this.#store.updateSnapshot(bytes, true)))
      return;
    const { snapshotMeta } = present(this.#store.timestamp).signed;
    const name = this.#versioned("snapshot.json", snapshotMeta.version);
    const bytes = await this.#fetch(name, snapshotMeta.length ?? MAX_BYTES.snapshot);
    this.#judge(name, bytes, () => this.#store.updateSnapshot(bytes));
    await this.#keep("snapshot.json", bytes);
  }

  /** Section 5.6. There are no delegations. */
  async readTargets(): Promise<SignedTargets> {
    const update = (bytes: Buffer): void => this.#store.updateDelegatedTargets(bytes, "targets", "root");
    if (!(await this.#useKept("targets.json", MAX_BYTES.targets, update))) {
      const meta = present(this.#store.snapshot).signed.meta["targets.json"];
      const name = this.#versioned("targets.json", meta?.version ?? 1);
      const bytes = await this.#fetch(name, meta?.length ?? MAX_BYTES.targets);
      this.#judge(name, bytes, () => update(bytes));
      await this.#keep("targets.json", bytes);
    }
    return present(this.#store.targets).signed;
  }

  get expiresMs(): number {
    const { root, timestamp, snapshot, targets } = this.#store;
    return Math.min(...[root, timestamp, snapshot, targets].map((role) => Date.parse(present(role).signed.expires)));
  }

  get #where(): string {
    return `${this.#options.transport.url}metadata`;
  }

  #versioned(name: string, version: number): string {
    return this.#store.root.signed.consistentSnapshot ? `${version}.${name}` : name;
  }

  async #fetch(name: string, maxBytes: number): Promise<Buffer> {
    const { transport, signal } = this.#options;
    return await readDocument(transport, `metadata/${name}`, Math.min(maxBytes, MAX_BYTES.targets), signal);
  }

  async #keep(name: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#options.stateDirectory, { recursive: true });
    await writeFileAtomically(join(this.#options.stateDirectory, name), bytes);
  }

  /** Uses what was kept, if it is there and still good; whatever is wrong with it, the repository has to do better. */
  async #useKept(name: string, maxBytes: number, use: (bytes: Buffer) => unknown): Promise<boolean> {
    try {
      const bytes = await readFile(join(this.#options.stateDirectory, name));
      if (bytes.length > maxBytes) return false;
      use(bytes);
      return true;
    } catch {
      return false;
    }
  }

  #judge<T>(name: string, bytes: Uint8Array, check: () => T): T {
    try {
      return check();
    } catch (error) {
      throw this.#verdict(name, bytes, error);
    }
  }

  #verdict(name: string, bytes: Uint8Array, error: unknown): AshlarError {
    const place = `${this.#where}/${name}`;
    if (error instanceof ExpiredMetadataError) {
      const { role, date } = this.#findExpired(name, bytes);
      return new AshlarError(
        "invalid",
        `${this.#where}/${role} expired on ${date}, and the clock of this machine says ${this.#now.toISOString()}`,
        {
          hint: "if the clock is wrong, set it; if it is right, whoever publishes the releases has to sign the repository again",
          cause: error,
        },
      );
    }
    if (error instanceof BadVersionError) {
      return new AshlarError("untrusted", `${place} is older than what was seen before: ${error.message}`, {
        hint: "somebody replays an old state of the repository, or it was restored from a backup: publish again",
        cause: error,
      });
    }
    if (error instanceof SyntaxError || error instanceof TypeError) {
      const found = error instanceof SyntaxError ? "no JSON" : messageOf(error);
      return new AshlarError("malformed", `${place}: expected TUF metadata, found ${found}`, { cause: error });
    }
    return new AshlarError("untrusted", `${place}: ${quotesNothing(error) ? messageOf(error) : "no such metadata"}`, {
      hint: "the repository was changed by somebody without its keys, or belongs to other keys than this machine trusts",
      cause: error,
    });
  }

  /** The store does not say which role it was: it checks the ones before anew with each. */
  #findExpired(name: string, bytes: Uint8Array): { readonly role: string; readonly date: string } {
    const { root, timestamp, snapshot } = this.#store;
    for (const role of [root, timestamp, snapshot]) {
      if (role?.signed.isExpired(this.#now) === true)
        return { role: `${role.signed.type}.json`, date: role.signed.expires };
    }
    const { signed }: { signed: { expires: string } } = JSON.parse(toBuffer(bytes).toString("utf8"));
    return { role: name, date: signed.expires };
  }
}

/**
 * Before a signature is checked, anybody can have written what tuf-js quotes: the answer of a server that only this machine
 * reaches, for example. Its errors of values quote (`expected 'root', got ...`), the others count and compare.
 */
function quotesNothing(error: unknown): boolean {
  return !(error instanceof Error) || error.constructor.name !== "ValueError";
}

const ONLINE_ROLES = ["timestamp", "snapshot"] as const;

/** A key that only came along takes nothing back, and what was signed by the others stays. */
function hasLostKey(previous: Root, next: Root, role: (typeof ONLINE_ROLES)[number]): boolean {
  const stays = new Set(next.roles[role]?.keyIDs);
  return previous.roles[role]?.keyIDs.some((id) => !stays.has(id)) ?? false;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The store has what it has just accepted. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError("expected metadata that was accepted before");
  return value;
}
