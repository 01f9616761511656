import "./not-there.mjs";

export const handler = async () => 1;
