import type { Place } from "./malformed.ts";

export interface PathExpression {
  readonly kind: "path";
  /** The first is a name. */
  readonly steps: readonly (string | number)[];
  readonly place: Place;
}

/** An expression as it was written. */
export type Expression =
  | PathExpression
  | { readonly kind: "string" | "number"; readonly text: string; readonly place: Place }
  | { readonly kind: "boolean"; readonly value: boolean; readonly place: Place }
  | { readonly kind: "null" | "missing"; readonly place: Place }
  | { readonly kind: "ion"; readonly text: string; readonly place: Place }
  /** A `?`, by its position among them. */
  | { readonly kind: "parameter"; readonly at: number; readonly place: Place }
  /** `[…]`, `(…, …)` and `<<…>>`. */
  | { readonly kind: "list" | "bag"; readonly members: readonly Expression[]; readonly place: Place }
  | { readonly kind: "tuple"; readonly members: readonly TupleMember[]; readonly place: Place }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[]; readonly place: Place }
  | {
      readonly kind: "binary";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
      readonly place: Place;
    }
  /** A sign before what is no number. */
  | { readonly kind: "sign"; readonly operator: string; readonly of: Expression; readonly place: Place }
  | { readonly kind: "and" | "or"; readonly left: Expression; readonly right: Expression; readonly place: Place }
  | { readonly kind: "not"; readonly of: Expression; readonly place: Place }
  | {
      readonly kind: "between";
      readonly of: Expression;
      readonly low: Expression;
      readonly high: Expression;
      readonly place: Place;
    }
  | { readonly kind: "in"; readonly of: Expression; readonly among: Expression; readonly place: Place }
  /** `IS`: the type asked for, in lower case. */
  | { readonly kind: "is"; readonly of: Expression; readonly type: string; readonly place: Place };

export interface TupleMember {
  readonly key: Expression;
  readonly value: Expression;
}

/** What a statement reads or writes: a table, or one of its indexes. */
export interface Target {
  readonly table: string;
  readonly index?: string;
}

export interface OrderTerm {
  readonly name: string;
  readonly descending: boolean;
}

export type UpdateClause =
  | { readonly kind: "set"; readonly path: PathExpression; readonly value: Expression }
  | { readonly kind: "remove"; readonly path: PathExpression };

/** `RETURNING`: which of the item, and as it was or as it is. */
export type Returning = "ALL OLD" | "ALL NEW" | "MODIFIED OLD" | "MODIFIED NEW";

export interface SelectStatement {
  readonly kind: "select";
  readonly target: Target;
  /** Undefined for `*`. */
  readonly projection: readonly PathExpression[] | undefined;
  readonly where: Expression | undefined;
  readonly order: readonly OrderTerm[];
}

export interface InsertStatement {
  readonly kind: "insert";
  readonly target: Target;
  readonly item: Expression;
}

export interface UpdateStatement {
  readonly kind: "update";
  readonly target: Target;
  readonly clauses: readonly UpdateClause[];
  readonly where: Expression | undefined;
  readonly returning: Returning | undefined;
}

export interface DeleteStatement {
  readonly kind: "delete";
  readonly target: Target;
  readonly where: Expression | undefined;
  readonly returning: Returning | undefined;
}

/** `EXISTS(SELECT …)`: what a transaction requires of an item. */
export interface ExistsStatement {
  readonly kind: "exists";
  readonly target: Target;
  readonly where: Expression | undefined;
}

export type Statement = (SelectStatement | InsertStatement | UpdateStatement | DeleteStatement | ExistsStatement) & {
  /** How many `?` it has. */
  readonly parameters: number;
};
