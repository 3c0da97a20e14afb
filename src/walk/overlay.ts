import { z } from 'zod';
import type { Facts } from '../facts/facts.ts';
import type { EvidenceRef } from '../model/evidence.ts';
import { evidence } from '../model/evidence.ts';
import type { FdbEntry, Link, Neighbour } from '../model/link.ts';
import { type Observed, seen } from '../model/observed.ts';
import { type Hop, isTunnel } from './leg.ts';

/** What the nodes' agents published of a VTEP: flannel writes it to annotations of the Node (flannel's Documentation/kubernetes.md). */
export interface PublishedVtep {
  mac: string | undefined;
  vni: number | undefined;
  publicIp: string | undefined;
  backend: string | undefined;
}

export const flannelAnnotation = 'flannel.alpha.coreos.com';
const backendData = z.looseObject({ VNI: z.number().optional(), VtepMAC: z.string().optional() });

/** The annotations of flannel on a Node; every field is undefined where another CNI runs, or the Node was not read. */
export function publishedVtep(facts: Facts, node: string): PublishedVtep {
  const annotations = facts.node(node)?.metadata.annotations ?? {};
  const data = readData(annotations[`${flannelAnnotation}/backend-data`]);
  return {
    mac: data.VtepMAC?.toLowerCase(),
    vni: data.VNI,
    publicIp: annotations[`${flannelAnnotation}/public-ip-overwrite`] ?? annotations[`${flannelAnnotation}/public-ip`],
    backend: annotations[`${flannelAnnotation}/backend-type`],
  };
}

function readData(text: string | undefined): z.infer<typeof backendData> {
  try {
    const result = backendData.safeParse(JSON.parse(text ?? 'null'));
    return result.success ? result.data : {};
  } catch {
    return {}; // not JSON: some other agent's annotation
  }
}

/** The annotation as the command prints it that anyone can run. */
export const annotationEvidence = (facts: Facts, node: string, name: string): EvidenceRef[] => {
  const value = facts.node(node)?.metadata.annotations?.[`${flannelAnnotation}/${name}`];
  if (value === undefined) return [];
  return [
    {
      command: `kubectl get node ${node} -o jsonpath='{.metadata.annotations.${flannelAnnotation.replaceAll('.', '\\.')}/${name}}'`,
      on: 'API server',
      lines: [{ number: 1, text: value }],
    },
  ];
};

/** Every address that a node is known by: of its status, of what its agent published, and of its own devices. */
export function addressesOfNode(facts: Facts, node: string): string[] {
  const status = facts.node(node)?.status.addresses ?? [];
  const calico = facts.node(node)?.metadata.annotations?.['projectcalico.org/IPv4Address']?.split('/')[0];
  const own = facts.nodeNet(node).addresses();
  return [
    ...status.map((item) => item.address),
    publishedVtep(facts, node).publicIp,
    calico,
    ...(own.state === 'seen' ? own.value.flatMap((link) => link.addresses.map((item) => item.address)) : []),
  ].filter((address) => address !== undefined);
}

/** A hop through a VXLAN device, and what its node believes of the far VTEP. */
export interface VxlanHop {
  hop: Hop;
  link: Link;
  /** The address whose MAC is looked up: the gateway of the route, or the destination itself. */
  gateway: string;
  neighbour: Neighbour | undefined;
  /** Entries of the device for the neighbour's MAC. */
  entries: FdbEntry[];
}

/** Null where the hop leaves by something else than a VXLAN device with its own tables. */
export function vxlanHop(facts: Facts, hop: Hop, destination: string): Observed<VxlanHop | null> {
  const { link } = hop;
  if (link?.kind !== 'vxlan' || link.vxlan?.external) return seen(null, `node/${hop.node}/ip-link`);
  const net = facts.nodeNet(hop.node);
  const neighbours = net.neighbours();
  if (neighbours.state !== 'seen') return neighbours;
  const fdb = net.fdb();
  if (fdb.state !== 'seen') return fdb;
  const gateway = hop.via ?? destination;
  const neighbour = neighbours.value.find((item) => item.address === gateway && item.dev === link.name);
  const mac = neighbour?.mac?.toLowerCase();
  const entries = fdb.value.filter((item) => item.dev === link.name && item.mac.toLowerCase() === mac && item.dst !== undefined);
  return seen({ hop, link, gateway, neighbour, entries }, neighbours.from, neighbours.complete && fdb.complete);
}

/** True when the device finds VTEPs by itself: it learns, floods to a group, or has a default destination. Then a missing entry is no fault. */
export function finds(facts: Facts, node: string, link: Link): boolean {
  const fdb = facts.nodeNet(node).fdb();
  const flood =
    fdb.state === 'seen' && fdb.value.some((item) => item.dev === link.name && item.mac === '00:00:00:00:00:00' && item.dst !== undefined);
  return flood || link.vxlan?.remote !== undefined || link.vxlan?.group !== undefined;
}

/** MAC of the far VTEP as its own node has it, and as it was published. */
export interface VtepTruth {
  device: { mac: string; evidence: EvidenceRef } | undefined;
  published: string | undefined;
}

export function vtepTruth(facts: Facts, node: string, like: Link): VtepTruth {
  const links = facts.nodeNet(node).links();
  const device =
    links.state === 'seen' ? links.value.find((item) => isTunnel(item) && item.kind === like.kind && item.name === like.name) : undefined;
  return {
    device:
      device?.address === undefined
        ? undefined
        : { mac: device.address.toLowerCase(), evidence: evidence(`node/${node}/ip-link`, device.line + 1) },
    published: like.name === 'flannel.1' || publishedVtep(facts, node).backend === 'vxlan' ? publishedVtep(facts, node).mac : undefined,
  };
}
