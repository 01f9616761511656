import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Files in PEM. openssl is where Node.js developers are. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A key and a certificate of its own, for host names. */
export function makeCertificate(folder: string, name: string, ...hosts: readonly string[]): CertificateFiles {
  const files = { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
  const names = hosts.map((host) => `DNS:${host}`).join(",");
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${names}`];
  run(["req", "-x509", ...curve, "-days", "2", ...subject, "-keyout", files.keyFile, "-out", files.certFile]);
  return files;
}

/** An authority, and what it signs for clients, and for servers of these names (`DNS:…`, `IP:…`). */
export function makeAuthority(folder: string, name: string) {
  const authority = { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
  const subject = ["-subj", `/O=Test/CN=${name}`, "-addext", "basicConstraints=critical,CA:TRUE"];
  run(["req", "-x509", ...curve, "-days", "2", ...subject, "-keyout", authority.keyFile, "-out", authority.certFile]);
  const issue = (name: string, extension: string, days: number): CertificateFiles => {
    const files = { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
    const request = join(folder, `${name}.csr`);
    const extensions = join(folder, `${name}.ext`);
    writeFileSync(extensions, `${extension}\n`);
    run(["req", ...curve, "-subj", `/C=DE/O=Test/CN=${name}`, "-keyout", files.keyFile, "-out", request]);
    const by = ["-CA", authority.certFile, "-CAkey", authority.keyFile, "-set_serial", "0xa1b2c3"];
    run(["x509", "-req", "-in", request, ...by, "-days", String(days), "-extfile", extensions, "-out", files.certFile]);
    return files;
  };
  const sign = (client: string, days = 2) => issue(client, "extendedKeyUsage=clientAuth", days);
  const signServer = (server: string, ...names: readonly string[]) =>
    issue(server, `extendedKeyUsage=serverAuth\nsubjectAltName=${names.join(",")}`, 2);
  return { ...authority, sign, signServer };
}

function run(args: readonly string[]): void {
  execFileSync("openssl", [...args], { stdio: "ignore" });
}
