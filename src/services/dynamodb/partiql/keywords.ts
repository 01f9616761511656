/**
 * Words that name no attribute unless they stand in double quotation marks: SQL-92's reserved words, and PartiQL's own. Source:
 * "Reserved words" of SQL-92, and the PartiQL specification's keywords, which DynamoDB refuses as `Unexpected keyword`.
 */
const words = `absolute action add all allocate alter and any are as asc assertion at authorization avg begin between bit bit_length
by cascade cascaded case cast catalog char character character_length char_length check close coalesce collate collation column
commit connect connection constraint constraints continue convert corresponding count create cross current current_date
current_time current_timestamp current_user cursor date deallocate dec decimal declare default deferrable deferred delete desc
describe descriptor diagnostics disconnect distinct domain double drop else end escape except exception exec execute exists
external extract false fetch first float for foreign found from full get global go goto grant group having identity immediate in
indicator initially inner input insensitive insert int integer intersect interval into is isolation join key language last left
level like local lower match max min module names national natural nchar next no not null nullif numeric octet_length of on only
open option or order outer output overlaps pad partial position precision prepare preserve primary prior privileges procedure
public read real references relative restrict revoke right rollback rows schema scroll section select session session_user set
size smallint some space sql sqlcode sqlerror sqlstate substring sum system_user table temporary then time timestamp to
transaction translate translation trim true union unique unknown update upper usage user using value values varchar varying view
when whenever where with work write zone
missing pivot unpivot limit tuple remove index conflict returning let bool boolean string symbol clob blob struct list sexp bag`;

const keywords: ReadonlySet<string> = new Set(words.split(/\s+/));

/** @param word in any case */
export function isKeyword(word: string): boolean {
  return keywords.has(word.toLowerCase());
}

/** What `IS` may ask for. Source: DynamoDB's refusal of others, which lists these beside MISSING and NULL. */
export const typesOfIs: Readonly<Record<string, string>> = {
  null: "NULL",
  boolean: "BOOL",
  bool: "BOOL",
  blob: "B",
  string: "S",
  numeric: "N",
  struct: "M",
  tuple: "M",
  list: "L",
};

/** Names of types that PartiQL knows, and DynamoDB has not. */
export const foreignTypes: ReadonlySet<string> = new Set([
  "int",
  "int4",
  "int8",
  "integer",
  "smallint",
  "decimal",
  "float",
  "real",
  "double",
  "char",
  "character",
  "varchar",
  "date",
  "time",
  "timestamp",
  "symbol",
  "clob",
  "bag",
  "sexp",
  "any",
]);
