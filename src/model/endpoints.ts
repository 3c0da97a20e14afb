/** One backend address of a Service port, from its EndpointSlices. */
export interface Endpoint {
  address: string;
  port: number;
  portName: string | null;
  protocol: string;
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  nodeName: string | null;
  pod: { namespace: string; name: string } | null;
  slice: string;
}
