// repository only
import multipart from '@fastify/multipart'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { redact } from 'fastify-schema-telemetry'
import t from 'tap'
import { argumentsOf, probe, type Probe } from '../helpers/subject.ts'

// The API's globals are one for all tests of this process.
t.jobs = 1

type Field = [name: string, value: string, filename?: string]

/** A form as a browser sends it. */
function form (fields: Field[]): Probe['request'] {
  const parts = fields.map(([name, value, filename]) => [
    '--limit',
    `content-disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"\r\ncontent-type: text/plain`}`,
    '',
    value,
    '',
  ].join('\r\n'))
  return { body: `${parts.join('')}--limit--\r\n`, headers: { 'content-type': 'multipart/form-data; boundary=limit' } }
}

const fields: Field[] = [
  ['name', 'Ada'], ['count', '7'], ['tags', 'a'], ['tags', 'b'], ['hidden', 'canary'], ['password', 'canary'], ['undeclared', 'canary'], ['file', 'canary bytes', 'canary.txt'], ['more', 'canary', 'canary.bin'],
]

const file = { type: 'file', bytes: 12 }
const attached = (attachFieldsToBody: true | 'keyValues') => (app: FastifyInstance) => app.register(multipart, { attachFieldsToBody })

/** What @fastify/multipart makes of a field, apart from what a schema can ask for. */
const field = (fieldname: string, value: string) => ({ type: 'field', fieldname, mimetype: 'text/plain', encoding: '7bit', value, fieldnameTruncated: false, valueTruncated: false })

t.test('files are kind and size, fields are what the schema declares, secrets are hidden', async (t) => {
  const ofValue = (schema: object) => Type.Object({ value: schema as never })
  const cases: Array<{ name: string, attach: true | 'keyValues', body: object, values: object, scrubbed?: string[] }> = [
    {
      name: 'attachFieldsToBody: true, fields by their values',
      attach: true,
      body: Type.Object({ name: ofValue(Type.String()), count: ofValue(Type.Integer()), tags: Type.Array(ofValue(Type.String())), hidden: ofValue(redact(Type.String())), password: ofValue(Type.String()), file: Type.Unsafe({ type: 'object' }) }),
      values: { name: { value: 'Ada' }, count: { value: 7 }, tags: [{ value: 'a' }, { value: 'b' }], hidden: { value: '[redacted string]' }, password: '[scrubbed]', file },
      scrubbed: ['/body/password'],
    },
    {
      name: 'attachFieldsToBody: true, fields in an open schema do not bring the others with them',
      attach: true,
      body: Type.Object({ name: Type.Any(), tags: Type.Any(), hidden: redact(Type.Any()), file: Type.Any() }),
      values: { name: field('name', 'Ada'), tags: [field('tags', 'a'), field('tags', 'b')], hidden: '[redacted object]', file },
    },
    {
      name: 'attachFieldsToBody: true, fields with declared and other properties',
      attach: true,
      body: Type.Object({ name: Type.Object({ value: Type.String() }, { additionalProperties: true }) }),
      values: { name: field('name', 'Ada') },
    },
    {
      name: 'attachFieldsToBody: keyValues',
      attach: 'keyValues',
      body: Type.Object({ name: Type.String(), count: Type.Integer(), tags: Type.Array(Type.String()), hidden: redact(Type.String()), password: Type.String(), file: Type.Any() }),
      values: { name: 'Ada', count: 7, tags: ['a', 'b'], hidden: '[redacted string]', password: '[scrubbed]', file: { type: 'Buffer', bytes: 12 } },
      scrubbed: ['/body/password'],
    },
  ]
  for (const { name, attach, body, values, scrubbed } of cases) {
    const { span, answer } = await probe(t, name, { prepare: attached(attach), route: { schema: { body } }, request: form(fields) })
    t.equal(answer.statusCode, 200, name)
    t.same(argumentsOf(span), { values: { body: values }, ...(scrubbed === undefined ? {} : { scrubbed }) }, name)
    t.notMatch(JSON.stringify(span), /canary/, name)
  }
})

t.test('a wrong field, and a form that ends too early', async (t) => {
  const schema = { body: Type.Object({ count: Type.Object({ value: Type.Boolean() }) }), querystring: Type.Object({ n: Type.Integer() }) }
  const { span } = await probe(t, 'wrong', { prepare: attached(true), route: { schema }, request: { ...form(fields), path: '/?n=x' } })
  t.same(argumentsOf(span).errors.map(({ part, path, input }: Record<string, unknown>) => [part, path, input]), [['body', '/count/value', '7'], ['querystring', '/n', 'x']])

  const { span: other } = await probe(t, 'another part is wrong', {
    prepare: attached(true),
    route: { url: '/:id', schema: { ...schema, params: Type.Object({ id: Type.Integer() }) } },
    request: { ...form(fields), path: '/x?n=x' },
  })
  t.same(argumentsOf(other).errors.map(({ part }: Record<string, unknown>) => part), ['params', 'querystring'], 'a body with files cannot be copied: it is not looked at again')
  t.notMatch(JSON.stringify([span, other]), /canary/)

  const { body, headers = {} } = form(fields)!
  const { span: cut, answer } = await probe(t, 'cut', { prepare: attached(true), route: { schema }, request: { body: String(body).slice(0, -20), headers } })
  t.equal(answer.statusCode, 500)
  t.same(argumentsOf(cut), {})
})
