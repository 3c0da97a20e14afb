import { acceptsAndNeverAnswers } from './app/accepts-and-never-answers.ts';
import { listeningOnLoopbackOnly } from './app/listening-on-loopback-only.ts';
import { listeningOnWrongPort } from './app/listening-on-wrong-port.ts';
import type { Check } from './check.ts';
import { causesOfLoss } from './cni/causes-of-loss.ts';
import { cniConfigMissing } from './cni/cni-config-missing.ts';
import { mtuBlackHole } from './cni/mtu-black-hole.ts';
import { mtuMismatch } from './cni/mtu-mismatch.ts';
import { packetsLostOnNode } from './cni/packets-lost-on-node.ts';
import { podAddressesExhausted } from './cni/pod-addresses-exhausted.ts';
import { podTrafficLostUnexplained } from './cni/pod-traffic-lost-unexplained.ts';
import { tunnelTrafficLostBetweenNodes } from './cni/tunnel-traffic-lost.ts';
import { corednsCrashLoop } from './dns/coredns-crash-loop.ts';
import { dnsPodBad } from './dns/dns-pod-bad.ts';
import { dnsPolicyDefault } from './dns/dns-policy-default.ts';
import { dnsPortFiltered } from './dns/dns-port-filtered.ts';
import { dnsServiceWithoutEndpoints } from './dns/dns-service-without-endpoints.ts';
import { dnsUpstreamFailing } from './dns/dns-upstream-failing.ts';
import { nameNotResolvedUnexplained } from './dns/name-not-resolved-unexplained.ts';
import { noReadyDnsPods } from './dns/no-ready-dns-pods.ts';
import { podNameserverNotClusterDns } from './dns/pod-nameserver-not-cluster-dns.ts';
import { searchListWrong } from './dns/search-list-wrong.ts';
import { bridgeNfCallIptablesOff } from './service/bridge-nf-call-iptables-off.ts';
import { conntrackTableFull } from './service/conntrack-table-full.ts';
import { endpointWithoutPod } from './service/endpoint-without-pod.ts';
import { endpointsNotListed } from './service/endpoints-not-listed.ts';
import { headlessOrExternalNameMisread } from './service/headless-or-externalname-misread.ts';
import { internalTrafficPolicyNoLocalEndpoint } from './service/internal-traffic-policy-no-local-endpoint.ts';
import { kubeProxyNotRunning } from './service/kube-proxy-not-running.ts';
import { namedPortMissing } from './service/named-port-missing.ts';
import { noReadyEndpoints } from './service/no-ready-endpoints.ts';
import { ruleBeforeKubeProxy } from './service/rule-before-kube-proxy.ts';
import { selectorMatchesNoPod } from './service/selector-matches-no-pod.ts';
import { serviceRulesMissing } from './service/service-rules-missing.ts';
import { serviceRulesStale } from './service/service-rules-stale.ts';
import { serviceRulesUnhooked } from './service/service-rules-unhooked.ts';
import { serviceTrafficLostUnexplained } from './service/service-traffic-lost-unexplained.ts';
import { staleConntrackEntry } from './service/stale-conntrack-entry.ts';
import { targetPortNotListening } from './service/target-port-not-listening.ts';

/**
 * Every check, in the order in which the root is looked for: the lower layer first, and within a layer the more particular before the more
 * general. A finding further down that explains nothing more than one further up is its consequence.
 */
export const checks: readonly Check[] = [
  // A full table drops the first packet of everything; whatever else is lost on that node may be its doing.
  conntrackTableFull,
  // An address that no pod has is lost on every way to it.
  endpointWithoutPod,
  ...causesOfLoss,
  mtuBlackHole,
  mtuMismatch,
  tunnelTrafficLostBetweenNodes,
  cniConfigMissing,
  podAddressesExhausted,
  selectorMatchesNoPod,
  namedPortMissing,
  noReadyEndpoints,
  endpointsNotListed,
  headlessOrExternalNameMisread,
  internalTrafficPolicyNoLocalEndpoint,
  ruleBeforeKubeProxy,
  kubeProxyNotRunning,
  serviceRulesUnhooked,
  serviceRulesMissing,
  serviceRulesStale,
  bridgeNfCallIptablesOff,
  staleConntrackEntry,
  targetPortNotListening,
  corednsCrashLoop,
  dnsServiceWithoutEndpoints,
  noReadyDnsPods,
  dnsPolicyDefault,
  podNameserverNotClusterDns,
  searchListWrong,
  dnsPortFiltered,
  // Behind every check of a table, which says why the packets end there; captures outweigh what is left when all tables are in order.
  packetsLostOnNode,
  dnsPodBad,
  dnsUpstreamFailing,
  listeningOnLoopbackOnly,
  listeningOnWrongPort,
  acceptsAndNeverAnswers,
  // What no check explains, at the very end: low confidence.
  podTrafficLostUnexplained,
  serviceTrafficLostUnexplained,
  nameNotResolvedUnexplained,
];
