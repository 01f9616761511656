/** A claim as HTTP APIs print it: what Go prints of a value, so that a list is `[a b]` and a map is `map[k:v]`. */
export function httpClaim(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(httpClaim).join(" ")}]`;
  if (typeof value === "object") {
    const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `map[${members.map(([name, member]) => `${name}:${httpClaim(member)}`).join(" ")}]`;
  }
  return String(value);
}

/** A claim of a user pool's token as REST APIs print it: times as Java prints dates, lists joined by commas. */
export function poolClaim(name: string, value: unknown): string {
  if ((name === "exp" || name === "iat") && typeof value === "number") return javaDate(value * 1000);
  if (Array.isArray(value)) return value.map((item) => poolClaim("", item)).join(",");
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/** `Fri Apr 29 02:19:53 UTC 2016` */
function javaDate(epochMs: number): string {
  const date = new Date(epochMs);
  if (Number.isNaN(date.getTime())) return String(epochMs / 1000);
  const [weekday = "", day = "", month = "", year = "", time = ""] = date.toUTCString().replace(",", "").split(" ");
  return `${weekday} ${month} ${day} ${time} UTC ${year}`;
}
