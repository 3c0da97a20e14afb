/**
 * A pointer into the snapshot: the entry (for example `node/n1/iptables-save`) and the 1-based lines of its standard output that support a
 * statement. An empty list of lines means the whole entry (for example "the table is empty").
 */
export interface EvidenceRef {
  entry: string;
  lines: number[];
}

export const evidence = (entry: string, ...lines: number[]): EvidenceRef => ({ entry, lines });
