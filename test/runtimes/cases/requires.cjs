require("not-there-either");
