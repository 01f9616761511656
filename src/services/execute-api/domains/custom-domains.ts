import type { Log } from "../../../kernel/log.ts";
import type { ClientCertificate } from "../../../proxy/exchange.ts";
import type { HttpRequest } from "../../../proxy/http-exchange.ts";
import type { CustomDomains, RoutedRequest } from "../port.ts";
import { createClientCertificates } from "./client-certificate.ts";
import { hostOf } from "./domain-names.ts";
import type { CompiledDomain, PublishedDomains } from "./published-domains.ts";

/** Decides by the Host header which requests are for custom domains, and which stage answers them. */
export function createCustomDomains(needs: {
  readonly published: PublishedDomains;
  readonly log: Log;
}): Omit<CustomDomains, "tls"> {
  const { published, log } = needs;
  const clientOf = createClientCertificates();

  /** Calls `use` once: with undefined where it cannot be known. */
  const withDomain = (host: string, use: (domain: CompiledDomain | null | undefined) => void): void => {
    const known = published.find(host);
    if (known !== undefined) return use(known);
    published.load(host).then(use, (error: unknown) => {
      log.error("A custom domain could not be loaded", { host, error });
      use(undefined);
    });
  };

  return {
    route(request, decided) {
      const host = hostOf(request.headers.host ?? "");
      withDomain(host, (domain) => {
        if (domain === undefined) return decided("broken");
        if (domain === null) return decided(undefined);
        const finish = (certificate: ClientCertificate | undefined) =>
          decided(routeWithin(domain, host, request, certificate) ?? "forbidden");
        if (domain.record.truststore === undefined) return finish(undefined);
        // Without encryption, or by a handshake for another name, nobody has shown a certificate that this domain trusts.
        const client = clientOf(request.socket);
        if (client === undefined) return decided("forbidden");
        if (client.servername === host) return finish(client.certificate);
        withDomain(client.servername, (handshaken) => {
          if (handshaken?.record.domainName === domain.record.domainName) finish(client.certificate);
          else decided("forbidden");
        });
      });
    },
  };
}

function routeWithin(
  domain: CompiledDomain,
  name: string,
  request: HttpRequest,
  clientCertificate: ClientCertificate | undefined,
): RoutedRequest | undefined {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  const fullPath = mark === -1 ? url : url.slice(0, mark);
  const target = domain.routing(fullPath, request.headers);
  if (target === undefined) return undefined;
  return {
    apiId: target.apiId,
    target: mark === -1 ? target.path : target.path + url.slice(mark),
    entry: { stageName: target.stage, fullPath, domain: { name, clientCertificate, ...target.matched } },
  };
}
