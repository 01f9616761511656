import type { Group } from "./case.ts";
import { elementGroups } from "./elements.ts";
import { evaluationGroups } from "./evaluation.ts";
import { exampleGroups } from "./examples.ts";
import { globalKeyGroups } from "./global-keys.ts";
import { operatorGroups } from "./operators.ts";
import { otherOperatorGroups } from "./other-operators.ts";
import { principalGroups } from "./principals.ts";
import { requestKeyGroups } from "./request-keys.ts";
import { serviceExampleGroups } from "./service-examples.ts";
import { setGroups } from "./sets.ts";

/** Every documented situation. */
export const caseGroups: readonly Group[] = [
  ...evaluationGroups,
  ...principalGroups,
  ...elementGroups,
  ...operatorGroups,
  ...otherOperatorGroups,
  ...setGroups,
  ...globalKeyGroups,
  ...requestKeyGroups,
  ...exampleGroups,
  ...serviceExampleGroups,
];
