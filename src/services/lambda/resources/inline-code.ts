import type { ZipOptions } from "fflate";

/**
 * What CloudFormation makes of `Code.ZipFile`: a package with the source as `index`, and the module that custom resources
 * answer with (`cfn-response` for Node.js, `cfnresponse` for Python). Source: CloudFormation user guide, "cfn-response module".
 */
export async function packInlineCode(source: string, runtime: string): Promise<Uint8Array> {
  const { strToU8, zipSync } = await import("fflate");
  const files: Record<string, string> = runtime.startsWith("python")
    ? { "index.py": source, "cfnresponse.py": pythonModule }
    : { "index.js": source, "cfn-response.js": nodeModule, "node_modules/cfn-response/index.js": nodeModule };
  // The same source always gives the same bytes: CodeSha256 changes only with the code.
  const options: ZipOptions = { mtime: new Date(1980, 0, 1), os: 3, attrs: (0o644 << 16) >>> 0, level: 6 };
  const entries: Record<string, [Uint8Array, ZipOptions]> = {};
  for (const [name, text] of Object.entries(files)) entries[name] = [strToU8(text), options];
  return zipSync(entries);
}

const nodeModule = `"use strict";
exports.SUCCESS = "SUCCESS";
exports.FAILED = "FAILED";
exports.send = function (event, context, status, data, physicalResourceId, noEcho) {
  return new Promise((resolve) => {
    const body = JSON.stringify({
      Status: status,
      Reason: "See the details in CloudWatch Log Stream: " + context.logStreamName,
      PhysicalResourceId: physicalResourceId || context.logStreamName,
      StackId: event.StackId,
      RequestId: event.RequestId,
      LogicalResourceId: event.LogicalResourceId,
      NoEcho: noEcho || false,
      Data: data,
    });
    const url = new URL(event.ResponseURL);
    const done = () => {
      if (typeof context.done === "function") context.done();
      resolve();
    };
    const request = require(url.protocol === "http:" ? "http" : "https").request(
      url,
      { method: "PUT", headers: { "content-type": "", "content-length": Buffer.byteLength(body) } },
      (response) => {
        console.log("Status code: " + response.statusCode);
        response.resume();
        response.on("end", done);
      },
    );
    request.on("error", (error) => {
      console.log("send(..) failed executing the request: " + error);
      done();
    });
    request.end(body);
  });
};
`;

const pythonModule = `import json
import urllib.request

SUCCESS = "SUCCESS"
FAILED = "FAILED"


def send(event, context, responseStatus, responseData, physicalResourceId=None, noEcho=False, reason=None):
    body = json.dumps({
        "Status": responseStatus,
        "Reason": reason or "See the details in CloudWatch Log Stream: {}".format(context.log_stream_name),
        "PhysicalResourceId": physicalResourceId or context.log_stream_name,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "NoEcho": noEcho,
        "Data": responseData,
    }).encode("utf-8")
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT", headers={"content-type": ""})
    try:
        with urllib.request.urlopen(request) as response:
            print("Status code:", response.status)
    except Exception as error:
        print("send(..) failed executing the request:", error)
`;
