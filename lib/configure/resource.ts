import type { Attributes } from '@opentelemetry/api'
import { defaultResource, detectResources, envDetector, resourceFromAttributes, type Resource } from '@opentelemetry/resources'
import { SERVICE_NAME, SERVICE_VERSION } from '../semconv.ts'
import type { ConfigureOptions } from './options.ts'

/** What the telemetry says of this process: arguments over OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES over the SDK's defaults. */
export function createResource ({ serviceName, serviceVersion, resourceAttributes }: ConfigureOptions): Resource {
  const own: Attributes = { ...resourceAttributes }
  if (serviceName !== undefined) own[SERVICE_NAME] = serviceName
  if (serviceVersion !== undefined) own[SERVICE_VERSION] = serviceVersion
  return defaultResource().merge(detectResources({ detectors: [envDetector] })).merge(resourceFromAttributes(own))
}
