import type { Member, ScalarShape, Shape, StructureShape } from "../../../src/wire/model.ts";

/**
 * An input with the members that the model requires, and those that are given by name (wherever they stand). Texts without a value of
 * their own are whatever fits the model's constraints.
 */
export function exampleInput(
  shape: StructureShape | undefined,
  known: Readonly<Record<string, unknown>>,
  also: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const member of shape?.members ?? []) {
    if (member.required || member.location === "uri") input[member.name] = exampleOf(member, known, 0);
  }
  return { ...input, ...also };
}

function exampleOf(member: Member, known: Readonly<Record<string, unknown>>, depth: number): unknown {
  if (Object.hasOwn(known, member.name)) return known[member.name];
  return exampleShape(member.shape, known, depth);
}

function exampleShape(shape: Shape, known: Readonly<Record<string, unknown>>, depth: number): unknown {
  switch (shape.type) {
    case "structure": {
      const entries = shape.members
        .filter((member) => member.required && depth < 6)
        .map((member) => [member.name, exampleOf(member, known, depth + 1)]);
      return Object.fromEntries(entries);
    }
    case "list":
      return depth < 6 ? [exampleOf(shape.member, known, depth + 1)] : [];
    case "map":
      return { [String(exampleOf(shape.key, known, depth + 1))]: exampleOf(shape.value, known, depth + 1) };
    default:
      return exampleScalar(shape);
  }
}

function exampleScalar(shape: ScalarShape): unknown {
  switch (shape.type) {
    case "boolean":
      return true;
    case "timestamp":
      return new Date();
    case "blob":
      return Buffer.from("{}");
    case "string":
    case "character":
      return exampleText(shape);
    default:
      return Math.max(shape.min ?? 1, 1);
  }
}

function exampleText({ enum: values, min = 1, max = 1_000, pattern }: ScalarShape): string {
  if (values?.[0] !== undefined) return values[0];
  const fitting = candidates.find((text) => {
    if (text.length < min || text.length > max) return false;
    try {
      return pattern === undefined || new RegExp(`^(?:${pattern})$`, "u").test(text);
    } catch {
      return true;
    }
  });
  return fitting ?? "example".padEnd(min, "e").slice(0, Math.max(max, 1));
}

/** What the patterns of models ask for, simple texts first. */
const candidates = [
  "example",
  "exampleexample00",
  "example-example.example",
  "200",
  "123456",
  "123456789012",
  "v1",
  "lambda:GetLayerVersion",
  "subnet-0",
  "sg-0",
  "sha256:0000000000000000000000000000000000000000000000000000000000000000",
  "00000000-0000-4000-8000-000000000000",
  "us-east-1:00000000-0000-4000-8000-000000000000",
  "us-east-1_example00",
  "arn:aws:iam::000000000000:role/example",
  "A0123456789012345678",
  "https://example.com",
  "+15555550100",
  "example@example.com",
];
