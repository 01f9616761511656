import type { Key } from "../../../kernel/store/store.ts";
import type { Cognito } from "../core.ts";
import { type Message, sendKind } from "./outbox.ts";

/** Emails of the outbox go to an SMTP server, as jobs: one that it does not take now is tried again. */
export function handleMail({ store, jobs, log }: Pick<Cognito, "store" | "jobs" | "log">, smtpUrl: string): void {
  jobs.handle(sendKind, {
    concurrency: 2,
    run: async ({ payload }) => {
      const message = await store.read((reader) => reader.get<Message>(parseKey(payload)));
      if (!message) return;
      const { createTransport } = await import("nodemailer");
      const transport = createTransport(smtpUrl);
      try {
        await transport.sendMail({
          from: message.from ?? "no-reply@verificationemail.com",
          to: { name: "", address: message.destination },
          ...(message.replyTo !== undefined && { replyTo: message.replyTo }),
          subject: message.subject ?? "",
          html: message.body,
          // Nothing that a template names is fetched.
          disableFileAccess: true,
          disableUrlAccess: true,
        });
      } finally {
        transport.close();
      }
      log.debug("An email was sent", { poolId: message.poolId, id: message.id });
    },
  });
}

function parseKey(payload: unknown): Key {
  return payload as Key;
}
