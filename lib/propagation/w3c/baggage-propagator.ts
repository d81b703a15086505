import { propagation, type Context, type TextMapGetter, type TextMapPropagator, type TextMapSetter } from '@opentelemetry/api'
import { MAX_BAGGAGE_LENGTH, parseBaggage, writeBaggage } from './baggage-list.ts'
import { HeaderBaggage } from './header-baggage.ts'
import { joinLines } from './header-list.ts'
import { isTracingSuppressed } from './suppression.ts'

const BAGGAGE = 'baggage'

/**
 * W3C baggage within the limits that the specification guarantees, 64 members and 8,192 bytes, on the way in and on the way out. Members that are bad
 * or beyond the limits are left out, never the whole. It does not throw, unless the getter or the setter does, and keeps no state.
 *
 * @see https://www.w3.org/TR/baggage/
 */
export class BaggagePropagator implements TextMapPropagator {
  inject (context: Context, carrier: unknown, setter: TextMapSetter): void {
    const baggage = propagation.getBaggage(context)
    if (baggage === undefined || isTracingSuppressed(context)) return
    const list = writeBaggage(baggage)
    if (list !== '') setter.set(carrier, BAGGAGE, list)
  }

  extract (context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const members = parseBaggage(joinLines(getter.get(carrier, BAGGAGE), MAX_BAGGAGE_LENGTH))
    return members.size === 0 ? context : propagation.setBaggage(context, new HeaderBaggage(members))
  }

  fields (): string[] {
    return [BAGGAGE]
  }
}
