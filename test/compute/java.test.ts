import { javaCases } from "./java.cases.ts";

javaCases("namespaces");
javaCases("process");
