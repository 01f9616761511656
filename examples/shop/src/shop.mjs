const articles = [
  { article: "tea", price: 4 },
  { article: "cup", price: 9 },
];

const answer = (statusCode, body) => ({
  statusCode,
  headers: { "Content-Type": "application/json", "Access-Control-Allow-Origin": "*" },
  body: JSON.stringify(body),
});

export const catalogue = async () => answer(200, articles);

/** API Gateway has looked at the key and at the body. */
export const order = async ({ body, requestContext }) => {
  const { article, amount } = JSON.parse(body);
  const price = articles.find((each) => each.article === article)?.price;
  if (price === undefined) return answer(404, { message: `There is no ${article}` });
  return answer(201, { article, amount, total: amount * price, customer: requestContext.identity.apiKeyId });
};

/** The authorizer has said who asks. */
export const sales = async ({ requestContext }) => answer(200, { clerk: requestContext.authorizer.principalId });

export const bell = async ({ requestContext, body }) => ({
  statusCode: 200,
  body: JSON.stringify({ connection: requestContext.connectionId, heard: JSON.parse(body).text }),
});
