import { readMember } from "../../../kernel/nodes/node-record.ts";
import type { Key, Reader, Transaction } from "../../../kernel/store/store.ts";
import type { ConnectionFacts } from "./request.ts";

/** An open connection, under the node that holds it: what must be known when that node is gone. */
export interface HeldRecord {
  readonly v: 1;
  readonly facts: ConnectionFacts;
}

interface HolderRecord {
  readonly v: 1;
  readonly node: string;
}

const root: Key = ["execute-api", "websocket"];

/** Write that a node holds a connection. */
export function writeConnection(tx: Transaction, node: string, facts: ConnectionFacts): void {
  tx.set(connectionKey(facts.connectionId), { v: 1, node } satisfies HolderRecord);
  tx.set([...heldPrefix(node), facts.connectionId], { v: 1, facts } satisfies HeldRecord);
}

export function deleteConnection(tx: Transaction, node: string, connectionId: string): void {
  tx.delete(connectionKey(connectionId));
  tx.delete([...heldPrefix(node), connectionId]);
}

/** The node that holds a connection. */
export async function findHolder(reader: Reader, connectionId: string): Promise<string | undefined> {
  return (await reader.get<HolderRecord>(connectionKey(connectionId)))?.node;
}

export function isHeld(reader: Reader, node: string, connectionId: string): Promise<HeldRecord | undefined> {
  return reader.get<HeldRecord>([...heldPrefix(node), connectionId]);
}

export async function listHeld(reader: Reader, node: string, limit: number): Promise<ConnectionFacts[]> {
  const entries = await reader.range<HeldRecord>({ prefix: heldPrefix(node) }, { limit });
  return entries.map(({ value }) => value.facts);
}

/** Say that a node holds connections, for those who look for what it leaves behind. */
export function writeHolder(tx: Transaction, node: string): void {
  tx.set([...holdersPrefix, node], { v: 1 });
}

export function deleteHolder(tx: Transaction, node: string): void {
  tx.delete([...holdersPrefix, node]);
}

/** The nodes that hold connections, or did when they were lost. */
export async function listHolders(reader: Reader, limit: number): Promise<string[]> {
  const entries = await reader.range({ prefix: holdersPrefix }, { limit });
  return entries.map(({ key }) => String(key.at(-1)));
}

/** Whether a node is registered. In a transaction: it stays so until the commit. */
export async function isRegistered(reader: Reader, node: string): Promise<boolean> {
  return (await readMember(reader, node)) !== undefined;
}

const holdersPrefix: Key = [...root, "holder"];

/** What others ask of a node's connections, and what they are answered: told through the store. */
export function asksPrefix(node: string): Key {
  return [...root, "ask", node];
}

export function repliesPrefix(node: string): Key {
  return [...root, "reply", node];
}

function connectionKey(connectionId: string): Key {
  return [...root, "connection", connectionId];
}

function heldPrefix(node: string): Key {
  return [...root, "held", node];
}
