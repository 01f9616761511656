import { endingsCases } from "./endings.cases.ts";
import { pythonCases } from "./python.cases.ts";
import { rubyCases } from "./ruby.cases.ts";

endingsCases("process");
pythonCases("process");
rubyCases("process");
