import AjvCompiler from '@fastify/ajv-compiler'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import { Type, type TSchema } from '@sinclair/typebox'
import t from 'tap'
import { TypeBoxValidatorCompiler as TypeBox1ValidatorCompiler } from 'type-provider-typebox-6'
import Type1 from 'typebox'
import { Settings } from 'typebox/system'
import { asAttribute, marksOf, omit, redact, UNMARKED } from '../../../lib/arguments/annotations.ts'
import { DEFAULT_LIMITS, type Limits } from '../../../lib/arguments/limits.ts'
import { captureValues, compileRequestCapture } from '../../../lib/arguments/request-capture.ts'
import { createScrubber, type ScrubbingOptions, type ScrubMatch } from '../../../lib/arguments/scrubber.ts'

const CANARY = 'CANARY'
const REDACTED = '[redacted string]'

function capture (schema: unknown, body: unknown, { limits = {}, scrubbing = true }: { limits?: Partial<Limits>, scrubbing?: boolean | ScrubbingOptions } = {}) {
  const settings = { limits: { ...DEFAULT_LIMITS, ...limits }, scrubber: createScrubber(scrubbing) }
  const compiled = compileRequestCapture({ body: schema }, { findSchema: () => undefined, settings, captureUnknownSchemas: false })
  const { json, truncated, attributes, scrubbed } = captureValues(compiled, { params: undefined, body, querystring: undefined, headers: undefined }, undefined, settings, { mediaType: undefined, bodyBytes: 1000 })
  return { body: json === undefined ? undefined : JSON.parse(json).body, truncated, attributes, scrubbed }
}

const bodyOf = (schema: unknown, body: unknown) => capture(schema, body).body

/** The two TypeBoxes, as far as they have the same functions. */
const BOTH = [['TypeBox 0.34', Type], ['TypeBox 1.x', Type1 as unknown as typeof Type]] as const

t.test('what annotations say of a schema', async (t) => {
  const [redacted, omitted] = [{ isRedacted: true, isOmitted: false, attributes: [] }, { isRedacted: false, isOmitted: true, attributes: [] }]
  const cases: Array<[string, object, object]> = [
    ['nothing', {}, UNMARKED],
    ['a comment of somebody else', { $comment: 'redact this some day' }, UNMARKED],
    ['no comment at all', { $comment: { redact: true } }, UNMARKED],
    ['a word that is not known', { $comment: 'fastify-schema-telemetry:whatever' }, UNMARKED],
    ['a word with something behind it', { $comment: 'fastify-schema-telemetry:redacted' }, UNMARKED],
    ['redact', redact({}), redacted],
    ['omit', omit({}), omitted],
    ['asAttribute', asAttribute('app.a', {}), { ...UNMARKED, attributes: ['app.a'] }],
    ['several, beside a comment', redact(omit(asAttribute('app.a', asAttribute('app-b', { $comment: 'see\n the  docs' })))), { isRedacted: true, isOmitted: true, attributes: ['app-b', 'app.a'] }],
    ['the same twice', redact(redact(asAttribute('a', asAttribute('a', {})))), { ...redacted, attributes: ['a'] }],
    ['writeOnly', { writeOnly: true }, redacted],
    ['writeOnly that is not', { writeOnly: false }, UNMARKED],
    ['the format of passwords', { format: 'password' }, redacted],
    ['both', omit({ writeOnly: true, format: 'password' }), { ...redacted, isOmitted: true }],
    ['in a branch', { anyOf: [redact({})] }, UNMARKED],
  ]
  for (const [sentence, schema, marks] of cases) t.strictSame({ ...marksOf(schema as never) }, { ...marks }, sentence)
  t.equal(redact({ $comment: 'see the docs' }).$comment, 'see the docs fastify-schema-telemetry:redact', 'the words of the developer stay')
  t.equal(redact(redact({ $comment: '  see\n' })).$comment, redact({ $comment: '  see\n' }).$comment)
})

t.test('redact tells presence and kind, omit nothing', async (t) => {
  const values = { s: CANARY, n: 4711, b: true, i: 5n, o: { x: CANARY }, l: [CANARY, CANARY], z: null }
  const kinds = { s: '[redacted string]', n: '[redacted number]', b: '[redacted boolean]', i: '[redacted bigint]', o: '[redacted object]', l: '[redacted array]', z: '[redacted null]' }
  for (const [version, T] of [...BOTH, ['plain JSON Schema', null]] as const) {
    const any = () => T?.Any() ?? {}
    const object = (properties: Record<string, TSchema>) => T?.Object(properties) ?? { type: 'object', properties }
    const redacted = object(Object.fromEntries(Object.keys(values).map((key) => [key, redact(any()) as TSchema])))
    t.strictSame(bodyOf(redacted, values), kinds, version)
    t.strictSame(bodyOf(redacted, {}), {}, 'what is not there')
    t.strictSame(bodyOf(object({ a: omit(any()) as TSchema, b: any() as TSchema, c: omit(any()) as TSchema }), { a: CANARY, b: 1, c: CANARY }), { b: 1 }, 'omit')
  }
  const cases: Array<[string, unknown, unknown, unknown]> = [
    ['the whole', redact(Type.Object({ a: Type.String() })), { a: CANARY }, '[redacted object]'],
    ['the whole, omitted', omit(Type.Object({ a: Type.String() })), { a: CANARY }, undefined],
    ['writeOnly and passwords', { properties: { a: { type: 'string', writeOnly: true }, b: { type: 'string', format: 'password' } } }, { a: CANARY, b: CANARY }, { a: REDACTED, b: REDACTED }],
    ['items', Type.Array(redact(Type.String())), [CANARY, CANARY], [REDACTED, REDACTED]],
    ['items that are omitted: not even their number', Type.Array(omit(Type.String())), [CANARY, CANARY], []],
    ['a position: the others keep theirs', Type.Tuple([Type.String(), omit(Type.String()), redact(Type.String())]), ['a', CANARY, CANARY], ['a', null, REDACTED]],
    ['what follows a tuple', { prefixItems: [{ type: 'string' }], items: omit({}) }, ['a', CANARY], ['a', null]],
    ['the values of a record', Type.Record(Type.String(), redact(Type.String())), { a: CANARY, b: CANARY }, { a: REDACTED, b: REDACTED }],
    ['the values of a record, omitted', Type.Record(Type.String(), omit(Type.String())), { a: CANARY }, {}],
    ['what else may come', Type.Object({ a: Type.String() }, { additionalProperties: redact(Type.Any()) }), { a: 'a', b: { c: CANARY } }, { a: 'a', b: '[redacted object]' }],
    ['one of several patterns', { patternProperties: { '^a': {}, b$: redact({}), '^o': omit({}) } }, { a: 1, ab: CANARY, xb: CANARY, o: CANARY, x: CANARY }, { a: 1, ab: REDACTED, xb: REDACTED }],
    ['by reference', { definitions: { P: redact({ type: 'string' }) }, properties: { a: { $ref: '#/definitions/P' }, b: redact({ $ref: '#/definitions/Q' }) } }, { a: CANARY, b: CANARY }, { a: REDACTED, b: REDACTED }],
    ['one of several branches', Type.Object({ a: Type.Union([redact(Type.String()), Type.Number()]) }), { a: 4711 }, { a: '[redacted number]' }],
    ['a branch of an intersection', Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ a: omit(Type.String()), b: redact(Type.String()) })]), { a: CANARY, b: CANARY }, { b: REDACTED }],
    ['a branch beside something open', Type.Union([Type.Object({ a: redact(Type.String()) }), Type.Any()]), { a: CANARY, b: 1 }, { a: REDACTED, b: 1 }],
    ['a branch beside a record', Type.Union([Type.Object({ a: redact(Type.String()) }), Type.Record(Type.String(), Type.String())]), { a: CANARY, b: 'b' }, { a: REDACTED, b: 'b' }],
    ['a position beside a list', Type.Union([Type.Tuple([redact(Type.String())]), Type.Array(Type.String())]), [CANARY, 'b'], [REDACTED, 'b']],
    ['a condition', { properties: { a: {} }, if: { required: ['b'] }, then: { properties: { a: redact({}) } } }, { a: CANARY }, { a: REDACTED }],
    ['something that cannot be known', { $ref: 'Nowhere', ...redact({}) }, CANARY, REDACTED],
    ['what nothing satisfies', { allOf: [false, redact({})] }, CANARY, REDACTED],
    ['a name that is secret too: the schema speaks first', Type.Object({ password: redact(Type.String()) }), { password: CANARY }, { password: REDACTED }],
  ]
  for (const [sentence, schema, value, expected] of cases) t.strictSame(bodyOf(schema, value), expected, sentence)
})

t.test('annotations survive what types are made into', async (t) => {
  const body = { a: CANARY, b: CANARY, c: 'c' }
  const shown = (keys: string) => Object.fromEntries(Object.entries({ a: REDACTED, c: 'c' }).filter(([key]) => keys.includes(key)))
  for (const [version, T] of BOTH) {
    const make = () => T.Object({ a: redact(T.String()), b: T.Optional(omit(T.String())), c: T.String() })
    const base = make()
    const composite = (...types: TSchema[]): TSchema => T === Type ? Type.Composite(types as never) : (T as unknown as typeof Type1).Evaluate((T as unknown as typeof Type1).Intersect(types as never)) as never
    const cases: Array<[string, unknown, string]> = [
      ['as it is', base, 'ac'],
      ['Optional inside', T.Object({ a: T.Optional(redact(T.String())), b: omit(T.Optional(T.String())), c: T.String() }), 'ac'],
      ['Readonly inside', T.Object({ a: T.Readonly(redact(T.String())), b: omit(T.Readonly(T.String())), c: T.String() }), 'ac'],
      ['Partial', T.Partial(base), 'ac'],
      ['Required', T.Required(base), 'ac'],
      ['Pick', T.Pick(base, ['a', 'b']), 'a'],
      ['Omit', T.Omit(base, ['c']), 'a'],
      ['Intersect', T.Intersect([base, T.Object({ d: T.Number() })]), 'ac'],
      ['Composite', composite(base, T.Object({ d: T.Number() })), 'ac'],
      ['Union', T.Union([base, T.Object({ d: T.Number() })]), 'ac'],
      ['Partial of Pick of Composite', T.Partial(T.Pick(composite(base, T.Object({ d: T.Number() })) as typeof base, ['a', 'c'])), 'ac'],
      ['Exclude', T.Exclude(T.Union([base, T.Number()]), T.Number()), 'ac'],
      ['JSON and back', JSON.parse(JSON.stringify(base)), 'ac'],
      ['a spread', { ...base }, 'ac'],
      ['a structured clone', structuredClone({ ...base, [Symbol.for('x')]: 1 }), 'ac'],
    ]
    for (const [sentence, schema, keys] of cases) {
      const recorded = bodyOf(schema, body)
      t.strictSame(recorded, shown(keys), `${version}: ${sentence}`)
      t.strictSame(Object.keys(recorded), [...keys], 'omitted ones are absent')
    }
    t.strictSame(bodyOf(T.Index(base, ['a']), CANARY), REDACTED, `${version}: Index`)

    // What is said of the whole holds for its properties, wherever they are taken to.
    const whole: Array<[string, (hide: typeof redact) => TSchema]> = [
      ['Composite', (hide) => composite(hide(T.Object({ a: T.String() })), T.Object({ c: T.String() }))],
      ['Composite of Partial', (hide) => composite(T.Partial(hide(T.Object({ a: T.String() }))), T.Object({ c: T.String() }))],
      ['Composite of Pick', (hide) => composite(T.Pick(hide(T.Object({ a: T.String(), x: T.String() })), ['a']), T.Object({ c: T.String() }))],
      ['Composite of Omit', (hide) => composite(T.Omit(hide(T.Object({ a: T.String(), x: T.String() })), ['x']), T.Object({ c: T.String() }))],
      ['Composite of an intersection', (hide) => composite(hide(T.Intersect([T.Object({ a: T.String() }), T.Object({ x: T.String() })])), T.Object({ c: T.String() }))],
    ]
    for (const [sentence, build] of whole) {
      t.strictSame(bodyOf(build(redact), { a: CANARY, c: 'c' }), { a: REDACTED, c: 'c' }, `${version}: ${sentence}`)
      t.strictSame(bodyOf(build(omit), { a: CANARY, c: 'c' }), { c: 'c' }, `${version}: ${sentence}, omitted`)
    }
    const picked = T.Pick(redact(T.Object({ a: T.String(), b: T.String() })), ['a'])
    t.notMatch(JSON.stringify(bodyOf(picked, { a: CANARY })), CANARY, `${version}: Pick alone`)
    t.notMatch(JSON.stringify(bodyOf(T.Union([redact(T.Union([T.Object({ a: T.String() }), T.Object({ b: T.String() })])), T.Null()]), { a: CANARY, b: CANARY })), CANARY, `${version}: Union`)
  }
  t.strictSame(bodyOf(Type.Object({ a: Type.Transform(redact(Type.String())).Decode((text) => text).Encode((text) => text), b: redact(Type.Transform(Type.String()).Decode(Number).Encode(String)) }), { a: CANARY, b: 5 }), { a: REDACTED, b: '[redacted number]' }, 'Transform')
  t.strictSame(bodyOf(Type1.Object({ a: redact(Type1.Codec(Type1.String()).Decode(Number).Encode(String)) }), { a: CANARY }), { a: REDACTED }, 'Codec')
  t.strictSame(bodyOf(Type.Object({ a: redact(Type.Recursive((This) => Type.Object({ b: Type.Optional(This) }))) }), { a: { b: {} } }), { a: '[redacted object]' }, 'Recursive')
})

t.test('a copy is annotated: the schema itself stays as it is', async (t) => {
  const plain = { type: 'object', properties: { a: { type: 'string' }, list: [1] }, allOf: [{ properties: { b: { type: 'string' } } }, true], $comment: 'mine' }
  const before = JSON.stringify(plain)
  const hidden = redact(plain)
  t.equal(JSON.stringify(plain), before)
  t.strictSame(hidden, {
    type: 'object',
    properties: { a: { type: 'string', $comment: 'fastify-schema-telemetry:redact' }, list: [1] },
    allOf: [
      { properties: { b: { type: 'string', $comment: 'fastify-schema-telemetry:redact' } }, $comment: 'fastify-schema-telemetry:redact' }, true,
    ],
    $comment: 'mine fastify-schema-telemetry:redact',
  })
  for (const [version, T] of BOTH) {
    const schema = T.Optional(T.String({ minLength: 2 }))
    for (const annotated of [redact(schema), omit(schema), asAttribute('app.a', schema)]) {
      const own = (object: object) => Object.fromEntries(Reflect.ownKeys(object).filter((key) => key !== '$comment').map((key) => [key, Object.getOwnPropertyDescriptor(object, key)!.value]))
      t.strictSame(own(annotated), own(schema), `${version}: the words of TypeBox, also those that nobody sees`)
      t.equal(Object.getPrototypeOf(annotated), Object.getPrototypeOf(schema))
    }
  }
  class Own { type = 'string' }
  t.ok(redact(new Own()) instanceof Own, 'the class of a schema')
  const accessors = redact({ get type () { return 'string' } })
  t.strictSame(bodyOf(accessors, CANARY), REDACTED, 'a schema of getters')
})

t.test('frozen types can be annotated', async (t) => {
  const freeze = <Schema extends object>(schema: Schema): Schema => {
    for (const value of Object.values(schema)) if (value !== null && typeof value === 'object') freeze(value as object)
    return Object.freeze(schema)
  }
  const { immutableTypes } = Settings.Get()
  t.teardown(() => { Settings.Set({ immutableTypes }) })
  Settings.Set({ immutableTypes: true })
  const frozen: Array<[string, object]> = [
    ['TypeBox 1.x', Type1.Object({ a: Type1.String({ $comment: 'mine' }) })], ['TypeBox 0.34', freeze(Type.Object({ a: Type.String() }))], ['plain', freeze({ type: 'object', properties: { a: {} }, $comment: 'mine', anyOf: [{}] })],
  ]
  for (const [sentence, schema] of frozen) {
    t.ok(Object.isFrozen(schema))
    t.strictSame(bodyOf(Type.Object({ s: redact(schema) as TSchema }), { s: { a: CANARY } }), { s: '[redacted object]' }, sentence)
    t.strictSame(bodyOf(Type.Object({ s: omit(redact(schema)) as TSchema }), { s: { a: CANARY } }), {}, `${sentence}, omitted`)
  }
  t.strictSame(capture(asAttribute('app.a', Type1.String()), 'x').attributes, [['app.a', 'x']])
})

t.test('validators take annotated schemas as they are', async (t) => {
  const build = (T: typeof Type) => T.Object({
    password: redact(T.String({ minLength: 3 })), country: asAttribute('app.country', T.Optional(omit(T.String({ maxLength: 2 })))), whole: redact(T.Object({ a: T.Integer() })),
  })
  const valid = { password: 'abc', country: 'de', whole: { a: 1 } }
  const invalid = { password: 'a', country: 'deu', whole: { a: 'x' } }
  const route = { method: 'POST', url: '/', httpPart: 'body' }
  const ajv = AjvCompiler()({}, { customOptions: {} })
  for (const schema of [build(Type), build(Type1 as never)]) {
    const validate = ajv({ schema, ...route } as never)
    t.strictSame([validate(structuredClone(valid)), validate(structuredClone(invalid))], [true, false], 'Ajv, strict as Fastify sets it up')
  }
  const check = (compiler: unknown, schema: unknown, value: unknown) => ((compiler as (route: object) => (data: unknown) => { error?: unknown })({ schema, ...route })(value).error === undefined)
  t.strictSame([check(TypeBoxValidatorCompiler, build(Type), valid), check(TypeBoxValidatorCompiler, build(Type), invalid)], [true, false], 'TypeBox 0.34')
  t.strictSame([check(TypeBox1ValidatorCompiler, build(Type1 as never), valid), check(TypeBox1ValidatorCompiler, build(Type1 as never), invalid)], [true, false], 'TypeBox 1.x')
})

t.test('what cannot be annotated is refused', async (t) => {
  class Zod { parse () {} }
  class Joi { validate () {} }
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  const code = 'FST_SCHEMA_TELEMETRY_INVALID_ANNOTATION'
  const schemas: Array<[unknown, string]> = [
    [undefined, 'undefined'], [null, 'null'], [true, 'true'], [5, '5'], [5n, '5'], ['string', '"string"'], [Symbol('s'), 'Symbol(s)'], [[{}], 'an array'], [() => {}, 'a function'],
    [new Zod(), 'the schema object of another library'], [new Joi(), 'the schema object of another library'], [{ '~standard': {} }, 'the schema object of another library'],
    [{ isFluentJSONSchema: true, valueOf: () => ({}) }, 'an object of fluent-json-schema (annotate what its valueOf() returns)'], [{ isFluentSchema: true }, 'an object of fluent-json-schema (annotate what its valueOf() returns)'],
  ]
  for (const [schema, received] of schemas) {
    for (const [name, annotate] of [['redact', redact], ['omit', omit], ['asAttribute', (schema: object) => asAttribute('app.a', schema)]] as const) {
      t.throws(() => annotate(schema as object), { name: 'TelemetryError', code, message: `${name}() takes a TypeBox schema or a JSON Schema object, received ${received}` }, `${name}: ${received}`)
    }
  }
  const names: Array<[unknown, string]> = [
    ['', '""'], ['1a', '"1a"'], ['.a', '".a"'], ['a b', '"a b"'], ['größe', '"größe"'], ['a\n', '"a\\n"'], ['__proto__', '"__proto__"'], ['a'.repeat(129), `"${'a'.repeat(129)}"`],
    [5, '5'], [5n, '5'], [undefined, 'undefined'], [null, 'null'], [Symbol('s'), 'Symbol(s)'], [cyclic, 'an object'], [Type.String(), 'an object'], [['a'], 'an array'], [() => {}, 'a function'],
  ]
  for (const [name, received] of names) {
    t.throws(() => asAttribute(name as string, {}), { name: 'TelemetryError', code, message: `asAttribute() takes an attribute name of letters, digits, "_", "." and "-", received ${received}` }, received)
  }
  for (const name of ['a', 'app.country', 'app_country-2.X', 'a'.repeat(128)]) t.strictSame(marksOf(asAttribute(name, {}) as never).attributes, [name])
})

t.test('a value becomes an attribute of its own', async (t) => {
  const a = (schema: object = {}) => asAttribute('app.a', schema)
  const cases: Array<[string, unknown, unknown, unknown]> = [
    ['text', a({ type: 'string' }), 'x', 'x'],
    ['numbers', a(), 1.5, 1.5],
    ['booleans', a(), false, false],
    ['bigints, as text', a(), 5n, '5'],
    ['dates, as text', a(Type.Date()), new Date(0), '1970-01-01T00:00:00.000Z'],
    ['invalid dates are nothing', a(Type.Date()), new Date(NaN), undefined],
    ['numbers that are none, as text', a(), NaN, 'NaN'],
    ['lists', a(Type.Array(Type.String())), ['x', 'y'], ['x', 'y']],
    ['lists of numbers', a(), [1, 2], [1, 2]],
    ['empty lists are nothing', a(), [], undefined],
    ['lists of several kinds are nothing', a(), ['x', 1], undefined],
    ['lists of objects are nothing', a(), [{}], undefined],
    ['lists with holes', a(), Object.assign(Array(2), { 1: 'x' }), undefined],
    ['objects are nothing, where the schema is open', a(), { x: 1 }, undefined],
    ['buffers are nothing', a(), Buffer.alloc(1), undefined],
    ['null is nothing', a(), null, undefined],
    ['functions are nothing', a(), () => {}, undefined],
    ['text with surrogates that stand alone', a(), 'x\ud800', 'x\ufffd'],
    ['text with a secret in it', a(), 'token=abc', 'token=[scrubbed]'],
    ['a kind that the schema does not let in', a({ type: 'string' }), 5, 5],
    ['inside objects and lists', Type.Object({ o: Type.Object({ l: Type.Tuple([a() as TSchema]) }) }), { o: { l: ['x'] } }, 'x'],
    ['inside a list, it becomes one', Type.Array(Type.Object({ id: a(Type.Integer()) as TSchema })), [{ id: 1 }, { id: 2 }, {}, { id: 3 }], [1, 2, 3]],
    ['inside a record too', Type.Record(Type.String(), a(Type.String()) as TSchema), { x: 'x', y: 'y' }, ['x', 'y']],
    ['lists in lists', Type.Array(a(Type.Array(Type.String())) as TSchema), [['x'], ['y', 'z']], ['x', 'y', 'z']],
    ['of several kinds, the first is kept', Type.Array(a() as TSchema), ['x', 1, 'y', true], ['x', 'y']],
    ['the same name in two places', Type.Object({ x: a() as TSchema, y: a() as TSchema }), { x: 1, y: 2 }, [1, 2]],
    ['in one of several branches', Type.Object({ x: Type.Union([a(Type.String()) as TSchema, Type.Number()]) }), { x: 5 }, 5],
    ['by reference', { definitions: { A: a() }, properties: { x: { $ref: '#/definitions/A' } } }, { x: 'x' }, 'x'],
    ['what is not there is nothing', Type.Object({ x: a() as TSchema }), {}, undefined],
    ['what is redacted is nothing', Type.Object({ x: redact(a()) as TSchema }), { x: CANARY }, undefined],
    ['nor what stands in it', redact(Type.Object({ x: a() as TSchema })), { x: CANARY }, undefined],
    ['what is omitted is nothing', Type.Object({ x: omit(a()) as TSchema }), { x: CANARY }, undefined],
    ['what has a secret name is nothing', Type.Object({ password: a() as TSchema }), { password: CANARY }, undefined],
    ['nor what has one among attributes', Type.Object({ x: asAttribute('app.token', Type.String()) }), { x: CANARY }, undefined],
    ['nor what cannot be read', Type.Object({ x: a() as TSchema }), { get x () { throw new Error('mine') } }, undefined],
    ['nor what is past a bound', Type.Object({ x: Type.Array(Type.Array(Type.Array(Type.Array(Type.Array(Type.Array(Type.Array(Type.Array(a() as TSchema)))))))) }), { x: [[[[[[[['x']]]]]]]] }, undefined],
  ]
  for (const [sentence, schema, value, expected] of cases) {
    t.strictSame(capture(schema, value).attributes, expected === undefined ? [] : [['app.a', expected]], sentence)
  }
  t.strictSame(capture(asAttribute('app.b', a()), 'x').attributes, [['app.a', 'x'], ['app.b', 'x']], 'under several names')
  const { body, attributes } = capture(Type.Object({ x: a(Type.String()) as TSchema, y: Type.String() }), { x: 'x', y: 'y', z: CANARY })
  t.strictSame([body, attributes], [{ x: 'x', y: 'y' }, [['app.a', 'x']]], 'beside being recorded')
  t.strictSame(capture(Type.Object({ x: asAttribute('app.token', Type.String()) }), { x: 'x' }, { scrubbing: false }).attributes, [['app.token', 'x']], 'without scrubbing no name is secret')
  const asked: ScrubMatch[] = []
  const decided = capture(Type.Object({ x: a(Type.String()) as TSchema }), { x: 'token=abc' }, { scrubbing: { callback: (match) => { asked.push(match); return match.path.startsWith('/body') ? undefined : 'kept' } } })
  t.strictSame([decided.body, decided.attributes, asked.map(({ path }) => path)], [{ x: 'token=[scrubbed]' }, [['app.a', 'kept']], ['/body/x', '/app.a']], 'a callback decides for each')
})

t.test('attributes are held by the bounds of the span', async (t) => {
  const a = (schema: TSchema = Type.Any()) => asAttribute('app.a', schema)
  const cut = capture(a(), 'x'.repeat(2000))
  t.strictSame([cut.attributes, cut.truncated], [[['app.a', 'x'.repeat(1024) + '…']], true], 'a long text')
  const long = capture(a(), Array(65).fill(1))
  t.strictSame([long.attributes, long.truncated], [[['app.a', Array(64).fill(1)]], true], 'a long list keeps its kind')
  const many = capture(Type.Array(a()), Array.from({ length: 100 }, (_, index) => index))
  t.strictSame([many.attributes, many.truncated], [[['app.a', Array.from({ length: 64 }, (_, index) => index)]], true], 'many in a list')
  const full = capture(Type.Object({ x: Type.Array(a()), y: Type.Array(a()) }), { x: Array(40).fill('x'), y: Array(40).fill('y') })
  t.strictSame([full.attributes, full.truncated], [[['app.a', [...Array(40).fill('x'), ...Array(24).fill('y')]]], true], 'lists that are joined')
  const exact = capture(Type.Object({ x: Type.Array(a()), y: Type.Array(a()) }), { x: Array(40).fill('x'), y: Array(24).fill('y') })
  t.strictSame([(exact.attributes[0]![1] as unknown[]).length, exact.truncated], [64, false], 'as long as it may be')

  const names = Array.from({ length: 70 }, (_, index) => `app.k${index}`)
  const wide = capture(Type.Object(Object.fromEntries(names.map((name) => [name, asAttribute(name, Type.String())]))), Object.fromEntries(names.map((name) => [name, 'x'])))
  t.strictSame([wide.attributes.length, wide.truncated, Object.keys(wide.body).length], [64, true, 70], 'at most 64')

  const texts = capture(Type.Object(Object.fromEntries(names.map((name) => [name, asAttribute(name, Type.String())]))), Object.fromEntries(names.map((name) => [name, 'ü'.repeat(500)])))
  const bytes = texts.attributes.reduce((sum, [, value]) => sum + Buffer.byteLength(String(value)), 0) + Buffer.byteLength(JSON.stringify(texts.body))
  t.ok(bytes <= 32768, `they share its bytes with the values: ${bytes}`)
  t.ok(texts.truncated)
  const tight = capture(Type.Object({ x: a(), y: asAttribute('app.b', Type.Boolean()) }), { x: 'x'.repeat(400), y: true }, { limits: { maxBytes: 1024 } })
  t.strictSame([tight.body, tight.attributes, tight.truncated], [{ x: 'x'.repeat(400), y: true }, [['app.a', '…'], ['app.b', true]], true], 'what has no room any more is cut')
  const manyNames = (count: number) => names.slice(0, count).reduce((schema: TSchema, name) => asAttribute(name, schema), Type.Boolean())
  const none = capture(manyNames(70), true, { limits: { maxBytes: 200 } })
  t.strictSame([none.attributes.length, none.truncated], [23, true], 'or left out')
})
