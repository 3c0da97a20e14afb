import type { ZodType } from 'zod';
import type { Facts } from '../facts/facts.ts';
import { apiKey, apiPaths } from '../model/object-paths.ts';
import { readList, readObject } from '../parse/objects.ts';
import { type EndpointSlice, endpointSliceSchema, type Service, serviceSchema } from '../schema/kubernetes.ts';
import type { Entry } from '../snapshot/entry.ts';

/** The Services of a snapshot that can be judged, and what is missing for the others. */
export interface ClusterObjects {
  services: Service[];
  slices: EndpointSlice[];
  /** All Services of the cluster are among them, so that what none of them has can be told. */
  allServices: boolean;
  /** Services whose endpoints were not read whole, and lists that were not read: nothing is said of them. */
  unknown: { what: string; why: string }[];
  /** `namespace/name` of Services that, or whose slices, were another when they were read again after the rules. */
  changedMeanwhile: Set<string>;
}

/** Services and EndpointSlices of any list or single object that the snapshot holds. A Service counts only where its slices were read whole. */
export function clusterObjectsOf(facts: Facts): ClusterObjects {
  const { entries } = facts.snapshot;
  const unknown: ClusterObjects['unknown'] = [];
  const services = new Map<string, Service>();
  let allServices = false;
  for (const entry of entries.values()) {
    const kind = serviceEntry(entry.key);
    if (kind === undefined) continue;
    const read = kind === 'one' ? readObject(entry, serviceSchema) : readList(entry, serviceSchema);
    if (read.state === 'unknown') unknown.push({ what: entry.key.replace(/^api\//, ''), why: read.detail });
    if (read.state !== 'seen') continue;
    for (const service of Array.isArray(read.value) ? read.value : [read.value]) services.set(nameOf(service), service);
    if (!read.complete) unknown.push({ what: entry.key.replace(/^api\//, ''), why: 'not every Service was understood' });
    else if (kind === 'all') allServices = true;
  }
  const slices = slicesOf(entries, unknown);
  const whole = (service: Service): boolean => slices.namespaces === 'all' || slices.namespaces.has(service.metadata.namespace ?? '');
  const judged = [...services.values()].filter(whole);
  for (const service of services.values())
    if (!whole(service))
      unknown.push({ what: nameOf(service), why: `the EndpointSlices of namespace ${service.metadata.namespace} were not read` });
  return {
    services: judged,
    slices: slices.items,
    allServices: allServices && judged.length === services.size,
    unknown,
    changedMeanwhile: changesBetween(entries, [...services.values()], slices.items),
  };
}

/** The second reading, after the rules, under the same keys with `after/` before them; without one nothing is known to have changed. */
function changesBetween(entries: ReadonlyMap<string, Entry>, services: readonly Service[], slices: readonly EndpointSlice[]): Set<string> {
  const again = [...entries.values()].filter(({ key }) => key.startsWith('after/'));
  const lists = <T>(kind: string, schema: ZodType<T>): T[] | undefined => {
    const read = again.filter(({ key }) => key.endsWith(`/${kind}`)).map((entry) => readList(entry, schema));
    return read.length > 0 && read.every(({ state }) => state === 'seen')
      ? read.flatMap((list) => (list.state === 'seen' ? list.value : []))
      : undefined;
  };
  const ownerOf = (slice: EndpointSlice): string =>
    `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.['kubernetes.io/service-name'] ?? ''}`;
  return new Set([
    ...differing(services, lists('services', serviceSchema), nameOf),
    ...differing(slices, lists('endpointslices', endpointSliceSchema), ownerOf),
  ]);
}

/** Owners of what came, went or has another resource version. */
function differing<T extends Service | EndpointSlice>(
  before: readonly T[],
  after: readonly T[] | undefined,
  ownerOf: (item: T) => string,
): string[] {
  if (after === undefined) return [];
  const words = ({ metadata }: T): string => `${metadata.namespace}/${metadata.name} ${metadata.resourceVersion}`;
  const [first, second] = [new Set(before.map(words)), new Set(after.map(words))];
  const namespaces = new Set(before.map(({ metadata }) => metadata.namespace));
  return [
    ...before.filter((item) => !second.has(words(item))),
    ...after.filter((item) => namespaces.has(item.metadata.namespace) && !first.has(words(item))),
  ].map(ownerOf);
}

export const nameOf = ({ metadata }: Service): string => `${metadata.namespace ?? ''}/${metadata.name}`;

function serviceEntry(key: string): 'all' | 'some' | 'one' | undefined {
  if (key === apiKey(apiPaths.allServices)) return 'all';
  const match = /^api\/api\/v1\/namespaces\/[^/]+\/services(\/[^/?]+)?$/.exec(key);
  return match === null ? undefined : match[1] === undefined ? 'some' : 'one';
}

function slicesOf(
  entries: ReadonlyMap<string, Entry>,
  unknown: ClusterObjects['unknown'],
): { items: EndpointSlice[]; namespaces: 'all' | Set<string> } {
  const items = new Map<string, EndpointSlice>();
  const namespaces = new Set<string>();
  let all = false;
  for (const entry of entries.values()) {
    const match = /^api\/apis\/discovery\.k8s\.io\/v1\/(?:namespaces\/([^/]+)\/)?endpointslices$/.exec(entry.key);
    if (match === null) continue;
    const read = readList(entry, endpointSliceSchema);
    if (read.state !== 'seen' || !read.complete) {
      unknown.push({
        what: entry.key.replace(/^api\//, ''),
        why: read.state === 'unknown' ? read.detail : 'not every EndpointSlice was understood',
      });
      continue;
    }
    for (const slice of read.value) items.set(`${slice.metadata.namespace}/${slice.metadata.name}`, slice);
    if (entry.key === apiKey(apiPaths.allEndpointSlices)) all = true;
    else if (match[1] !== undefined) namespaces.add(match[1]);
  }
  return { items: [...items.values()], namespaces: all ? 'all' : namespaces };
}
