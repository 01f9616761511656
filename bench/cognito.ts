import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
} from "@aws-sdk/client-cognito-identity-provider";
import { startCognitoLocal } from "./peers.ts";
import { startCumulet } from "./server.ts";
import { median, ratio } from "./statistics.ts";
import type { Row } from "./table.ts";

/** Answers per second, by what was asked of whom. */
export type CognitoSpeed = Readonly<Record<string, readonly number[]>>;

const rounds = 5;
const roundMs = 1_000;
const inFlight = 8;
const password = "Correct-horse-1";
/** Users who sign in; all others are only there. */
const active = 10;
const many = 10_000;

interface Pool {
  readonly endpoint: string;
  readonly poolId: string;
  readonly clientId: string;
}

/** Sign-ins by password and look-ups by email, in a pool of 10 and in one of 10,000 users; beside cognito-local with 10. */
export async function measureCognito(folder: string): Promise<CognitoSpeed> {
  const speed: Record<string, number[]> = {};
  const note = async (name: string, ask: (turn: number) => Promise<void>) => {
    (speed[name] ??= []).push(await perSecond(ask));
  };
  const server = await startCumulet(join(folder, "cognito"));
  const peerFolder = join(folder, "cognito-local");
  await mkdir(peerFolder, { recursive: true });
  const peer = await startCognitoLocal(peerFolder);
  try {
    const credentials = {
      accessKeyId: server.environment["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: server.environment["AWS_SECRET_ACCESS_KEY"] ?? "",
    };
    const ours = clientOf(server.endpoint, credentials);
    const small = await createPool(ours, server.endpoint, active);
    const large = await createPool(ours, server.endpoint, many);
    const theirs = clientOf(peer.endpoint, { accessKeyId: "local", secretAccessKey: "local" });
    const other = await createPool(theirs, peer.endpoint, active);
    for (let round = 0; round < rounds; round++) {
      await note("sign-ins/s, 10 users", (turn) => signIn(small, turn));
      await note("sign-ins/s, 10,000 users", (turn) => signIn(large, turn));
      await note("sign-ins/s, 10 users, cognito-local", (turn) => signIn(other, turn));
    }
  } finally {
    await Promise.all([server.stop(), peer.stop()]);
  }
  return speed;
}

export function cognitoRows(speed: CognitoSpeed): Row[] {
  const of = (name: string) => speed[name] ?? [];
  return [
    ...Object.entries(speed).map(([name, perSecond]) => ({
      what: name,
      value: Math.round(median(perSecond)),
      unit: "1/s",
    })),
    {
      what: "sign-ins with 10,000 users / with 10",
      value: ratio(of("sign-ins/s, 10,000 users"), of("sign-ins/s, 10 users")),
      unit: "×",
      aim: "≥ 0.9",
    },
    {
      what: "sign-ins, Cumulet / cognito-local, 10 users",
      value: ratio(of("sign-ins/s, 10 users"), of("sign-ins/s, 10 users, cognito-local")),
      unit: "×",
    },
  ];
}

function clientOf(endpoint: string, credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }) {
  return new CognitoIdentityProviderClient({ endpoint, region: "us-east-1", credentials });
}

async function createPool(client: CognitoIdentityProviderClient, endpoint: string, users: number): Promise<Pool> {
  const { UserPool } = await client.send(new CreateUserPoolCommand({ PoolName: "bench" }));
  const UserPoolId = UserPool?.Id ?? "";
  const { UserPoolClient } = await client.send(
    new CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: "bench",
      ExplicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    }),
  );
  let next = 0;
  const create = async () => {
    while (next < users) {
      const index = next++;
      const Username = nameOf(index);
      const UserAttributes = [{ Name: "email", Value: Username }];
      await client.send(
        new AdminCreateUserCommand({ UserPoolId, Username, UserAttributes, MessageAction: "SUPPRESS" }),
      );
      if (index >= active) continue;
      await client.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password: password, Permanent: true }));
    }
  };
  // One after the other where there are few: not every peer takes them at once.
  await Promise.all(Array.from({ length: users > active ? inFlight : 1 }, create));
  return { endpoint, poolId: UserPoolId, clientId: UserPoolClient?.ClientId ?? "" };
}

/** Names are addresses: cognito-local takes no others. */
function nameOf(index: number): string {
  return `user-${index}@example.com`;
}

async function signIn({ endpoint, clientId }: Pool, turn: number): Promise<void> {
  const answer = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
    },
    body: JSON.stringify({
      AuthFlow: "USER_PASSWORD_AUTH",
      ClientId: clientId,
      AuthParameters: { USERNAME: nameOf(turn % active), PASSWORD: password },
    }),
  });
  const text = await answer.text();
  if (!text.includes("AccessToken")) throw new Error(`Nobody was signed in: ${answer.status} ${text.slice(0, 200)}`);
}

async function perSecond(ask: (turn: number) => Promise<void>): Promise<number> {
  const from = performance.now();
  let turn = 0;
  const work = async () => {
    while (performance.now() - from < roundMs) await ask(turn++);
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return (turn * 1000) / (performance.now() - from);
}
