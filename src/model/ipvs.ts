import type { HasLine } from './parsed.ts';

/** A virtual server of IPVS: an address, protocol and port, or a firewall mark. */
export interface VirtualServer extends HasLine {
  protocol: 'tcp' | 'udp' | 'sctp' | 'fwmark';
  /** Left out for a firewall mark. */
  address?: string;
  /** Undefined also where ipvsadm without -n printed a service name or cut the column. */
  port?: number;
  mark?: number;
  scheduler?: string;
  /** Seconds of session affinity. */
  persistentTimeout?: number;
  flags: string[];
  realServers: RealServer[];
  stats?: IpvsStats;
}

export interface RealServer extends HasLine {
  address: string;
  port?: number;
  forward?: 'masq' | 'route' | 'tunnel' | 'local';
  /** 0: no new connections (kube-proxy's graceful termination). */
  weight?: number;
  activeConnections?: number;
  inactiveConnections?: number;
  stats?: IpvsStats;
}

/** Of `ipvsadm --stats`. Numbers from 10 million on are rounded by ipvsadm (`12345K`) unless --exact was given. */
export interface IpvsStats {
  connections: number;
  inPackets: number;
  outPackets: number;
  inBytes: number;
  outBytes: number;
}
