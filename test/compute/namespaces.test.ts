import { endingsCases } from "./endings.cases.ts";

endingsCases("namespaces");
