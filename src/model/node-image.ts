/** One well-known public image that has all tools, by version. */
export const defaultImage = 'docker.io/nicolaka/netshoot:v0.13';
