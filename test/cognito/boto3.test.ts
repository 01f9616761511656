import { spawn } from "node:child_process";
import { getDiffieHellman } from "node:crypto";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../../src/testing/platform.ts";
import { tools } from "../../src/testing/tools.ts";
import { poolsOf } from "../../src/testing/user-pools.ts";

/** What a script in Python does with boto3: it prints a line for each thing that was found to be so. */
const script = `
import base64, binascii, datetime, hashlib, hmac, os, sys
import boto3
from botocore.exceptions import ClientError

client_id, pool_id, endpoint = sys.argv[1:4]
idp = boto3.client("cognito-idp", endpoint_url=endpoint)
password, name, email = "Correct-Horse-1", "ann", "ann@example.com"

def refused(code, call, **given):
    try:
        call(**given)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError("not refused: " + code)

def code(prompt):
    print(prompt, flush=True)
    return sys.stdin.readline().strip()

# RFC 3526, group 15, as pycognito and the libraries of AWS have it.
N = int(sys.argv[4], 16)
g = 2

def sha(data):
    return hashlib.sha256(data).digest()

def pad(number):
    text = "%x" % number
    if len(text) % 2 == 1:
        text = "0" + text
    elif text[0] in "89abcdef":
        text = "00" + text
    return bytes.fromhex(text)

def srp(password):
    a = int.from_bytes(os.urandom(128), "big")
    A = pow(g, a, N)
    asked = idp.initiate_auth(ClientId=client_id, AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": name, "SRP_A": "%x" % A})
    given = asked["ChallengeParameters"]
    B, salt = int(given["SRP_B"], 16), int(given["SALT"], 16)
    k = int.from_bytes(sha(bytes.fromhex("00" + "%x" % N + "0" + "%x" % g)), "big")
    u = int.from_bytes(sha(pad(A) + pad(B)), "big")
    identity = pool_id.split("_")[1] + given["USER_ID_FOR_SRP"]
    x = int.from_bytes(sha(pad(salt) + sha((identity + ":" + password).encode())), "big")
    S = pow(B - k * pow(g, x, N), a + u * x, N)
    prk = hmac.new(pad(u), pad(S), hashlib.sha256).digest()
    key = hmac.new(prk, b"Caldera Derived Key" + bytes([1]), hashlib.sha256).digest()[:16]
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp = now.strftime("%a %b ") + str(now.day) + now.strftime(" %H:%M:%S UTC %Y")
    block = given["SECRET_BLOCK"]
    text = identity.encode() + base64.b64decode(block) + stamp.encode()
    signature = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return {
        "ClientId": client_id,
        "ChallengeName": "PASSWORD_VERIFIER",
        "ChallengeResponses": {"USERNAME": name, "PASSWORD_CLAIM_SECRET_BLOCK": block, "PASSWORD_CLAIM_SIGNATURE": signature, "TIMESTAMP": stamp},
    }

idp.sign_up(ClientId=client_id, Username=name, Password=password, UserAttributes=[{"Name": "email", "Value": email}])
idp.confirm_sign_up(ClientId=client_id, Username=name, ConfirmationCode=code("code?"))

proof = srp(password)
tokens = idp.respond_to_auth_challenge(**proof)["AuthenticationResult"]
print("signed in by SRP")
assert "once" in refused("NotAuthorizedException", idp.respond_to_auth_challenge, **proof)
assert "Incorrect" in refused("NotAuthorizedException", idp.respond_to_auth_challenge, **srp("Wrong-Horse-1"))
print("a proof is good once, and a wrong one never")

def refresh(token):
    return idp.initiate_auth(ClientId=client_id, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": token})

assert refresh(tokens["RefreshToken"])["AuthenticationResult"]["AccessToken"]
assert idp.get_user(AccessToken=tokens["AccessToken"])["Username"] == name
print("refreshed")

idp.forgot_password(ClientId=client_id, Username=name)
sent = code("code?")
reset = {"ClientId": client_id, "Username": name, "ConfirmationCode": sent, "Password": "Another-Horse-2"}
idp.confirm_forgot_password(**reset)
refused("ExpiredCodeException", idp.confirm_forgot_password, **reset)
refused("NotAuthorizedException", idp.respond_to_auth_challenge, **srp(password))
tokens = idp.respond_to_auth_challenge(**srp("Another-Horse-2"))["AuthenticationResult"]
print("reset")

idp.global_sign_out(AccessToken=tokens["AccessToken"])
refused("NotAuthorizedException", idp.get_user, AccessToken=tokens["AccessToken"])
refused("NotAuthorizedException", refresh, token=tokens["RefreshToken"])
print("signed out everywhere")

users = [user["Username"] for page in idp.get_paginator("list_users").paginate(UserPoolId=pool_id) for user in page["Users"]]
assert users == [name], users
print("done")
`;

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

test.skipIf(tools.python === undefined)(
  "boto3 signs up, confirms, signs in by SRP, refreshes, resets and signs out everywhere (skipped without Python)",
  async () => {
    const pools = poolsOf(platform);
    const poolId = await pools.createPool({ AutoVerifiedAttributes: ["email"] });
    const { id } = await pools.createClient(poolId);
    const lines = await converse(id, poolId, () => pools.lastCode("ann@example.com"));
    expect(lines).toEqual([
      "code?",
      "signed in by SRP",
      "a proof is good once, and a wrong one never",
      "refreshed",
      "code?",
      "reset",
      "signed out everywhere",
      "done",
    ]);
  },
  60_000,
);

/** Runs the script: what it prints. Where it asks for a code, it is told one. */
async function converse(clientId: string, poolId: string, code: () => Promise<string>): Promise<readonly string[]> {
  const { accessKeyId, secretAccessKey } = platform.settings.credentials;
  const prime = getDiffieHellman("modp15").getPrime("hex");
  const python = spawn(tools.python ?? "", ["-c", script, clientId, poolId, platform.endpoint, prime], {
    env: {
      PATH: process.env["PATH"],
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: platform.settings.region,
      AWS_DEFAULT_REGION: platform.settings.region,
    },
  });
  const problems = text(python.stderr);
  const lines: string[] = [];
  for await (const line of createInterface({ input: python.stdout })) {
    lines.push(line);
    if (line === "code?") python.stdin.write(`${await code()}\n`);
  }
  const problem = await problems;
  return problem === "" ? lines : [...lines, problem];
}
