export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What the project wants it to be. */
  readonly aim?: string | undefined;
}

export function printTable(rows: readonly Row[]): void {
  const width = Math.max(...rows.map((row) => row.what.length));
  for (const row of rows) {
    const value = (Math.round(row.value * 100) / 100).toLocaleString("en-US").padStart(9);
    console.log(`${row.what.padEnd(width)}  ${value} ${row.unit.padEnd(4)} ${row.aim ?? ""}`.trimEnd());
  }
}
