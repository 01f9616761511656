import { endingsCases } from "./endings.cases.ts";

endingsCases("process");
