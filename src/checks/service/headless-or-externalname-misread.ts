import { type Facts, objectEvidence } from '../../facts/facts.ts';
import { failed, failureEvidence, isFailing } from '../../facts/probe-results.ts';
import { parseAddress } from '../../model/ip.ts';
import { type CheckResult, defineCheck, fail, fault, notSeen, pass, skip } from '../check.ts';

export const headlessOrExternalNameMisread = defineCheck({
  meta: {
    id: 'SVC006',
    slug: 'headless-or-externalname-misread',
    layer: 'service',
    title: 'A headless or ExternalName Service is used as if it translated',
    since: '0.1.0',
    explain: {
      what: "A headless Service (clusterIP: None) and an ExternalName Service are DNS records only. Nobody translates the Service's port to the targetPort of a headless Service, so that clients must use the pods' own port; and an ExternalName must be a name, because DNS answers with an alias (CNAME): an address there leads nowhere.",
      why: 'clusterIP: None was copied from a StatefulSet, or an IP address was put where a name belongs.',
      confirm: ["kubectl get service NAME -o jsonpath='{.spec.clusterIP} {.spec.ports}'", 'dig NAME.NAMESPACE.svc.cluster.local'],
      fix: [
        'Headless: make port and targetPort the same, or connect to the targetPort, or give the Service a ClusterIP',
        'ExternalName with an address: use a Service without a selector and an EndpointSlice of your own',
      ],
      notThis: ['A headless Service whose port equals its targetPort works as it is'],
      refs: [
        'https://kubernetes.io/docs/concepts/services-networking/service/#headless-services',
        'https://kubernetes.io/docs/concepts/services-networking/service/#externalname',
      ],
    },
  },
  needs: (facts) => [facts.target.service],
  judge: (facts) => {
    const { service, port, endpoints, namespace, name } = facts.target;
    if (service.state !== 'seen') return notSeen(service);
    const { spec } = service.value;
    const where = { kind: 'Service', namespace, name };
    if (spec.type === 'ExternalName') {
      const external = spec.externalName ?? '';
      if (parseAddress(external) === undefined) return aliasOf(facts, external);
      return fail(
        fault({
          title: `ExternalName Service ${namespace}/${name} has the address ${external} where a name belongs: DNS answers with an alias that leads nowhere`,
          where,
          evidence: [objectEvidence('service', service.value, '.spec.externalName', external)],
          next: [`kubectl get service ${name} -n ${namespace} -o yaml`],
          fix: [`use a Service without a selector and an EndpointSlice with ${external}, or a name`],
          certain: true,
          breaks: (probe) => probe.stage === 'name' || (probe.stage === 'dns-server' && facts.dns.addresses.length > 0),
        }),
      );
    }
    if (spec.clusterIP !== 'None') return skip('the Service has a ClusterIP');
    if (!port || endpoints.state !== 'seen') return skip('the headless Service has no port or no endpoints');
    const different = endpoints.value.filter((endpoint) => endpoint.ready && endpoint.port !== port.port);
    if (different.length === 0) return pass(`the headless Service's port ${port.port} is the pods' own port`, 'EndpointSlices');
    return fail(
      fault({
        title: `Service ${namespace}/${name} is headless: nothing translates its port ${port.port} to ${different[0]?.port}, so that clients which use port ${port.port} reach port ${port.port} of the pods`,
        where,
        evidence: [
          objectEvidence('service', service.value, '.spec.clusterIP', 'None'),
          objectEvidence('service', service.value, '.spec.ports', spec.ports),
        ],
        next: [`kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${name} -o wide`],
        fix: [`connect to port ${different[0]?.port}, make port and targetPort the same, or give the Service a ClusterIP`],
        breaks: (probe) => probe.stage === 'service',
      }),
    );
  },
});

/** Behind an alias nothing translates ports: a port that is refused there is the far end's own. */
function aliasOf(facts: Facts, external: string): CheckResult {
  const { service, namespace, name, port } = facts.target;
  const refused = facts
    .probesOf('service', facts.client.origin)
    .find((probe) => isFailing(probe) && failed(probe).every((item) => item.cause === 'refused'));
  if (!refused || !port || service.state !== 'seen') return pass(`externalName ${external} is a name`, 'Service spec');
  return fail(
    fault({
      title: `ExternalName Service ${namespace}/${name} leads to ${external}, and port ${port.port} is refused there: an alias translates no ports`,
      where: { kind: 'Service', namespace, name },
      evidence: [
        failureEvidence(refused, 1),
        objectEvidence('service', service.value, '.spec.externalName', external),
        objectEvidence('service', service.value, '.spec.ports', service.value.spec.ports),
      ],
      next: [`kubectl get service ${name} -n ${namespace} -o yaml`],
      fix: [`connect to the port that ${external} listens on, or mend what should listen on ${port.port} there`],
      breaks: (probe) => probe.stage === 'service',
    }),
  );
}
