"use strict";
// Requests of CloudFormation to the providers of custom resources. Many providers answer on port 443 of the host of
// `ResponseURL`, in TLS, whatever the address says; the platform is at the address, without TLS, and inside this environment.
const http = require("node:http");
const https = require("node:https");
const { syncBuiltinESMExports } = require("node:module");

const responsePath = "/_cumulet/custom-resource/";
const original = https.request;
let platform;

/** An event that has a `ResponseURL`: its answer will reach the platform. Other events are left as they are. */
function answerable(event) {
  let address;
  let endpoint;
  try {
    address = new URL(event.ResponseURL);
    endpoint = new URL(process.env.AWS_ENDPOINT_URL);
  } catch {
    return;
  }
  if (address.protocol !== "http:" || !address.pathname.startsWith(responsePath)) return;
  // The platform's port may be another one on the machine that this function runs on.
  if (endpoint.hostname === address.hostname && endpoint.protocol === "http:") address.port = endpoint.port;
  event.ResponseURL = address.href;
  if (platform === undefined) {
    https.request = request;
    syncBuiltinESMExports();
  }
  platform = address;
}

/** `https.request`; what goes to an address that answers are put at goes there as the address says. */
function request(...given) {
  const [first] = given;
  const isAddress = typeof first === "string" || first instanceof URL;
  const options = isAddress ? toOptions(first) : first;
  const { hostname, host, path } = options ?? {};
  const isAnswer = String(path).startsWith(responsePath) && nameOf(hostname ?? host) === platform.hostname;
  if (!isAnswer) return original.apply(this, given);
  const more = isAddress && typeof given[1] === "object" ? given[1] : {};
  const callback = given.find((each) => typeof each === "function");
  const plain = { ...options, ...more, agent: undefined, protocol: "http:", host: undefined };
  return http.request({ ...plain, hostname: platform.hostname, port: platform.port }, callback);
}

function toOptions(text) {
  const { hostname, pathname, search } = new URL(text);
  return { hostname, path: pathname + search };
}

function nameOf(host) {
  return String(host).replace(/:\d+$/u, "");
}

module.exports = { answerable };
