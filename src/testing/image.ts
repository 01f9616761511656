import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

/** A C compiler that can link statically; undefined where there is none. */
export async function findCompiler(): Promise<string | undefined> {
  return promisify(execFile)("gcc", ["-print-file-name=libc.a"]).then(
    ({ stdout }) => (stdout.startsWith("/") ? "gcc" : undefined),
    () => undefined,
  );
}

/**
 * A program for a container image that has nothing else: it speaks the Runtime API, and answers with what it sees around it.
 */
export const runtimeSource = String.raw`
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char in[1 << 20], out[1 << 20], answer[1 << 20];

static int call(const char *request, size_t length) {
  char host[64];
  strncpy(host, getenv("AWS_LAMBDA_RUNTIME_API"), sizeof host - 1);
  char *colon = strchr(host, ':');
  *colon = 0;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(colon + 1))};
  inet_pton(AF_INET, host, &to.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&to, sizeof to)) exit(9);
  if (write(fd, request, length) < 0) exit(8);
  size_t got = 0;
  for (;;) {
    in[got] = 0;
    char *end = strstr(in, "\r\n\r\n");
    char *size = strcasestr(in, "content-length:");
    if (end && got >= (end + 4 - in) + (size && size < end ? strtoul(size + 15, 0, 10) : 0)) break;
    ssize_t n = read(fd, in + got, sizeof in - 1 - got);
    if (n <= 0) break;
    got += n;
  }
  close(fd);
  return 0;
}

static int byName(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }

int main(int argc, char **argv) {
  for (;;) {
    const char *next = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n";
    call(next, strlen(next));
    char id[64] = "";
    char *header = strcasestr(in, "lambda-runtime-aws-request-id:");
    sscanf(header + 30, " %36s", id);
    char *event = strstr(in, "\r\n\r\n") + 4;
    printf("a line of the program\n");
    fflush(stdout);
    char *to = answer;
    to += sprintf(to, "{\"event\":%s,\"arguments\":[", event);
    for (int i = 0; i < argc; i++) to += sprintf(to, "%s\"%s\"", i ? "," : "", argv[i]);
    char here[256];
    to += sprintf(to, "],\"directory\":\"%s\",\"root\":[", getcwd(here, sizeof here));
    char *names[256];
    int count = 0;
    DIR *root = opendir("/");
    for (struct dirent *each; (each = readdir(root));)
      if (each->d_name[0] != '.' && count < 256) names[count++] = strdup(each->d_name);
    closedir(root);
    qsort(names, count, sizeof *names, byName);
    for (int i = 0; i < count; i++) to += sprintf(to, "%s\"%s\"", i ? "," : "", names[i]);
    to += sprintf(to, "],\"greeting\":\"%s\",\"fromImage\":\"%s\",\"function\":\"%s\"",
                  getenv("GREETING") ? getenv("GREETING") : "", getenv("FROM_IMAGE") ? getenv("FROM_IMAGE") : "",
                  getenv("AWS_LAMBDA_FUNCTION_NAME"));
    char *handler = getenv("_HANDLER");
    to += sprintf(to, handler ? ",\"handler\":\"%s\"" : ",\"handler\":null", handler);
    to += sprintf(to, ",\"uid\":%d,\"writable\":[", getuid());
    const char *places[] = {"/", "/etc", "/app", "/tmp"};
    int some = 0;
    for (int i = 0; i < 4; i++)
      if (!access(places[i], W_OK)) to += sprintf(to, "%s\"%s\"", some++ ? "," : "", places[i]);
    int open = 0;
    for (int fd = 0; fd < 64; fd++) if (dup2(fd, fd) == fd) open++;
    to += sprintf(to, "],\"descriptors\":%d}", open);
    int length = sprintf(out,
                         "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: runtime\r\n"
                         "Content-Length: %zu\r\n\r\n%s",
                         id, strlen(answer), answer);
    call(out, length);
  }
}
`;

/** A tar archive of files and links (`-> target`), in the order given, as a layer of an image. */
export function tarOf(entries: readonly TarFile[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, content = "", mode = 0o644, type = "0", target = "" } of entries) {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(path, 0, 100);
    header.write(`${mode.toString(8).padStart(7, "0")}\0`, 100);
    header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write(`${(1_700_000_000).toString(8).padStart(11, "0")}\0`, 136);
    header.write("        ", 148);
    header.write(type, 156);
    header.write(target, 157, 100);
    header.write("ustar\u{0}00", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    blocks.push(header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export interface TarFile {
  readonly path: string;
  readonly content?: string | Uint8Array;
  readonly mode?: number;
  /** ustar's: `0` a file, `1` a hard link, `2` a link, `5` a folder. */
  readonly type?: string;
  readonly target?: string;
}

export interface PushedImage {
  readonly digest: string;
  /** `127.0.0.1:PORT/NAME@sha256:…` */
  readonly uri: string;
}

/** Push an image of one architecture to a repository, with plain HTTP requests of the registry's protocol. */
export async function pushImage(
  endpoint: string,
  login: string,
  repository: string,
  tag: string,
  image: { readonly layers: readonly Uint8Array[]; readonly config: object; readonly architecture?: string },
): Promise<PushedImage> {
  const send = async (method: string, path: string, body: Uint8Array, type: string) => {
    const response = await fetch(new URL(path, endpoint), {
      method,
      headers: { authorization: `Basic ${login}`, "content-type": type },
      ...(method !== "POST" && { body: new Uint8Array(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.headers.get("location") ?? "";
  };
  const blob = async (content: Uint8Array, mediaType: string) => {
    const digest = digestOf(content);
    const upload = await send("POST", `/v2/${repository}/blobs/uploads/`, content, "");
    await send("PUT", `${upload}?digest=${digest}`, content, "application/octet-stream");
    return { mediaType, digest, size: content.length };
  };
  const layers = [];
  for (const layer of image.layers) {
    layers.push(await blob(gzipSync(layer), "application/vnd.oci.image.layer.v1.tar+gzip"));
  }
  const config = {
    architecture: image.architecture ?? "amd64",
    os: "linux",
    config: image.config,
    rootfs: { type: "layers", diff_ids: image.layers.map(digestOf) },
  };
  const type = "application/vnd.oci.image.manifest.v1+json";
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: await blob(Buffer.from(JSON.stringify(config)), "application/vnd.oci.image.config.v1+json"),
      layers,
    }),
  );
  await send("PUT", `/v2/${repository}/manifests/${tag}`, manifest, type);
  const digest = digestOf(manifest);
  return { digest, uri: `${new URL(endpoint).host}/${repository}@${digest}` };
}

function digestOf(content: Uint8Array): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
