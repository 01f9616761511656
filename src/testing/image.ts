import { execFile } from "node:child_process";
import { promisify } from "node:util";

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
