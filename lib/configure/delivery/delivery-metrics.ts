import { ValueType, type MeterProvider } from '@opentelemetry/api'
import { ERROR_TYPE, METRIC_SDK_EXPORTED, METRIC_SDK_QUEUE_CAPACITY, METRIC_SDK_QUEUE_SIZE, SCHEMA_URL, SCOPE_NAME, SCOPE_VERSION } from '../../semconv.ts'
import type { DeliveryStats } from './delivery-counts.ts'

/**
 * Mirrors the counts of the delivery as metrics, under the names that the conventions have for them. Spans begun and living are counted by the SDK itself.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/
 */
export function observeDelivery (provider: MeterProvider, stats: () => DeliveryStats, capacity: number): void {
  const meter = provider.getMeter(SCOPE_NAME, SCOPE_VERSION, { schemaUrl: SCHEMA_URL })
  const exported = meter.createObservableCounter(METRIC_SDK_EXPORTED, { unit: '{span}', valueType: ValueType.INT, description: 'Spans that the exporter is done with.' })
  exported.addCallback((result) => {
    const { exported, dropped } = stats()
    result.observe(exported)
    for (const [reason, count] of Object.entries(dropped)) if (count > 0) result.observe(count, { [ERROR_TYPE]: reason })
  })
  const size = meter.createObservableUpDownCounter(METRIC_SDK_QUEUE_SIZE, { unit: '{span}', valueType: ValueType.INT, description: 'Spans that wait for their export.' })
  size.addCallback((result) => result.observe(stats().queued))
  if (!Number.isFinite(capacity)) return
  const most = meter.createObservableUpDownCounter(METRIC_SDK_QUEUE_CAPACITY, { unit: '{span}', valueType: ValueType.INT, description: 'Most spans that may wait.' })
  most.addCallback((result) => result.observe(capacity))
}
