/** What is wrong with a template, in CloudFormation's words. Operations answer it as `ValidationError`. */
export class TemplateError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TemplateError";
  }
}

export const formatError = (detail: string) => new TemplateError(`Template format error: ${detail}`);
export const templateError = (detail: string) => new TemplateError(`Template error: ${detail}`);
