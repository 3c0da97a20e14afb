/** API paths of what is read for one diagnosis. They are also the keys of the snapshot's entries (`api/…`). */
export const apiPaths = {
  service: (namespace: string, name: string) => `/api/v1/namespaces/${namespace}/services/${name}`,
  services: (namespace: string) => `/api/v1/namespaces/${namespace}/services`,
  allServices: '/api/v1/services',
  allEndpointSlices: '/apis/discovery.k8s.io/v1/endpointslices',
  endpointSlices: (namespace: string) => `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
  pods: (namespace: string) => `/api/v1/namespaces/${namespace}/pods`,
  nodes: '/api/v1/nodes',
  configMap: (namespace: string, name: string) => `/api/v1/namespaces/${namespace}/configmaps/${name}`,
  deployments: (namespace: string) => `/apis/apps/v1/namespaces/${namespace}/deployments`,
  daemonSets: (namespace: string) => `/apis/apps/v1/namespaces/${namespace}/daemonsets`,
  warnings: (namespace: string) => `/api/v1/namespaces/${namespace}/events?fieldSelector=type%3DWarning`,
  networkPolicies: (namespace: string) => `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
} as const;

/** The entry's key of an API path. */
export const apiKey = (path: string): string => `api${path}`;

/** Where cluster DNS lives in every installer's default. */
export const systemNamespace = 'kube-system';
