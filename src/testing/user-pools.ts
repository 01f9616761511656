import {
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  type CreateUserPoolClientCommandInput,
  type CreateUserPoolCommandInput,
} from "@aws-sdk/client-cognito-identity-provider";
import type { TestPlatform } from "./platform.ts";
import { readMessages } from "../services/cognito-idp/outbox/outbox.ts";

/** For tests: a platform's pools, and the messages that they send. */
export function poolsOf(platform: TestPlatform) {
  const cognito = new CognitoIdentityProviderClient(platform.settings);
  return {
    cognito,
    createPool: async (settings: Partial<CreateUserPoolCommandInput> = {}): Promise<string> => {
      const { UserPool } = await cognito.send(new CreateUserPoolCommand({ PoolName: "pool", ...settings }));
      return UserPool?.Id ?? "";
    },
    createClient: async (UserPoolId: string, settings: Partial<CreateUserPoolClientCommandInput> = {}) => {
      const { UserPoolClient } = await cognito.send(
        new CreateUserPoolClientCommand({ UserPoolId, ClientName: "app", ...settings }),
      );
      return { id: UserPoolClient?.ClientId ?? "", secret: UserPoolClient?.ClientSecret ?? "" };
    },
    /** The last message to somebody. */
    lastMessage: async (destination: string) => {
      const messages = await platform.platform.store.read((reader) => readMessages(reader, "000000000000", 100));
      return messages.find((message) => message.destination === destination);
    },
    /** The code in the last message to somebody. */
    lastCode: async (destination: string): Promise<string> => {
      const messages = await platform.platform.store.read((reader) => readMessages(reader, "000000000000", 100));
      const message = messages.find((each) => each.destination === destination);
      return /\d{6,8}/.exec(message?.body ?? "")?.[0] ?? "";
    },
  };
}
