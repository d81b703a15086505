import htm from 'htm'
import { h, type VNode } from 'preact'

type Template = (strings: TemplateStringsArray, ...values: unknown[]) => VNode

/** Markup as tagged templates. What is put in is text or a vnode, never HTML. */
export const html = (htm as unknown as { bind (create: typeof h): Template }).bind(h)
