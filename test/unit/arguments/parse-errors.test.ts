import { deepStrictEqual, equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { findJsonError, MAX_SEARCHED_LENGTH } from '../../../lib/arguments/json-position.ts'
import { describeParseFailure, isJson, withoutQuotedJson, type ParseFailure } from '../../../lib/arguments/parse-errors.ts'
import { createScrubber } from '../../../lib/arguments/scrubber.ts'

const CANARY = 'CANARY'
const scrubber = createScrubber()

function describe (error: unknown, more: Partial<ParseFailure> = {}) {
  return describeParseFailure({ error, contentType: undefined, contentLength: undefined, bodyLimit: 1024, bodyText: undefined, ...more }, scrubber)
}

const record = (message: string, params?: object) => ({ part: 'body', path: '', keyword: 'parse', message, ...(params === undefined ? {} : { params }) })
const code = (code: unknown, more = {}) => Object.assign(new Error(CANARY), { code, ...more })
const syntaxError = (statusCode: unknown) => Object.assign(new SyntaxError(CANARY), { statusCode })

t.test('bodies that did not parse', async (t) => {
  const cases: Array<[string, unknown, object | undefined, Partial<ParseFailure>?]> = [
    ['bad JSON', code('FST_ERR_CTP_INVALID_JSON_BODY'), record('is not valid JSON')],
    ['bad JSON whose text was kept', code('FST_ERR_CTP_INVALID_JSON_BODY'), record('is not valid JSON', { position: 6, line: 2, column: 5 }), { bodyText: '{\n"a":CANARY}' }],
    ['a text that is JSON after all', code('FST_ERR_CTP_INVALID_JSON_BODY'), record('is not valid JSON'), { bodyText: '{"__proto__":{}}' }],
    ['an empty body', code('FST_ERR_CTP_EMPTY_JSON_BODY'), record('is empty though the content type is JSON')],
    ['a wrong length', code('FST_ERR_CTP_INVALID_CONTENT_LENGTH'), record('is not as long as the content length says', { contentLength: 7 }), { contentLength: 7 }],
    ['too large, as its head says', code('FST_ERR_CTP_BODY_TOO_LARGE'), record('is larger than the limit', { limit: 1024, length: 2048 }), { contentLength: 2048 }],
    ['too large, as it turned out', code('FST_ERR_CTP_BODY_TOO_LARGE'), record('is larger than the limit', { limit: 1024 })],
    ['an unknown type', code('FST_ERR_CTP_INVALID_MEDIA_TYPE'), record('has a content type that is not supported', { contentType: 'text/x' }), { contentType: ' text/x ; charset=CANARY' }],
    ['no type', code('FST_ERR_CTP_INVALID_MEDIA_TYPE'), record('has a content type that is not supported', { contentType: '' })],
    ['a type with odd characters', code('FST_ERR_CTP_INVALID_MEDIA_TYPE'), record('has a content type that is not supported', { contentType: 'a?b??' }), { contentType: 'a\nbü\u0000' }],
    ['a long type', code('FST_ERR_CTP_INVALID_MEDIA_TYPE'), record('has a content type that is not supported', { contentType: 'a'.repeat(128) + '…' }), { contentType: 'a'.repeat(1e6) }],
    ['a type with a secret', code('FST_ERR_CTP_INVALID_MEDIA_TYPE'), record('has a content type that is not supported', { contentType: 'token=[scrubbed]' }), { contentType: 'token=CANARY' }],
    ['a parser of the application', syntaxError(400), record('could not be parsed')],
    ['the same for JSON', syntaxError(400), record('is not valid JSON'), { contentType: 'application/problem+json; charset=utf-8' }],
    ['the same, with the text', syntaxError(400), record('is not valid JSON', { position: 0, line: 1, column: 1 }), { contentType: 'application/json', bodyText: CANARY }],
    ['the same for something else, with the text', syntaxError(422), record('could not be parsed'), { contentType: 'application/xml', bodyText: CANARY }],
    ['a syntax error that is ours', syntaxError(500), undefined],
    ['one without a status', new SyntaxError('in a hook'), undefined],
    ['one with an odd status', syntaxError('400'), undefined],
    ['another error of Fastify', code('FST_ERR_NOT_FOUND', { statusCode: 404 }), undefined],
    ['an error without a code', code(undefined), undefined],
    ['null', null, undefined], ['undefined', undefined, undefined], ['text', 'FST_ERR_CTP_INVALID_JSON_BODY', undefined], ['a number', 5, undefined], ['an object', {}, undefined],
  ]
  for (const [sentence, error, expected, more] of cases) t.strictSame(describe(error, more), expected, sentence)
})

t.test('which content types are JSON', async (t) => {
  const json = ['application/json', 'APPLICATION/JSON', 'application/json; charset=utf-8', 'application/json;', 'application/problem+json', 'application/vnd.api.v2+json', 'application/ld+json ; profile=x']
  const others = [undefined, '', 'text/json', 'application/jsonp', 'application/json5', 'application/xml', 'xapplication/json', 'application/+json', 'application/a b+json', 'application/a+b+json', 'multipart/form-data']
  t.strictSame(json.filter((type) => !isJson(type)), [])
  t.strictSame(others.filter(isJson), [])
  t.equal(isJson(`application/${'a.'.repeat(1e6)}`), false)
})

t.test('what V8 quotes of a text that is no JSON is taken out of its message', async (t) => {
  const texts = [`${CANARY}`, `{"a":${CANARY}}`, `[1, "${CANARY}", ${CANARY}]`, `{"a": "${CANARY} is not valid JSON" x}`, `{"${CANARY}": 1,}`, `${'x'.repeat(100)}${CANARY}`, `${' '.repeat(100)}"${CANARY}`, `{"a":"${CANARY}\n"}`, `{"a":1}${CANARY}`]
  for (const text of texts) {
    try {
      JSON.parse(text)
      t.fail('must not parse')
    } catch (error) {
      const { message, stack } = error as Error
      t.notMatch(withoutQuotedJson(message), CANARY, message)
      t.notMatch(withoutQuotedJson(stack!), CANARY)
    }
  }
  t.equal(withoutQuotedJson('Unexpected token \'C\', ..."{"a":CANARY}"... is not valid JSON and more'), 'Unexpected token \'C\', "…" is not valid JSON and more')
  for (const message of ['must be "string"', 'no JSON', '', ' is not valid JSON']) t.equal(withoutQuotedJson(message), message)
})

/** A text as the name of a test: without line breaks of any kind. */
const named = (text: string) => JSON.stringify(text).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

t.test('where a text stops to be JSON', async (t) => {
  const cases: Array<[string, number]> = [
    ['', 0], [' \n', 2], ['x', 0], ['tru', 0], ['truex', 4], ['nul', 0], ['undefined', 0], ['NaN', 0], ['-Infinity', 0], ['01', 1], ['1.', 1], ['.5', 0], ['1e', 1], ['+1', 0], ['--1', 0], ['1 2', 2], ['0x10', 1],
    ['"a', 2], ['"a\nb"', 2], ['"\t"', 1], ['"\\x"', 1], ['"\\u12g4"', 1], ['"a""', 3], ["'a'", 0], ['"\u0000"', 1],
    ['[', 1], ['[1', 2], ['[1,', 3], ['[1,]', 3], ['[,1]', 1], ['[1 2]', 3], ['[1}', 2], ['[]]', 2], ['[[[', 3], [']', 0],
    ['{', 1], ['{"a"', 4], ['{"a":', 5], ['{"a":1', 6], ['{"a":1,', 7], ['{"a":1,}', 7], ['{a:1}', 1], ["{'a':1}", 1], ['{"a" 1}', 5], ['{"a"=1}', 4], ['{,}', 1], ['{"a":1 "b":2}', 7], ['{"a":1]', 6], ['{}}', 2], ['{1:2}', 1],
    ['{"a":1,b:2}', 7], ['{"a":{"b":[1,{"c":x}]}}', 18], ['\ufeff\ufeff{}', 1], ['{}\ufeff', 2], ['\ufeff', 1], ['{} // comment', 3], ['/* */ {}', 0], ['\u00a01', 0], ['[1]\u2028', 3], ['{"a":\r\n\t x}', 9],
  ]
  for (const [text, position] of cases) {
    t.equal(findJsonError(text)?.position, position, named(text))
    t.throws(() => { JSON.parse(text) })
  }
  const fine = ['1', '-0', '1.5e+10', '-0.0E-1', '"a"', '"\\u00e4\\n\\"\\\\\\/"', '"\u007f\u2028"', '"\ud800"', 'true', ' false\n', 'null', '[]', '{}', '[[],{}]', '{"a":1,"a":2}', '{"":""}', ' [ 1 , { "a" : [ ] } ] ', '\t{\r\n"a"\n:\n1}']
  for (const text of fine) {
    t.equal(findJsonError(text), undefined, named(text))
    t.doesNotThrow(() => { JSON.parse(text) })
  }
  t.equal(findJsonError('\ufeff{}'), undefined, 'Fastify passes over a byte order mark')
  const places: Array<[string, number, number, number]> = [
    ['{"a":x}', 5, 1, 6], ['{\n  "a": 1,\n  b\n}', 14, 3, 3], ['\n\n\nx', 3, 4, 1], ['[1,\r\n2,\r\n]', 9, 3, 1], ['"ü😀\n"', 4, 1, 5],
  ]
  for (const [text, position, line, column] of places) t.strictSame(findJsonError(text), { position, line, column }, named(text))
})

t.test('as much of a text is searched as its bound allows', async (t) => {
  const room = MAX_SEARCHED_LENGTH
  t.equal(room, 65536)
  const deep = '['.repeat(room)
  t.equal(findJsonError(deep), undefined, 'lists that never end')
  t.equal(findJsonError('['.repeat(room - 1))?.position, room - 1, 'nearly')
  t.equal(findJsonError('['.repeat(room / 2) + ']'.repeat(room / 2)), undefined, '32,768 lists in one another')
  t.strictSame(findJsonError('{"a":'.repeat(1000) + 'x'), { position: 5000, line: 1, column: 5001 }, '1,000 objects in one another')
  t.equal(findJsonError('"' + 'a'.repeat(1e6)), undefined, 'a string that never ends')
  t.equal(findJsonError(' '.repeat(1e6) + 'x'), undefined, 'what comes later')
  t.equal(findJsonError(' '.repeat(room - 1) + 'x')?.position, room - 1, 'the last that is found')
  t.equal(findJsonError('9'.repeat(1e6)), undefined, 'a number that never ends')
  t.equal(findJsonError('[]' + ' '.repeat(room) + 'x'), undefined, 'something complete, and more beyond the bound')
  // What begins before the bound and ends behind it is no error.
  for (const token of ['true', 'false', 'null', '"\\u12ab"', '"\\n"', '-1', '1.5', '-1.5e+10', '1e-5', '"abc"', '{}', '[]', '{"a":1}']) {
    for (let before = room - token.length - 2; before <= room + 1; before++) {
      const text = `[${' '.repeat(before - 1)}${token},1]`
      equal(findJsonError(text), undefined, `${token} at ${before}`)
      const wrong = findJsonError(`${text}x`)
      ok(wrong === undefined || (wrong.position === text.length && text.length < room), `${token} at ${before}`)
    }
  }
})

/** Changes a text in a few places: characters are left out, put in or exchanged. */
const changes = fc.array(fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('insert', 'remove', 'replace', 'cut'),
  text: fc.oneof(fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', '\\u', '0', '1', '-', '+', '.', 'e', 'true', 'null', ' ', '\n', '\t', '\u0000', '\u00a0', '\ufeff', "'", '/', 'x'), fc.string({ unit: 'binary', maxLength: 2 })),
}), { maxLength: 4 })

t.test('what is an error is one for JSON.parse, and the other way round', async (t) => {
  const json = fc.tuple(fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }), fc.constantFrom(undefined, 1, '\t', '\r\n')).map(([value, space]) => JSON.stringify(value, null, space))
  t.equal(fc.defaultReportMessage(fc.check(fc.property(fc.oneof(json, fc.string({ maxLength: 5 })), changes, (text, changes) => {
    let changed = text
    for (const { at, kind, text: piece } of changes) {
      const index = at % (changed.length + 1)
      changed = changed.slice(0, index) + (kind === 'remove' || kind === 'cut' ? '' : piece) + (kind === 'cut' ? '' : changed.slice(kind === 'insert' ? index : index + 1))
    }
    let isJson = true
    try {
      JSON.parse(changed.replace(/^\ufeff/, ''))
    } catch {
      isJson = false
    }
    const place = findJsonError(changed)
    equal(place === undefined, isJson, JSON.stringify(changed))
    if (place === undefined) return
    const { position, line, column } = place
    ok(position >= 0 && position <= changed.length)
    const before = changed.slice(0, position)
    deepStrictEqual([line, column], [before.split('\n').length, before.length - before.lastIndexOf('\n')])
    // What comes after the place makes no difference.
    if (position < changed.length) equal(findJsonError(changed.slice(0, position + 8))?.position, position)
  }), { numRuns: 20_000 })), undefined)
})
