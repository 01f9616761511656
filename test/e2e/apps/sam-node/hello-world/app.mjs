import isNumber from "is-number";

export const lambdaHandler = async (event) => {
  console.log("handling", event.path);
  return {
    statusCode: 200,
    body: JSON.stringify({ message: "hello world", bundled: isNumber(event.requestContext.requestTimeEpoch) }),
  };
};
