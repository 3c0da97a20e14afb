import { hostsOf, outsideHosts, routerAddresses } from './lab.ts';

/** Few values, so that rules and packets meet often. */
export const clients = [...hostsOf('in0').slice(0, 2), ...outsideHosts];
export const servers = [...hostsOf('out0').slice(0, 3), ...hostsOf('alt0').slice(0, 2)];
export const virtualAddresses = ['10.96.0.1', '10.96.0.10', '10.96.7.7'];
export const destinations = [
  ...servers,
  ...servers,
  ...virtualAddresses,
  ...virtualAddresses,
  ...routerAddresses,
  ...hostsOf('in0').slice(0, 3),
];
export const networks = [
  '10.1.0.0/24',
  '10.2.0.0/24',
  '10.3.0.0/24',
  '10.0.0.0/8',
  '172.30.0.0/16',
  '10.96.0.0/16',
  '10.2.0.0/30',
  '0.0.0.0/0',
];
export const ports = [53, 80, 443, 8080, 9000, 30080];
export const marks = ['0x1', '0x2', '0x4000', '0x10', '0xff00'];
