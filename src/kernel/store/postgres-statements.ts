/** A statement that every connection prepares when it begins. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export interface Step {
  readonly statement: Statement;
  readonly values?: readonly (Buffer | string | null)[];
}

/** A row as PostgreSQL writes it in text. */
export type Row = readonly (string | null)[];

/**
 * Every commit raises the sequence in the one row of `cumulet_state` and holds that row until it ends: commits are applied
 * one after the other, become visible in the order of their numbers, and none is skipped. What a statement reads comes with the
 * sequence at its moment.
 */
export const statements = {
  points: statement(
    "points",
    `SELECT s.sequence, e.n, e.version, e.value FROM cumulet_state s
     LEFT JOIN LATERAL (
       SELECT k.n, e.version, e.value FROM unnest($1::bytea[]) WITH ORDINALITY AS k(key, n)
       JOIN cumulet_entries e ON e.key = k.key
     ) e ON true WHERE s.id = 1`,
  ),
  range: statement(
    "range",
    `SELECT s.sequence, e.key, e.version, e.value FROM cumulet_state s
     LEFT JOIN LATERAL (
       SELECT key, version, value FROM cumulet_entries WHERE key >= $1::bytea AND key < $2::bytea
       ORDER BY key LIMIT $3::bigint
     ) e ON true WHERE s.id = 1`,
  ),
  rangeReverse: statement(
    "range_reverse",
    `SELECT s.sequence, e.key, e.version, e.value FROM cumulet_state s
     LEFT JOIN LATERAL (
       SELECT key, version, value FROM cumulet_entries WHERE key >= $1::bytea AND key < $2::bytea
       ORDER BY key DESC LIMIT $3::bigint
     ) e ON true WHERE s.id = 1`,
  ),
  sequence: statement("sequence", "SELECT sequence FROM cumulet_state WHERE id = 1"),
  changes: statement(
    "changes",
    `SELECT sequence, origin, keys FROM cumulet_changes WHERE sequence > $1::bigint ORDER BY sequence LIMIT $2::bigint`,
  ),
  beginSnapshot: statement("begin_snapshot", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
  endSnapshot: statement("end_snapshot", "COMMIT"),
  /** Wait for the commits before this one. */
  turn: statement("turn", "UPDATE cumulet_state SET sequence = sequence + 1 WHERE id = 1"),
  /** The same, and when it is committed the other processes are told. */
  turnAndNotify: statement(
    "turn_and_notify",
    "UPDATE cumulet_state SET sequence = sequence + 1 WHERE id = 1 RETURNING pg_notify($1::text, $2::text)",
  ),
  /**
   * Check what each transaction of a batch had read, and record the batch: its number, which transactions are refused, and the
   * keys it may change. A batch that was applied before cannot be recorded again, so nothing of it is applied twice.
   */
  record: statement(
    "record",
    `INSERT INTO cumulet_changes (sequence, batch, origin, refused, keys, at)
     SELECT s.sequence, $1::bytea, $2::bytea, coalesce((
       SELECT array_agg(DISTINCT x.tx) FROM (
         SELECT r.tx FROM unnest($4::int[], $5::bytea[], $6::bigint[]) AS r(tx, key, version)
         LEFT JOIN cumulet_entries e ON e.key = r.key WHERE coalesce(e.version, 0) <> r.version
         UNION ALL
         SELECT r.tx FROM unnest($7::int[], $8::bytea[], $9::bytea[], $10::bigint[], $11::bigint[])
           AS r(tx, first, beyond, found, seen)
         CROSS JOIN LATERAL (
           SELECT count(*) AS entries, coalesce(max(e.version), 0) AS version FROM cumulet_entries e
           WHERE e.key >= r.first AND e.key < r.beyond
         ) e WHERE e.entries <> r.found OR e.version > r.seen
       ) x), '{}'::int[]), $3::bytea, now()
     FROM cumulet_state s WHERE s.id = 1
     RETURNING sequence, refused`,
  ),
  /** Record and apply a batch whose transactions have read nothing: none of them can be refused. */
  putBlindly: statement(
    "put_blindly",
    `WITH c AS (
       INSERT INTO cumulet_changes (sequence, batch, origin, refused, keys, at)
       SELECT s.sequence, $1::bytea, $2::bytea, '{}'::int[], $3::bytea, now() FROM cumulet_state s WHERE s.id = 1
       RETURNING sequence, refused)
     INSERT INTO cumulet_entries (key, version, value)
     SELECT w.key, c.sequence, w.value FROM c CROSS JOIN unnest($4::bytea[], $5::bytea[]) AS w(key, value)
     ON CONFLICT (key) DO UPDATE SET version = excluded.version, value = excluded.value
     RETURNING version, '{}'`,
  ),
  put: statement(
    "put",
    `INSERT INTO cumulet_entries (key, version, value)
     SELECT w.key, c.sequence, w.value FROM cumulet_changes c
     CROSS JOIN unnest($2::int[], $3::bytea[], $4::bytea[]) AS w(tx, key, value)
     WHERE c.batch = $1::bytea AND NOT (w.tx = ANY (c.refused))
     ON CONFLICT (key) DO UPDATE SET version = excluded.version, value = excluded.value`,
  ),
  remove: statement(
    "remove",
    `DELETE FROM cumulet_entries WHERE key IN (
       SELECT w.key FROM cumulet_changes c CROSS JOIN unnest($2::int[], $3::bytea[]) AS w(tx, key)
       WHERE c.batch = $1::bytea AND NOT (w.tx = ANY (c.refused)))`,
  ),
  /** What became of a batch whose answer was lost. */
  outcome: statement("outcome", "SELECT sequence, refused FROM cumulet_changes WHERE batch = $1::bytea"),
  forget: statement("forget", `DELETE FROM cumulet_changes WHERE at < now() - $1::bigint * interval '1 second'`),
} as const;

function statement(name: string, text: string): Statement {
  return { name: `cumulet_${name}`, text };
}
