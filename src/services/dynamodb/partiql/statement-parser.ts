import { validation } from "../errors.ts";
import type {
  DeleteStatement,
  ExistsStatement,
  Expression,
  InsertStatement,
  OrderTerm,
  PathExpression,
  Returning,
  SelectStatement,
  Statement,
  Target,
  UpdateClause,
  UpdateStatement,
} from "./ast.ts";
import { parseExpression, parsePath } from "./expression-parser.ts";
import { tokenize } from "./lexer.ts";
import { malformed, refusedAt } from "./malformed.ts";
import { createTokenReader, unexpected, type TokenReader } from "./token-reader.ts";

const leftover = "Unexpected token after expression";

/**
 * A PartiQL statement. Source: developer guide, "PartiQL statements for DynamoDB"; what it refuses is in the words that AWS has
 * for it, where they are known.
 *
 * @throws {ValidationException}
 */
export function parseStatement(text: string): Statement {
  const input = createTokenReader(tokenize(text));
  const statement = parseKind(input);
  input.take(";");
  if (input.peek().kind !== "end") throw malformed(leftover);
  return { ...statement, parameters: input.parameters };
}

function parseKind(input: TokenReader) {
  if (input.takeWord("select")) return parseSelect(input);
  if (input.takeWord("insert")) return parseInsert(input);
  if (input.takeWord("update")) return parseUpdate(input);
  if (input.takeWord("delete")) return parseDelete(input);
  if (input.takeWord("from")) return parseUpdateFrom(input);
  if (input.isWord("exists")) return parseExists(input);
  throw malformed("Expected data manipulation");
}

function parseSelect(input: TokenReader): SelectStatement {
  if (input.isWord("distinct")) throw validation("Unsupported clause: DISTINCT");
  if (input.isWord("value") || input.isWord("pivot")) {
    throw validation("Select projection doesn't support value or pivot keywords");
  }
  const projection = parseProjection(input);
  if (!input.takeWord("from")) throw malformed(leftover);
  const target = parseSource(input);
  const where = parseWhere(input);
  for (const clause of ["group", "having", "limit", "let"]) {
    if (input.isWord(clause)) throw validation(`Unsupported clause: ${clause.toUpperCase()}`);
  }
  return { kind: "select", target, projection, where, order: parseOrder(input) };
}

function parseProjection(input: TokenReader): readonly PathExpression[] | undefined {
  const paths: PathExpression[] = [];
  let isAll = false;
  do {
    if (input.take("*")) isAll = true;
    else {
      const expression = parseExpression(input);
      if (expression.kind !== "path") throw refusedAt("Unexpected path component", expression.place);
      if (input.isWord("as") || input.peek().kind === "word" || input.peek().kind === "name") throw aliased();
      paths.push(expression);
    }
  } while (input.take(","));
  if (!isAll) return paths;
  if (paths.length > 0) {
    throw validation("Other attributes should not be present in the projection when '*' is used.");
  }
  return undefined;
}

function aliased() {
  return validation("Aliasing is not supported");
}

/** What FROM names. */
function parseSource(input: TokenReader): Target {
  const { kind } = input.peek();
  if (kind === "string" || kind === "number" || kind === "parameter") throw validation("Unexpected from source");
  if (kind !== "word" && kind !== "name") throw unexpected(input.peek());
  const target = parseTarget(input);
  if (input.isSymbol(",") || ["join", "inner", "left", "right", "cross", "full"].some((word) => input.isWord(word))) {
    throw validation("Only select from a single table or index is supported.");
  }
  assertNoAlias(input);
  return target;
}

/** What a statement that writes names. */
function parseSimpleTarget(input: TokenReader): Target {
  const { kind } = input.peek();
  if (kind !== "word" && kind !== "name") throw malformed("Expected identifier for simple path");
  return parseTarget(input);
}

function parseTarget(input: TokenReader): Target {
  const components = [input.next().text];
  while (input.take(".")) {
    const { kind } = input.peek();
    if (kind !== "word" && kind !== "name") throw malformed("Invalid path dot component");
    components.push(input.next().text);
  }
  if (input.isSymbol("[")) throw validation("Invalid list expression in source.");
  if (components.length > 2) throw validation("A path may contain at most 2 components in the FROM clause");
  const [table = "", index] = components;
  if (table === "" || index === "") throw validation("Path component cannot be an empty string");
  return { table, ...(index !== undefined && { index }) };
}

function assertNoAlias(input: TokenReader): void {
  const { kind } = input.peek();
  if (kind === "word" || kind === "name" || input.isWord("as") || input.isWord("at") || input.isWord("by")) {
    throw aliased();
  }
}

function parseWhere(input: TokenReader): Expression | undefined {
  return input.takeWord("where") ? parseExpression(input) : undefined;
}

function parseOrder(input: TokenReader): readonly OrderTerm[] {
  const terms: OrderTerm[] = [];
  if (!input.takeWord("order")) return terms;
  if (!input.takeWord("by")) throw malformed("Expected BY after ORDER");
  do {
    const { steps } = parsePath(input);
    const [name] = steps;
    if (steps.length > 1 || typeof name !== "string") {
      throw validation("Argument to ORDER BY must be of type VariableReference. Type: Path");
    }
    const descending = input.takeWord("desc");
    if (!descending) input.takeWord("asc");
    terms.push({ name, descending });
  } while (input.take(","));
  return terms;
}

function parseInsert(input: TokenReader): InsertStatement {
  if (!input.takeWord("into")) throw malformed("Expected INTO after INSERT");
  const target = parseSimpleTarget(input);
  if (!input.takeWord("value")) {
    if (input.isSymbol("<<") || input.isSymbol("{") || input.isSymbol("[") || input.isWord("values")) {
      throw validation(
        'Unsupported operation: Inserting multiple items in a single statement is not supported, use "INSERT INTO tableName VALUE item" instead',
      );
    }
    throw malformed(leftover);
  }
  const item = parseExpression(input);
  if (input.isWord("at")) throw validation("AT is not supported in insert statements.");
  if (input.isWord("returning")) throw validation("RETURNING is not supported in INSERT");
  return { kind: "insert", target, item };
}

function parseUpdate(input: TokenReader): UpdateStatement {
  const target = parseSimpleTarget(input);
  assertNoAliasBefore(input, ["set", "remove"]);
  const clauses = parseClauses(input);
  const where = parseWhere(input);
  return { kind: "update", target, clauses, where, returning: parseReturning(input) };
}

/** `FROM table WHERE … SET …`: the same, the other way round. */
function parseUpdateFrom(input: TokenReader): UpdateStatement {
  const target = parseSource(input);
  const where = parseWhere(input);
  return { kind: "update", target, clauses: parseClauses(input), where, returning: parseReturning(input) };
}

function assertNoAliasBefore(input: TokenReader, words: readonly string[]): void {
  if (!words.some((word) => input.isWord(word))) assertNoAlias(input);
}

function parseClauses(input: TokenReader): readonly UpdateClause[] {
  const clauses: UpdateClause[] = [];
  for (;;) {
    if (input.takeWord("set")) {
      do clauses.push(parseAssignment(input));
      while (input.take(","));
    } else if (input.takeWord("remove")) {
      clauses.push({ kind: "remove", path: parsePath(input) });
    } else if (input.isWord("insert") || input.isWord("delete")) {
      throw validation("Only SET and REMOVE are supported in update expressions at this time");
    } else break;
  }
  if (clauses.length === 0) throw malformed("Expected data manipulation");
  return clauses;
}

function parseAssignment(input: TokenReader): UpdateClause {
  const path = parsePath(input);
  if (!input.take("=")) throw malformed("Expected '=' in SET");
  return { kind: "set", path, value: parseExpression(input) };
}

function parseDelete(input: TokenReader): DeleteStatement {
  if (!input.takeWord("from")) throw malformed("Expected FROM after DELETE");
  const target = parseSimpleTarget(input);
  assertNoAlias(input);
  const where = parseWhere(input);
  return { kind: "delete", target, where, returning: parseReturning(input) };
}

function parseReturning(input: TokenReader): Returning | undefined {
  if (!input.takeWord("returning")) return undefined;
  const which = input.takeWord("all") ? "ALL" : input.takeWord("modified") ? "MODIFIED" : undefined;
  const when = input.takeWord("old") ? "OLD" : input.takeWord("new") ? "NEW" : undefined;
  if (!which || !when) throw malformed("Expected ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause");
  if (!input.take("*")) {
    throw malformed("Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause");
  }
  if (input.isSymbol(",")) throw validation("Invalid syntax with multiple returning elements in RETURNING clause");
  return `${which} ${when}`;
}

function parseExists(input: TokenReader): ExistsStatement {
  input.next();
  input.expect("(");
  if (!input.takeWord("select")) throw unexpected(input.peek());
  const { target, where, order } = parseSelect(input);
  if (order.length > 0) throw malformed(leftover);
  input.expect(")");
  return { kind: "exists", target, where };
}
