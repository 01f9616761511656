import { TemplateError } from "./template-error.ts";
import { samTransform, type SamTransform } from "./transforms.ts";

export const runSamTransform: SamTransform = () => {
  throw new TemplateError(`The transform ${samTransform} is not implemented by Cumulet`);
};
