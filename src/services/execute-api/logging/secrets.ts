/** Headers that logs tell without their values. */
export const secretHeaders = /^(?:authorization|proxy-authorization|x-api-key|x-amz-security-token|cookie)$/i;

const shownCharacters = 6;

/** AWS: secrets are told by their last characters; of short ones, at most half. */
export function maskSecret(value: string): string {
  const hidden = Math.max(value.length - shownCharacters, Math.ceil(value.length / 2));
  return `${"*".repeat(hidden)}${value.slice(hidden)}`;
}

/** Long enough to be told apart from other text. */
const secretCharactersMin = 8;

/** The secrets among a request's headers. @param raw names and values in turn */
export function secretValues(raw: readonly string[]): string[] {
  return raw.filter(
    (value, index) =>
      index % 2 === 1 && value.length >= secretCharactersMin && secretHeaders.test(raw[index - 1] ?? ""),
  );
}
