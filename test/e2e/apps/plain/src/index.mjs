export const handler = async (event) => `${process.env.GREETING}, ${event.pathParameters.name}`;
