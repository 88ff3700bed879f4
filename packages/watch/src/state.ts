import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { AshlarError, messageOf } from "@ashlar/base";
import { nodeVerdictSchema, type Level, type NodeVerdict } from "@ashlar/identity";
import { parseOwnDocument } from "@ashlar/protocol/answers";
import { unknownNode, type KnownNode } from "./decide/known-node.ts";
import { sendTogether } from "./decide/messages.ts";
import type { Change } from "./decide/standing.ts";
import type { Webhook } from "./webhook.ts";

/** "ASHW", so that no other program's file is taken for one of ours. */
const APPLICATION_ID = 0x4153_4857;
const VERSION = 1;
const SCHEMA = `
  CREATE TABLE node (
    name TEXT PRIMARY KEY, verdict TEXT, proved_at INTEGER, asked_at INTEGER, silences INTEGER NOT NULL, silence TEXT, told_level TEXT
  ) STRICT;
  CREATE TABLE content (sha256 BLOB PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE evidence (
    node TEXT NOT NULL REFERENCES node (name) ON DELETE CASCADE, file TEXT NOT NULL, sha256 BLOB NOT NULL REFERENCES content (sha256),
    PRIMARY KEY (node, file)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX evidence_content ON evidence (sha256);
  CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, webhook TEXT NOT NULL, changes TEXT NOT NULL, event TEXT NOT NULL, attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX message_webhook ON message (webhook, id);
`;
/** An end that nobody comes to hear of must not fill the disk: the oldest are given up. */
const MAX_MESSAGES_PER_WEBHOOK = 10_000;

/** A message that has not been delivered yet. */
export type PendingMessage = {
  readonly id: number;
  readonly webhook: string;
  readonly changes: readonly Change[];
  /** The event's, the same at all webhooks that are told of the same. */
  readonly event: string;
  readonly attempts: number;
};

export type Answered = Pick<KnownNode, "name"> & {
  readonly verdict: NonNullable<KnownNode["verdict"]>;
  readonly provedAtMs: number;
  /** By the names of files; undefined when the answer was none that could be kept. */
  readonly evidence: ReadonlyMap<string, Uint8Array | string> | undefined;
};

/** Everything that a verifier remembers, in one SQLite file: each change of it is there as a whole or not at all. */
export class State implements Disposable {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  nodes(): readonly KnownNode[] {
    return this.#sql("SELECT * FROM node ORDER BY name").all().map(nodeOf);
  }

  /** Does all of `work`, or none of it. */
  atOnce(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Nodes that are asked from now on, and no others. */
  setNodes(names: ReadonlySet<string>): void {
    this.atOnce(() => {
      for (const row of this.#sql("SELECT name FROM node").all()) {
        const name = String(row["name"]);
        if (names.has(name)) continue;
        const before = this.#contentOf(name);
        this.#sql("DELETE FROM node WHERE name = ?").run(name);
        this.#dropUnused(before);
      }
      for (const name of names) this.#sql("INSERT OR IGNORE INTO node (name, silences) VALUES (?, 0)").run(name);
    });
  }

  /** Within {@link atOnce}: a node's evidence is that of its verdict, always. */
  putAnswer({ name, verdict: named, provedAtMs, evidence }: Answered): void {
    const { name: _name, ...verdict } = named;
    this.#sql(
      "UPDATE node SET verdict = ?, proved_at = ?, asked_at = ?, silences = 0, silence = NULL WHERE name = ?",
    ).run(JSON.stringify(verdict), provedAtMs, provedAtMs, name);
    const before = this.#contentOf(name);
    this.#sql("DELETE FROM evidence WHERE node = ?").run(name);
    for (const [file, content] of evidence ?? []) {
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      const sha256 = createHash("sha256").update(bytes).digest();
      this.#sql("INSERT OR IGNORE INTO content (sha256, bytes) VALUES (?, ?)").run(sha256, bytes);
      this.#sql("INSERT INTO evidence (node, file, sha256) VALUES (?, ?, ?)").run(name, file, sha256);
    }
    this.#dropUnused(before);
  }

  /** Within {@link atOnce}. */
  putSilence({
    name,
    askedAtMs,
    why,
  }: {
    readonly name: string;
    readonly askedAtMs: number;
    readonly why: string;
  }): void {
    this.#sql("UPDATE node SET asked_at = ?, silences = silences + 1, silence = ? WHERE name = ?").run(
      askedAtMs,
      why,
      name,
    );
  }

  /** Within {@link atOnce}: a change that is told is on its way to each webhook. */
  putChanges(changes: readonly Change[], webhooks: readonly Pick<Webhook, "name" | "kind">[]): void {
    for (const { node, to } of changes) this.#sql("UPDATE node SET told_level = ? WHERE name = ?").run(to, node);
    // A new node that is right from the start is no news.
    const news = changes.filter(({ from, to }) => from !== undefined || to !== "proven");
    for (const { name, kind } of webhooks) {
      for (const together of sendTogether(kind, news)) this.#addMessage(name, JSON.stringify(together));
    }
  }

  #addMessage(webhook: string, changes: string): void {
    const event = createHash("sha256").update(changes).digest("hex").slice(0, 32);
    const add = "INSERT INTO message (webhook, changes, event, attempts, next_at) VALUES (?, ?, ?, 0, 0)";
    this.#sql(add).run(webhook, changes, event);
    const newest = "SELECT id FROM message WHERE webhook = ? ORDER BY id DESC LIMIT 1 OFFSET ?";
    const drop = `DELETE FROM message WHERE webhook = ? AND id <= (${newest})`;
    this.#sql(drop).run(webhook, webhook, MAX_MESSAGES_PER_WEBHOOK);
  }

  /** The oldest message to a webhook, if its time has come: they arrive in their order. */
  nextMessage(webhook: string, nowMs: number): PendingMessage | undefined {
    const row = this.#sql("SELECT * FROM message WHERE webhook = ? ORDER BY id LIMIT 1").get(webhook);
    if (row === undefined || Number(row["next_at"]) > nowMs) return undefined;
    return {
      id: Number(row["id"]),
      webhook,
      changes: JSON.parse(String(row["changes"])),
      event: String(row["event"]),
      attempts: Number(row["attempts"]),
    };
  }

  pendingMessages(): number {
    return Number(this.#sql("SELECT count(*) AS count FROM message").get()?.["count"]);
  }

  dropMessage(id: number): void {
    this.#sql("DELETE FROM message WHERE id = ?").run(id);
  }

  delayMessage(id: number, nextAtMs: number): void {
    this.#sql("UPDATE message SET attempts = attempts + 1, next_at = ? WHERE id = ?").run(nextAtMs, id);
  }

  /** Messages to webhooks that nobody names any more. */
  dropOtherMessages(webhooks: readonly string[]): void {
    const kept = webhooks.map(() => "?").join(", ");
    this.#sql(`DELETE FROM message WHERE webhook NOT IN (${kept})`).run(...webhooks);
  }

  /** A file of a node's evidence. */
  file(node: string, file: string): Uint8Array | undefined {
    const row = this.#sql(
      "SELECT bytes FROM evidence JOIN content USING (sha256) WHERE evidence.node = ? AND evidence.file = ?",
    ).get(node, file);
    const bytes = row?.["bytes"];
    return bytes instanceof Uint8Array ? bytes : undefined;
  }

  #contentOf(node: string): readonly SQLOutputValue[] {
    return this.#sql("SELECT sha256 FROM evidence WHERE node = ?")
      .all(node)
      .map((row) => row["sha256"] ?? null);
  }

  /** Machines of one kind have the same logs, which are kept once. */
  #dropUnused(before: readonly SQLOutputValue[]): void {
    const drop =
      "DELETE FROM content WHERE sha256 = ? AND NOT EXISTS (SELECT 1 FROM evidence WHERE evidence.sha256 = content.sha256)";
    for (const sha256 of before) this.#sql(drop).run(sha256);
  }

  #sql(text: string): StatementSync {
    const statement = this.#prepared.get(text) ?? this.#database.prepare(text);
    this.#prepared.set(text, statement);
    return statement;
  }
}

/**
 * Opens the file, or makes it. Only one process has it open.
 *
 * @throws AshlarError `conflict` while another process has it, `invalid` for a file that is none of ours, `failed` when it cannot be used
 */
export function openState(path: string): State {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    database = new DatabaseSync(path);
    // With EXCLUSIVE the lock is kept until the file is closed, or its process is killed.
    database.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
    );
    database.exec("BEGIN IMMEDIATE");
    prepare(database, path);
    database.exec("COMMIT");
    return new State(database);
  } catch (error) {
    database?.close();
    if (error instanceof AshlarError) throw error;
    if (/\bdatabase is locked\b/u.test(messageOf(error))) {
      throw new AshlarError(
        "conflict",
        `${path}: expected a file that no other process has open, found one that is in use`,
        {
          hint: "one `ashlar watch` is enough; or give another file with --state",
          cause: error,
        },
      );
    }
    const isOther = /\bnot a database\b|\bmalformed\b/u.test(messageOf(error));
    const expected = isOther ? "the state of ashlar watch, found something else" : "a file that can be written";
    throw new AshlarError(isOther ? "invalid" : "failed", `${path}: expected ${expected}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function prepare(database: DatabaseSync, path: string): void {
  const of = (pragma: string): number => Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
  const tables = Number(database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.["count"]);
  if (tables === 0) {
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION}; ${SCHEMA}`);
    return;
  }
  if (of("application_id") === APPLICATION_ID && of("user_version") === VERSION) return;
  throw new AshlarError(
    "invalid",
    `${path}: expected the state of ashlar watch, version ${VERSION}, found another file`,
    {
      hint: "give another file with --state: this one has not been changed",
    },
  );
}

type Row = Readonly<Record<string, SQLOutputValue>>;

function nodeOf(row: Row): KnownNode {
  const text = row["verdict"];
  const numberOf = (value: SQLOutputValue | undefined): number | undefined =>
    value === null ? undefined : Number(value);
  const told = row["told_level"];
  const name = String(row["name"]);
  return {
    ...unknownNode(name),
    verdict: typeof text === "string" ? { name, ...verdictOf(text, name) } : undefined,
    provedAtMs: numberOf(row["proved_at"]),
    askedAtMs: numberOf(row["asked_at"]),
    silences: Number(row["silences"]),
    silence: typeof row["silence"] === "string" ? row["silence"] : undefined,
    toldLevel: isLevel(told) ? told : undefined,
  };
}

const MAX_VERDICT_CHARACTERS = 1024 * 1024;

function verdictOf(text: string, name: string): NodeVerdict {
  return parseOwnDocument(text, nodeVerdictSchema, `the verdict on ${name}`, MAX_VERDICT_CHARACTERS);
}

function isLevel(value: unknown): value is Level {
  return value === "proven" || value === "reported" || value === "mismatch" || value === "unknown";
}
