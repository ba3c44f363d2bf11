import type { Pool } from 'pg';

import { invalidArgument } from '../check/option.js';
import { messageOf } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { loadPeer } from '../observability/peer.js';
import { GroupedWrites } from './group.js';
import type { ResultRow, ResultSink } from './row.js';

/** Options of {@link PostgresTable.open}. */
export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database`. Default: what the variables `PGHOST`, `PGDATABASE` and so on say. */
  readonly url?: string | undefined;
  /** The table, with its schema if it is not in the search path: `'vision.results'`. Default `'ghostnet_results'`. */
  readonly table?: string | undefined;
}

/** How long a statement may take, in milliseconds: a connection that is silent for longer is given up. */
const patienceMs = 15_000;

/**
 * A table of PostgreSQL with the columns `key`, `image`, `content`, `model` and `result` (jsonb) and `written_at`, which is created if
 * it is not there. A row whose key is there is left as it is: `insert ... on conflict (key) do nothing`.
 */
export class PostgresTable implements ResultSink {
  readonly name: string;
  readonly #pool: Pool;
  readonly #table: string;
  readonly #writes = new GroupedWrites((rows) => this.#insert(rows));

  private constructor(pool: Pool, table: string) {
    this.#pool = pool;
    this.#table = quoted(table);
    this.name = `the PostgreSQL table ${table}`;
  }

  /**
   * Connects, creates the table if it is not there, and checks that it takes rows.
   *
   * @throws {@link GhostNetError} `GHOSTNET_SERVICE_FAILED`, `GHOSTNET_PEER_NOT_INSTALLED`, `GHOSTNET_INVALID_ARGUMENT`
   */
  static async open({ url, table = 'ghostnet_results' }: PostgresOptions): Promise<PostgresTable> {
    if (!/^[^\0"]{1,63}$/.test(table))
      throw invalidArgument('The table has no possible name', table, 'the name of a table of PostgreSQL');
    const { Pool } = loadPeer('pg', 'ghostnet/queue') as typeof import('pg');
    const pool = new Pool({
      ...(url === undefined ? {} : { connectionString: url }),
      // Writes are grouped: a second connection would have nothing to do.
      max: 1,
      connectionTimeoutMillis: patienceMs,
      query_timeout: patienceMs,
      keepAlive: true,
      application_name: 'ghostnet',
    });
    // Of an idle connection. The next statement opens another one.
    pool.on('error', () => undefined);
    const made = new PostgresTable(pool, table);
    try {
      await made.#create();
      // Whether a table that was there takes rows, and has each key once.
      await made.#insert([]);
      return made;
    } catch (error) {
      await pool.end();
      throw error;
    }
  }

  write(row: ResultRow): Promise<boolean> {
    return this.#writes.add(row);
  }

  async close(): Promise<void> {
    await this.#writes.end();
    await this.#pool.end();
  }

  async #create(): Promise<void> {
    try {
      await this.#pool.query(
        `create table if not exists ${this.#table} (key text primary key, image text not null, content text not null, ` +
          `model text not null, result jsonb not null, written_at timestamptz not null default now())`,
      );
    } catch (cause) {
      // Two workers that begin at once may both find no table.
      if ((cause as { code?: unknown }).code !== '23505') throw this.#failure(cause);
    }
  }

  async #insert(rows: readonly ResultRow[]): Promise<boolean[]> {
    const column = (valueOf: (row: ResultRow) => string): string[] => rows.map(valueOf);
    try {
      const { rows: written } = await this.#pool.query<{ key: string }>(
        `insert into ${this.#table} (key, image, content, model, result) ` +
          `select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[]) ` +
          `on conflict (key) do nothing returning key`,
        [
          column(({ key }) => key),
          column(({ image }) => image),
          column(({ content }) => content),
          column(({ model }) => model),
          column(({ classes, embedding }) => JSON.stringify(classes ?? embedding)),
        ],
      );
      const keys = new Set(written.map(({ key }) => key));
      return rows.map(({ key }) => keys.delete(key));
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  #failure(cause: unknown): GhostNetError {
    return new GhostNetError('GHOSTNET_SERVICE_FAILED', `Results cannot be written to ${this.name}`, {
      found: messageOf(cause) || ((cause as NodeJS.ErrnoException).code ?? 'no connection'),
      cause,
    });
  }
}

/** The name of a table as SQL has it. */
function quoted(table: string): string {
  return table
    .split('.')
    .map((part) => `"${part}"`)
    .join('.');
}
