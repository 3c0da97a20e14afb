import type { Reason } from '../model/observed.ts';

export type ReadFailure = { reason: Reason | 'not-found' | 'unauthorized' | 'not-installed' | 'interrupted' | 'conflict'; detail: string };
export type ReadResult = { ok: true; body: unknown } | { ok: false; failure: ReadFailure };

/** Reads API objects by their path (`/api/v1/namespaces/default/services/x`). Lists are complete or a failure: paging is done inside. */
export interface ClusterReader {
  readonly name: 'client' | 'kubectl';
  get(path: string): Promise<ReadResult>;
  /** Requests sent so far. */
  requests(): number;
}

interface ListBody {
  items: unknown[];
  metadata?: { continue?: string; resourceVersion?: string };
}

const isList = (body: unknown): body is ListBody =>
  typeof body === 'object' && body !== null && Array.isArray((body as { items?: unknown }).items);

/**
 * Follows `metadata.continue` so that a list is whole (Kubernetes API concepts, "Retrieving large results sets in chunks").
 * A page that fails makes the whole list a failure: half a list would make "is not there" of what was not read.
 */
export async function readAllPages(getPage: (path: string) => Promise<ReadResult>, path: string, limit = 500): Promise<ReadResult> {
  const separator = path.includes('?') ? '&' : '?';
  const first = await getPage(`${path}${separator}limit=${limit}`);
  if (!first.ok) return first;
  if (!isList(first.body)) return malformed(path);
  const items = [...first.body.items];
  let next = first.body.metadata?.continue;
  while (next) {
    const page = await getPage(`${path}${separator}limit=${limit}&continue=${encodeURIComponent(next)}`);
    if (!page.ok) return page;
    if (!isList(page.body)) return malformed(path);
    items.push(...page.body.items);
    next = page.body.metadata?.continue;
  }
  return { ok: true, body: { ...first.body, items } };
}

const malformed = (path: string): ReadResult => ({
  ok: false,
  failure: { reason: 'truncated', detail: `the answer to ${path} is no list` },
});
