import type { Facts } from '../../facts/facts.ts';
import { evidence } from '../../model/evidence.ts';
import { findSysctl } from '../../parse/sysctl.ts';
import { cannotTell, defineCheck, fail, fault, notSeen, pass, skip } from '../check.ts';
import { breaksVirtual, expectedEndpoints, virtualServices } from './virtual-services.ts';

const key = 'net.bridge.bridge-nf-call-iptables';

export const bridgeNfCallIptablesOff = defineCheck({
  meta: {
    id: 'SVC015',
    slug: 'bridge-nf-call-iptables-off',
    layer: 'service',
    title: 'Replies of an endpoint on the same node are switched past iptables',
    since: '0.1.0',
    explain: {
      what: "The client and an endpoint are on the same node and the same Linux bridge, and net.bridge.bridge-nf-call-iptables is 0. The request is translated on its way through the node's own address, but the reply is switched from port to port and never translated back: the client gets an answer from an address that it never asked, and resets it.",
      why: 'The sysctl was set to 0, or br_netfilter was loaded after the sysctl was applied, or never.',
      confirm: ['sysctl net.bridge.bridge-nf-call-iptables', 'lsmod | grep br_netfilter'],
      fix: ['modprobe br_netfilter; sysctl -w net.bridge.bridge-nf-call-iptables=1, and make both last (modules-load.d, sysctl.d)'],
      notThis: [
        'CNIs that route instead of bridge (Calico, Cilium) do not need it',
        'Endpoints on other nodes are not touched: only some connections fail',
      ],
      refs: [
        'https://kubernetes.io/docs/setup/production-environment/container-runtimes/',
        'https://www.kernel.org/doc/html/latest/networking/bridge.html',
      ],
    },
  },
  needs: (facts) => (facts.client.node === null ? [] : [facts.nodeNet(facts.client.node).sysctls()]),
  judge: (facts) => {
    const node = facts.client.node;
    if (node === null || facts.client.request.kind !== 'Pod' || facts.client.pod?.spec.hostNetwork)
      return skip('the client is no pod behind a bridge');
    const sysctls = facts.nodeNet(node).sysctls();
    if (sysctls.state !== 'seen') return notSeen(sysctls);
    const value = findSysctl(sysctls.value, key);
    if (value === undefined)
      return bridged(facts, node) === false
        ? skip('pods of this node are not on a bridge')
        : cannotTell('unsupported', `${key} was not among the settings that were read: br_netfilter may not be loaded`);
    if (value.state !== 'value') return cannotTell('forbidden', `${key} could not be read`);
    if (value.value !== '0') return pass(`${key} is ${value.value} on node ${node}`, `sysctl on node ${node}`);
    if (bridged(facts, node) === false) return skip('pods of this node are not on a bridge');
    const hit = virtualServices(facts).flatMap((virtual) => {
      const local = expectedEndpoints(virtual, node).filter(
        (endpoint) => endpoint.nodeName === node && endpoint.address !== facts.client.address,
      );
      return local.length > 0 ? [{ virtual, local }] : [];
    });
    if (hit.length === 0) return pass(`${key} is 0 on node ${node}, and no endpoint is on the client's own node`, 'EndpointSlices');
    return fail(
      fault({
        title: `${key} is 0 on node ${node}: replies of the endpoint${hit[0]?.local.length === 1 ? '' : 's'} on the same node (${hit.flatMap(({ local }) => local.map((endpoint) => endpoint.address)).join(', ')}) are never translated back to the ClusterIP`,
        where: { kind: 'sysctl', name: key, node },
        evidence: [evidence(`node/${node}/sysctl`, value.line)],
        next: [`kubectl debug node/${node} -it --profile=sysadmin --image=nicolaka/netshoot -- sysctl ${key}`],
        fix: [`on ${node}: modprobe br_netfilter; sysctl -w ${key}=1, and make both last in modules-load.d and sysctl.d`],
        breaks: (probe) => hit.some(({ virtual }) => breaksVirtual(facts, virtual.address)(probe)),
      }),
    );
  },
});

/** Whether the node's pods hang on a Linux bridge; undefined when that was not seen. */
function bridged(facts: Facts, node: string): boolean | undefined {
  const ports = facts.nodeNet(node).bridgePorts();
  return ports.state === 'seen' ? ports.value.some((port) => port.master !== undefined) : undefined;
}
