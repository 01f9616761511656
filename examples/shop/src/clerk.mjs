const clerks = new Set(process.env.CLERKS.split(","));

/** Whether a token is that of a clerk; which methods it opens. */
export const authorize = async ({ authorizationToken, methodArn }) => {
  if (!clerks.has(authorizationToken)) throw new Error("Unauthorized");
  const [api, stage] = methodArn.split("/");
  return {
    principalId: authorizationToken.replace("Bearer ", ""),
    policyDocument: {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "execute-api:Invoke", Resource: `${api}/${stage}/GET/*` }],
    },
  };
};
