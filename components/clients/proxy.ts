import { createRequire } from "node:module";

/**
 * The proxy that the environment names for a URL (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), by the rules that the HTTP
 * client goes by; undefined when there is none.
 */
export function proxyFor(url: string): string | undefined {
  const ofAxios = createRequire(require.resolve("axios"));
  const { getProxyForUrl } = ofAxios("proxy-from-env") as { getProxyForUrl(url: string): string };
  const proxy = getProxyForUrl(url);
  return proxy === "" ? undefined : proxy;
}

/** ` through proxy HOST:PORT`, without its user and password, for the end of what is said of a request; else nothing. */
export function throughProxy(proxy: string | undefined): string {
  if (proxy === undefined) {
    return "";
  }
  return ` through proxy ${URL.canParse(proxy) ? new URL(proxy).host : "of the environment"}`;
}
