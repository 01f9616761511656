import type { CodeDeliveryDetailsType } from "@aws-sdk/client-cognito-identity-provider";
import { attributesForTriggers } from "../tokens/claims.ts";
import { invalidLambdaResponse } from "../errors.ts";
import type { Pool, User } from "../model.ts";
import { masked } from "../rules.ts";
import type { Triggers } from "../triggers/triggers.ts";
import type { Message } from "./outbox.ts";

/** Why a message is sent, as the custom message trigger calls it. */
export type MessageReason =
  | "SignUp"
  | "AdminCreateUser"
  | "ResendCode"
  | "ForgotPassword"
  | "UpdateUserAttribute"
  | "VerifyUserAttribute"
  | "Authentication";

export interface Delivery {
  readonly medium: "EMAIL" | "SMS";
  readonly destination: string;
  /** `email` or `phone_number` */
  readonly attribute: string;
}

/** Where a message to a user goes: by the attribute that it is about. */
export function deliveryTo(attribute: "email" | "phone_number", destination: string): Delivery {
  return { medium: attribute === "email" ? "EMAIL" : "SMS", destination, attribute };
}

export function deliveryDetails({ medium, destination, attribute }: Delivery): CodeDeliveryDetailsType {
  return { Destination: masked(destination), DeliveryMedium: medium, AttributeName: attribute };
}

/**
 * A message with a code (or temporary password) for a user, from the pool's templates, or from the custom message trigger's function.
 *
 * Source: developer guide, "Configuring verification and invitation messages", "Custom message Lambda trigger".
 */
export async function composeMessage(
  triggers: Triggers,
  about: {
    readonly pool: Pool;
    readonly clientId: string | undefined;
    readonly user: User;
    readonly reason: MessageReason;
    readonly delivery: Delivery;
    readonly code: string;
    /** Sent instead of the code. */
    readonly link?: string;
    /** What `{username}` becomes: the name that the user signs in with. */
    readonly name?: string;
    readonly clientMetadata?: Readonly<Record<string, string>>;
  },
): Promise<Omit<Message, "v" | "id" | "at">> {
  const { pool, user, reason, delivery, code, link } = about;
  const isInvitation = reason === "AdminCreateUser";
  const texts = { ...(link === undefined ? templateOf(pool, reason, delivery.medium) : linkTemplateOf(pool)) };
  const custom = await triggers.call(pool, "CustomMessage", {
    source: `CustomMessage_${reason}`,
    userName: user.username,
    clientId: about.clientId,
    request: {
      userAttributes: attributesForTriggers(user),
      codeParameter: "{####}",
      linkParameter: "{##Click Here##}",
      usernameParameter: isInvitation ? "{username}" : null,
      ...(about.clientMetadata && { clientMetadata: about.clientMetadata }),
    },
    response: { smsMessage: null, emailMessage: null, emailSubject: null },
  });
  if (custom) {
    const body = custom[delivery.medium === "EMAIL" ? "emailMessage" : "smsMessage"];
    const subject = custom["emailSubject"];
    // AWS: a text without the code, or the user name of an invitation, is no message for it.
    if (typeof body === "string") {
      const hasIt = link === undefined ? body.includes("{####}") : linkPlace.test(body);
      if (!hasIt || (isInvitation && !body.includes("{username}"))) {
        throw invalidLambdaResponse("Unrecognizable lambda output");
      }
      texts.body = body;
    }
    if (typeof subject === "string") texts.subject = subject;
  }
  const email = pool.settings.EmailConfiguration;
  const from = email?.From ?? /:identity\/([^@/]+@[^@/]+)$/.exec(email?.SourceArn ?? "")?.[1];
  const name = about.name ?? user.username;
  const fill = (text: string, escape: (text: string) => string) =>
    (link === undefined ? text.replaceAll("{####}", () => escape(code)) : withLink(text, link)).replaceAll(
      "{username}",
      () => escape(name),
    );
  return {
    account: pool.account,
    region: pool.region,
    poolId: pool.id,
    username: user.username,
    reason,
    medium: delivery.medium,
    destination: delivery.destination,
    ...(delivery.medium === "EMAIL" && {
      subject: fill(texts.subject, (text) => text.replaceAll(/[\r\n]/g, " ")),
      ...(from !== undefined && { from }),
      ...(email?.ReplyToEmailAddress !== undefined && { replyTo: email.ReplyToEmailAddress }),
    }),
    // Emails are HTML, and users choose their names.
    body: fill(texts.body, delivery.medium === "EMAIL" ? escapeHtml : (text) => text),
  };
}

/** `{##Click here##}`: what stands between becomes a link. */
const linkPlace = /\{##([^#]*)##\}/;

function withLink(text: string, link: string): string {
  return text.replace(linkPlace, (_all, label: string) => `<a href="${escapeHtml(link)}">${label}</a>`);
}

function linkTemplateOf({ settings: { VerificationMessageTemplate: template } }: Pool): Texts {
  return {
    subject: template?.EmailSubjectByLink ?? "Your verification link",
    body:
      template?.EmailMessageByLink ?? "Please click the link below to verify your email address. {##Verify Email##}",
  };
}

interface Texts {
  subject: string;
  body: string;
}

function templateOf(pool: Pool, reason: MessageReason, medium: "EMAIL" | "SMS"): Texts {
  const { settings, mfa } = pool;
  const isEmail = medium === "EMAIL";
  if (reason === "AdminCreateUser") {
    const invite = settings.AdminCreateUserConfig?.InviteMessageTemplate;
    return {
      subject: invite?.EmailSubject ?? "Your temporary password",
      body:
        (isEmail ? invite?.EmailMessage : invite?.SMSMessage) ??
        "Your username is {username} and temporary password is {####}.",
    };
  }
  if (reason === "Authentication") {
    const sms = mfa.sms?.SmsAuthenticationMessage ?? settings.SmsAuthenticationMessage;
    return {
      subject: mfa.email?.Subject ?? "Your authentication code",
      body: (isEmail ? mfa.email?.Message : sms) ?? "Your authentication code is {####}.",
    };
  }
  const template = settings.VerificationMessageTemplate;
  const isReset = reason === "ForgotPassword";
  return {
    subject: template?.EmailSubject ?? (isReset ? "Your password reset code" : "Your verification code"),
    body:
      (isEmail ? template?.EmailMessage : template?.SmsMessage) ??
      (isReset ? "Your password reset code is {####}" : "Your confirmation code is {####}"),
  };
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
