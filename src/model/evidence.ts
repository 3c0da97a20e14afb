/**
 * What supports a statement. Either a pointer into the snapshot (the entry, for example `node/n1/iptables-save`, and 1-based lines of its
 * standard output; no lines means the whole entry, for example "the table is empty"), or a field of an API object with the
 * command that prints it.
 */
export type EvidenceRef = { entry: string; lines: number[] } | { command: string; on: string; lines: { number: number; text: string }[] };

export const evidence = (entry: string, ...lines: number[]): EvidenceRef => ({ entry, lines });
