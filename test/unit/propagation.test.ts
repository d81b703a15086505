import { createContextKey, propagation, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api'
import t from 'tap'
import { silentContext } from '../../lib/propagation/inbound.ts'
import { LinkedContext } from '../../lib/propagation/linked-context.ts'

t.test('a linked context behaves as the API\'s own', async (t) => {
  const [a, b, c] = [createContextKey('a'), createContextKey('b'), createContextKey('c')]
  const base = new LinkedContext(ROOT_CONTEXT.setValue(a, 'outside'))
  t.equal(base.getValue(a), 'outside')
  t.equal(base.getValue(b), undefined)
  const inner = base.setValue(b, 1).setValue(a, 'inside')
  t.same([a, b, c].map((key) => inner.getValue(key)), ['inside', 1, undefined])
  t.same([a, b].map((key) => base.getValue(key)), ['outside', undefined], 'the one it was made from is as it was')
  t.equal(inner.deleteValue(a).getValue(a), undefined)
  const withBaggage = propagation.setBaggage(inner, propagation.createBaggage({ tenant: { value: 'acme' } }))
  t.equal(propagation.getBaggage(withBaggage)?.getEntry('tenant')?.value, 'acme')
})

t.test('a chain of a hundred thousand values neither grows without end nor overflows a stack', async (t) => {
  const keys = Array.from({ length: 10 }, (_, index) => createContextKey(`key ${index}`))
  let context = new LinkedContext(ROOT_CONTEXT).setValue(keys[0]!, 'first')
  for (let index = 0; index < 100_000; index++) context = context.setValue(keys[1 + index % 9]!, index)
  const last = (slot: number) => 99_999 - (99_999 - (slot - 1)) % 9
  t.same(keys.map((key) => context.getValue(key)), ['first', ...keys.slice(1).map((_, index) => last(index + 1))])
})

t.test('a silent context keeps the caller\'s trace, or makes a valid one of its own; never sampled', async (t) => {
  const caller = trace.setSpanContext(ROOT_CONTEXT, { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED, isRemote: true })
  const kept = trace.getSpanContext(silentContext(caller))!
  t.match(kept, { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: /^(?!b7ad6b7169203331)[0-9a-f]{16}$/, traceFlags: TraceFlags.NONE })
  const own = trace.getSpanContext(silentContext(ROOT_CONTEXT))!
  t.match(own, { traceId: /^[0-9a-f]{32}$/, spanId: /^[0-9a-f]{16}$/, traceFlags: TraceFlags.NONE })
  t.ok(trace.isSpanContextValid(own))
})
