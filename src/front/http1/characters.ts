/** Which characters may stand where. Each table has a 1 for what may. Sources: RFC 9110, 5.5 and 5.6.2; RFC 9112, 3 and 5. */

function tableOf(allows: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (allows(code) ? 1 : 0));
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]$/;

/** Names of headers and methods. */
export const tokenCharacters = tableOf((code) => token.test(String.fromCharCode(code)));

/** Values of headers: what is visible, space and tab, and what is not ASCII. */
export const valueCharacters = tableOf((code) => code === 9 || (code >= 32 && code !== 127));

/** Targets of requests: visible ASCII. */
export const targetCharacters = tableOf((code) => code > 32 && code < 127);

/** The value of a hexadecimal digit, 255 for what is none. */
export const hexValues = Uint8Array.from({ length: 256 }, (_, code) => {
  const value = "0123456789abcdef".indexOf(String.fromCharCode(code).toLowerCase());
  return value === -1 ? 255 : value;
});

/** A name that may be sent. */
export function isToken(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (tokenCharacters[text.charCodeAt(index)] !== 1) return false;
  }
  return text.length > 0;
}

/** A value that may be sent: it cannot end its header. */
export function isHeaderValue(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (valueCharacters[text.charCodeAt(index)] !== 1) return false;
  }
  return true;
}
