/**
 * A template that cannot be rendered. AWS: the request is answered as a configuration error (500 `Internal server error`);
 * the reason is told in the execution log alone.
 */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/** The payload is not the JSON that the template reads. AWS: 400 for the client's body; 500 for an integration's. */
export class PayloadError extends Error {
  override readonly name = "PayloadError";
}
