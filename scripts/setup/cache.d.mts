// What TypeScript takes of cache.mjs, which itself runs before npm's packages are there.
export function cacheFolder(env: NodeJS.ProcessEnv): string;
export function isMade(folder: string): boolean;
export function makeOnce(
  target: string,
  make: (folder: string) => Promise<unknown>,
  options: { log: (line: string) => void },
): Promise<void>;
