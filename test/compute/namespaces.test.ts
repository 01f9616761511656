import { endingsCases } from "./endings.cases.ts";
import { pythonCases } from "./python.cases.ts";

endingsCases("namespaces");
pythonCases("namespaces");
