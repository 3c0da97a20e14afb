import type { EvidenceRef } from './evidence.ts';

export type Layer = 'dns' | 'service' | 'cni' | 'app';

/** What a check explains to a person; `k8snet explain ID` and docs/checks are made from it. */
export interface Explanation {
  /** What is wrong, in two or three sentences. */
  what: string;
  /** How a cluster gets into this state. */
  why: string;
  /** Commands that confirm it by hand. */
  confirm: string[];
  /** Steps that mend it. */
  fix: string[];
  /** Look-alikes and what tells them apart. */
  notThis: string[];
  /** Sources: kernel documentation, Kubernetes pages, issue threads. */
  refs: string[];
}

export interface CheckMeta {
  /** DNSnnn, SVCnnn, CNInnn or APPnnn; never reused. */
  id: string;
  slug: string;
  layer: Layer;
  /** One line for lists. */
  title: string;
  /** Version of k8snet that first had it. */
  since: string;
  explain: Explanation;
}

/** The object, rule, route or sysctl that is wrong. */
export interface Where {
  kind: string;
  namespace?: string;
  name: string;
  node?: string;
}

/** One thing that a check found wrong. */
export interface Fault {
  title: string;
  where: Where;
  evidence: EvidenceRef[];
  next: string[];
  fix: string[];
}
