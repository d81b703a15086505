/** What the API's global tracer provider looks like once an SDK has registered. */
interface MaybeProxy {
  getDelegate?: () => object
}

/** The provider that the API's proxy stands for; any other provider is returned as it is. */
export function behindProxy (provider: object): object {
  return (provider as MaybeProxy).getDelegate?.() ?? provider
}
