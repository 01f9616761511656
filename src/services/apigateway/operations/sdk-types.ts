import type * as sdk from "@aws-sdk/client-api-gateway";
import type { OperationsOf } from "../../../wire/service.ts";
import { may } from "../authorize.ts";
import { childNotFound } from "../errors.ts";

/** What AWS generates SDKs for. Source: "Generate an SDK for a REST API". GetSdk itself is not built. */
const sdkTypes = [
  {
    id: "android",
    friendlyName: "Android",
    description: "A generated Android SDK",
    configurationProperties: [
      property("groupId", "Group ID", "The Maven group ID of the generated library"),
      property("invokerPackage", "Invoker package", "The package of the generated client classes"),
      property("artifactId", "Artifact ID", "The artifact ID of the compiled library"),
      property("artifactVersion", "Artifact Version", "The artifact version"),
    ],
  },
  {
    id: "java",
    friendlyName: "Java SDK",
    description: "A generated Java SDK",
    configurationProperties: [
      property("service.name", "Service Name", "The name of the service"),
      property("java.package-name", "Java Package Name", "The name of the Java package"),
    ],
  },
  { id: "javascript", friendlyName: "JavaScript", description: "A generated JavaScript SDK" },
  {
    id: "objectivec",
    friendlyName: "iOS (Objective-C)",
    description: "A generated iOS SDK in Objective-C",
    configurationProperties: [property("classPrefix", "Prefix", "The prefix of the generated classes")],
  },
  {
    id: "ruby",
    friendlyName: "Ruby SDK",
    description: "A generated Ruby SDK",
    configurationProperties: [property("service.name", "Service Name", "The name of the service")],
  },
  {
    id: "swift",
    friendlyName: "iOS (Swift)",
    description: "A generated iOS SDK in Swift",
    configurationProperties: [property("classPrefix", "Prefix", "The prefix of the generated classes")],
  },
];

export function sdkTypeOperations() {
  return {
    GetSdkType: {
      authorize: (input, call) => may("GET", call, `/sdktypes/${input.id}`),
      run: async (input) => {
        const found = sdkTypes.find((type) => type.id === input.id);
        if (found === undefined) throw childNotFound("SDK type");
        return { ...found };
      },
    },
    GetSdkTypes: {
      authorize: (_input, call) => may("GET", call, "/sdktypes"),
      run: async () => ({ items: [...sdkTypes] }),
    },
  } satisfies OperationsOf<typeof sdk>;
}

function property(name: string, friendlyName: string, description: string) {
  return { name, friendlyName, description, required: true };
}
