// A file server of a few lines: what of the cost of a large object is the disk's, the network's and Node.js' own.
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

const [, , port, folder] = process.argv;
createServer(async (request, response) => {
  const path = join(folder, encodeURIComponent(request.url.split("?")[0]));
  try {
    if (request.method === "PUT") {
      await pipeline(request, createWriteStream(path));
      response.writeHead(200, { "content-length": 0 }).end();
    } else {
      response.writeHead(200, { "content-length": (await stat(path)).size });
      await pipeline(createReadStream(path), response);
    }
  } catch {
    if (!response.headersSent) response.writeHead(404, { "content-length": 0 });
    response.end();
  }
}).listen(Number(port), "127.0.0.1");
