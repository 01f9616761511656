import { readFile } from "node:fs/promises";
import { dirname, resolve, sep } from "node:path";
import { parseTemplate } from "../services/cloudformation/template/parse.ts";
import { findTemplate } from "./artifacts.ts";
import { CommandError } from "./command.ts";

/** An app as `cumulet dev` looks at it: what follows from which of its files. */
export interface DevApp {
  readonly templatePath: string;
  /** Functions whose code alone can be replaced. */
  readonly functions: readonly DevFunction[];
  /** Local files and folders that only a deployment of the stack brings up to date. */
  readonly deployed: readonly string[];
  /** 'sam build' makes what is deployed of this app: its sources are not. */
  readonly isBuilt: boolean;
}

export interface DevFunction {
  readonly logicalId: string;
  /** Its folder, or the zip or jar that is its package. */
  readonly path: string;
}

/** Throws `CommandError`, or what parsing the template throws. */
export async function readDevApp(from: string): Promise<DevApp> {
  const templatePath = resolve(await findTemplate(from));
  const template: unknown = parseTemplate(await readFile(templatePath, "utf8"));
  if (!isObject(template) || !isObject(template["Resources"])) {
    throw new CommandError(`${templatePath} is not a template with resources`);
  }
  const globals = section(template["Globals"], "Function");
  const functions: DevFunction[] = [];
  const deployed: string[] = [];
  for (const [logicalId, resource] of Object.entries(template["Resources"])) {
    if (!isObject(resource) || typeof resource["Type"] !== "string") continue;
    const names = localProperties[resource["Type"]];
    if (names === undefined) continue;
    const properties = section(resource, "Properties");
    const isServerless = resource["Type"] === "AWS::Serverless::Function";
    const of = (name: string) => properties[name] ?? (isServerless ? globals[name] : undefined);
    for (const name of names) {
      const value = of(name);
      if (typeof value !== "string" || /^(s3|https?):\/\//.test(value) || properties["InlineCode"] !== undefined)
        continue;
      const path = resolve(dirname(templatePath), value);
      // What is invoked there is a published version: a new one is made by deploying.
      const isPublished = of("AutoPublishAlias") !== undefined;
      if (resource["Type"].endsWith("::Function") && !isPublished) functions.push({ logicalId, path });
      else deployed.push(path);
    }
  }
  return { templatePath, functions, deployed, isBuilt: templatePath.includes(`${sep}.aws-sam${sep}`) };
}

const localProperties: Readonly<Record<string, readonly string[]>> = {
  "AWS::Serverless::Function": ["CodeUri"],
  "AWS::Lambda::Function": ["Code"],
  "AWS::Serverless::LayerVersion": ["ContentUri"],
  "AWS::Lambda::LayerVersion": ["Content"],
  "AWS::Serverless::Api": ["DefinitionUri"],
  "AWS::Serverless::HttpApi": ["DefinitionUri"],
  "AWS::ApiGateway::RestApi": ["BodyS3Location"],
  "AWS::ApiGatewayV2::Api": ["BodyS3Location"],
};

type Json = Record<string, unknown>;

function section(value: unknown, name: string): Json {
  const found = isObject(value) ? value[name] : undefined;
  return isObject(found) ? found : {};
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
