import type { VNode } from 'preact'
import { useMemo } from 'preact/hooks'
import {
  ARGUMENTS_ERROR_COUNT, ARGUMENTS_ERRORS, ARGUMENTS_SCRUBBED, ARGUMENTS_TRUNCATED, ARGUMENTS_VALUES, MAPPER_FAILED,
} from '../../semconv.ts'
import type { ViewerSpan } from '../wire.ts'
import { buildArguments } from './model/argument-nodes.ts'
import { ArgumentTree } from './argument-tree.ts'
import { countOf } from './model/format.ts'
import { html } from './html.ts'
import { readErrors } from './model/pinned-errors.ts'

/** The arguments of the request, with what was wrong with them at its place. */
export function ArgumentsSection ({ span: { attributes } }: { span: ViewerSpan }): VNode | null {
  const { [ARGUMENTS_VALUES]: values, [ARGUMENTS_ERRORS]: errorText, [ARGUMENTS_SCRUBBED]: scrubbed } = attributes
  const isTruncated = attributes[ARGUMENTS_TRUNCATED] === true
  const errors = useMemo(() => readErrors(errorText), [errorText])
  const nodes = useMemo(() => buildArguments({ values, errors, scrubbed, isTruncated }), [values, errors, scrubbed, isTruncated])
  const count = Math.max(Number(attributes[ARGUMENTS_ERROR_COUNT] ?? 0), errors.length)
  const hasFailedMapper = attributes[MAPPER_FAILED] === true
  if (values === undefined && count === 0 && !hasFailedMapper) return null
  return html`
    <section class="arguments">
      <h3>Arguments${count > 0 && html`<span class="verdict">${countOf(count, 'error')}</span>`}${isTruncated && html`<span class="faint">cut by a limit</span>`}</h3>
      ${hasFailedMapper && html`<p class="note">The mapper failed: values and errors were not recorded.</p>`}
      ${nodes === undefined ? html`<pre tabindex="0"><code>${String(values)}</code></pre>` : html`<${ArgumentTree} nodes=${nodes} label="Arguments" isSectioned=${true} />`}
      ${errors.length < count && errors.length > 0 && html`<p class="note">${countOf(count - errors.length, 'more error')}: the span lists only the first ones.</p>`}
    </section>`
}
