import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

const page = await readFile(new URL("page.html", import.meta.url));
const story =
  "Once upon a time a function had a long story to tell. It did not make anyone wait for the end: each word left as soon as it was written, and whoever listened heard it at once.";

/** `/` is a page that reads the story as it comes; `/story` is the story, a word at a time. */
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const found = { "/": "text/html; charset=utf-8", "/story": "text/plain; charset=utf-8" }[event.rawPath];
  const headers = { "content-type": found ?? "text/plain; charset=utf-8", "cache-control": "no-store" };
  const answer = awslambda.HttpResponseStream.from(stream, { statusCode: found === undefined ? 404 : 200, headers });
  if (event.rawPath === "/") answer.write(page);
  else if (found === undefined) answer.write("There is nothing here.\n");
  else await tell(answer, Number(event.queryStringParameters?.pause ?? 120));
  answer.end();
});

async function tell(answer, pauseMs) {
  for (const word of story.split(" ")) {
    answer.write(`${word} `);
    await delay(Math.min(pauseMs, 500));
  }
}
