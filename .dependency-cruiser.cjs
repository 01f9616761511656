/** Imports point down only: platform → front → services → proxy, wire, access, compute → aws, kernel. Services meet at ports, as types. */
const layer = (name, from, to) => ({
  name,
  severity: "error",
  from: { path: from },
  to: { path: to },
});

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    layer(
      "kernel-knows-no-aws",
      "^src/kernel/",
      "^src/(aws|wire|access|compute|proxy|services|front|cli|testing|platform|config|main)",
    ),
    layer(
      "aws-is-vocabulary",
      "^src/aws/",
      "^src/(wire|access|compute|proxy|services|front|cli|testing|platform|config|main)",
    ),
    layer(
      "wire-access-compute-point-down",
      "^src/(wire|access|compute|metering)/",
      "^src/(proxy|services|front|cli|testing|platform|config|main)",
    ),
    layer("proxy-points-down", "^src/proxy/", "^src/(wire|compute|services|front|cli|testing|platform|config|main)"),
    layer("services-point-down", "^src/services/", "^src/(front|cli|testing|platform|config|main)"),
    layer("front-points-down", "^src/front/", "^src/(cli|testing|platform|config|main)"),
    {
      name: "services-meet-at-ports",
      severity: "error",
      from: { path: "^src/services/([^/]+)/", pathNot: "\\.test\\.ts$" },
      to: { path: "^src/services/([^/]+)/", pathNot: ["^src/services/$1/", "^src/services/[^/]+/port\\.ts$"] },
    },
    {
      name: "no-development-packages-at-run-time",
      severity: "error",
      from: { path: "^src/", pathNot: ["\\.(test|cases|fuzz)\\.ts$", "^src/testing/"] },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    exclude: { path: "\\.test\\.ts$" },
  },
};
