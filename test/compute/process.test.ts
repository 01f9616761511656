import { endingsCases } from "./endings.cases.ts";
import { pythonCases } from "./python.cases.ts";

endingsCases("process");
pythonCases("process");
