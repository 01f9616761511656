import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { ClientCertificate } from "../../../proxy/exchange.ts";

/** What a connection's client has shown and this end has verified. */
export interface VerifiedClient {
  /** The name that the client asked for in its handshake. */
  readonly servername: string;
  readonly certificate: ClientCertificate;
}

/** Remembers what it has read of a connection's certificate: it is the same for all its requests. */
export function createClientCertificates(): (socket: Socket) => VerifiedClient | undefined {
  const known = new WeakMap<Socket, VerifiedClient>();
  return (socket) => {
    const found = known.get(socket);
    if (found !== undefined) return found;
    if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
    const shown = socket.getPeerX509Certificate();
    // The name is there once the handshake has ended; the type does not know it of the server's end.
    const servername: unknown = Reflect.get(socket, "servername");
    if (shown === undefined || typeof servername !== "string") return undefined;
    const verified = { servername: servername.toLowerCase(), certificate: describe(shown) };
    known.set(socket, verified);
    return verified;
  };
}

/** Source: "Working with AWS Lambda proxy integrations for HTTP APIs", `requestContext.authentication.clientCert`. */
function describe(certificate: X509Certificate): ClientCertificate {
  return {
    clientCertPem: certificate.toString(),
    subjectDN: toName(certificate.subject),
    issuerDN: toName(certificate.issuer),
    serialNumber: (certificate.serialNumber.toLowerCase().match(/../g) ?? []).join(":"),
    validity: { notBefore: certificate.validFrom, notAfter: certificate.validTo },
  };
}

/** `C=DE\nCN=me` → `C=DE,CN=me` */
function toName(lines: string): string {
  return lines.trim().replaceAll("\n", ",");
}
