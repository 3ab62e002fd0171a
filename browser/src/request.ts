import type { ConnectRequest, ConnectRequestSource, LinkValues } from './types.js';

/** What has to be known to watch a connection. */
export interface Subject {
  connectionId: string;
  requestToken: string;
  /** The public status endpoint. */
  statusUrl: string;
}

/** Asks for the values. A function is called before this returns. */
export async function obtain(source: ConnectRequestSource): Promise<LinkValues> {
  const values = await (typeof source === 'function' ? source() : source);
  if (!('json' in values)) return values;
  if (!values.ok) throw new Error(`HTTP ${values.status}`);
  return values.json();
}

/** Whether the link is known to have a `return_url`: its address says so. A promise or function is not known yet. */
export function hasReturnUrl(source: ConnectRequestSource): boolean {
  try {
    const { requestLink } = camelCase(source as LinkValues);
    return new URL(requestLink).searchParams.get('has_return_url') === 'true';
  } catch {
    return false;
  }
}

/** The hosted page and what to watch while it is open; null unless the values are those of a link. */
export function parse(values: LinkValues): [link: URL, subject: Subject] | null {
  try {
    const { requestLink, requestToken, connectionId } = camelCase(values);
    const link = new URL(requestLink);
    const statusUrl = new URL(`../connections/${encodeURIComponent(connectionId)}/status`, link).href;
    // A blank popup has the origin of this page: a `javascript:` address would run in it.
    const usable = /^https?:$/.test(link.protocol) && requestToken && connectionId;
    return usable ? [link, { connectionId, requestToken, statusUrl }] : null;
  } catch {
    return null;
  }
}

function camelCase(values: LinkValues): ConnectRequest {
  if (!('request_link' in values)) return values;
  return {
    requestLink: values.request_link,
    requestToken: values.request_token,
    connectionId: values.connection_id,
  };
}
