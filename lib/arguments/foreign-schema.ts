import type { CaptureNode } from './capture-node.ts'

/** Objects of a foreign schema that are looked through for names. */
const MAX_VISITS = 2000

/** Where zod, joi, yup, valibot and arktype keep the properties of an object schema. */
const HOLDERS = new Set(['shape', 'keys', 'fields', 'entries', 'properties', 'props'])

/**
 * The node of a part whose schema is not JSON Schema. Of the schema only the names of properties are known, so that errors can name them.
 *
 * @param recorded - what is recorded: a mark, or with `captureUnknownSchemas` the whole value within the bounds
 */
export function foreignNode (schema: unknown, recorded: CaptureNode): CaptureNode {
  const names = declaredNames(schema)
  const node: CaptureNode = {
    ...recorded,
    child: (segment) => names.has(segment) ? node : undefined,
    unnamedChild: () => node,
  }
  return node
}

/** Every property name that a schema object mentions anywhere; enough to tell a developer's names from a client's. */
function declaredNames (schema: unknown): ReadonlySet<string> {
  const names = new Set<string>()
  const seen = new Set<unknown>()
  const queue = [describe(schema)]
  for (let visits = 0; queue.length > 0 && visits < MAX_VISITS; visits++) {
    const next = queue.shift()
    if (next === null || typeof next !== 'object' || seen.has(next)) continue
    seen.add(next)
    for (const [key, value] of entriesOf(next)) {
      if (HOLDERS.has(key)) for (const [name] of entriesOf(value)) names.add(name)
      queue.push(value)
    }
  }
  return names
}

/** joi and yup say what they consist of when they are asked; zod and others are read as they are. */
function describe (schema: unknown): unknown {
  try {
    const { describe } = schema as { describe?: unknown }
    const described: unknown = typeof describe === 'function' && describe.length === 0 ? describe.call(schema) : undefined
    return described !== null && typeof described === 'object' ? described : schema
  } catch {
    return schema
  }
}

function entriesOf (holder: unknown): Array<[string, unknown]> {
  if (holder === null || typeof holder !== 'object') return []
  if (holder instanceof Map) return [...holder].map(([key, value]) => [String(key), value as unknown])
  try {
    return Object.entries(holder)
  } catch {
    return []
  }
}
