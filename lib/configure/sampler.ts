import { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler, SamplingDecision, TraceIdRatioBasedSampler, type Sampler } from '@opentelemetry/sdk-trace'
import type { Environment } from './environment.ts'

/** The sampler that OTEL_TRACES_SAMPLER names; by default what the caller decided, and every trace without a caller. */
export function createSampler ({ sampler = 'parentbased_always_on', samplerRatio = 1 }: Pick<Environment, 'sampler' | 'samplerRatio'>): Sampler {
  const root = sampler.endsWith('always_on') ? new AlwaysOnSampler() : sampler.endsWith('always_off') ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(samplerRatio)
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
}

/** Counts what a sampler leaves out: no span processor hears of it. */
export function countSampledOut (sampler: Sampler, count: () => void): Sampler {
  return {
    shouldSample (...args) {
      const result = sampler.shouldSample(...args)
      if (result.decision === SamplingDecision.NOT_RECORD) count()
      return result
    },
    toString: () => sampler.toString(),
  }
}
