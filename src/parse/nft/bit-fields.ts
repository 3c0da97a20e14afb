/**
 * Fields of bits (bitmask types of nft(8)): without an operator they are asked for any of the bits, with `==` or `!=` for being exactly these
 * (netlink_gen_flagcmp and netlink_gen_cmp of nft).
 */
export const bitFields: ReadonlySet<string> = new Set(['ct state', 'ct status', 'ct label', 'ct event', 'tcp flags']);
